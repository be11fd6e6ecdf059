"""Errors of this room: what was found, what is missing here, and where.

Read next: `named_arrays.py`.
"""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.engine.errors import ArgumentError, CheckpointError, SetupError


def no_counterpart(what: str, where: str, missing: str, hint: str) -> ArgumentError:
    """The error for something that exists there and not here, or the other way.

    what     the feature, by the name that it has there
    where    the layer, node or file that has it
    missing  what would be needed
    """
    return ArgumentError(
        f"{what} has no counterpart",
        expect=missing,
        actual=f"{what}, in {where}; nothing was loaded or written",
        hint=hint,
    )


def does_not_fit(what: str, expect: str, actual: str, hint: str) -> CheckpointError:
    """The error for weights that do not belong together."""
    return CheckpointError(
        what, expect=expect, actual=f"{actual}; nothing was loaded", hint=hint
    )


def needs(package: str, what: str) -> SetupError:
    """The error for a package that is not installed."""
    install = "minigrad[interop]" if package in ("onnx", "onnxruntime", "h5py") else ""
    return SetupError(
        f"{what} needs the package {package}",
        expect=f"{package}, installed beside minigrad",
        actual=f"import {package} fails",
        hint=f"pip install '{install or package}'",
    )


def few(names: Iterable[str]) -> str:
    """Some names, for a message: those that fit."""
    found = list(names)
    shown = ", ".join(f"{name[:60]!r}" for name in found[:5]) or "none"
    return f"{shown} and {len(found) - 5} more" if len(found) > 5 else shown
