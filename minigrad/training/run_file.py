"""The file of a training run: everything that the rest of the run depends on, in one.

Arrays by name, in parts: "model", "optimizer", and where there are any "best" (the best
weights so far) and "carried" (the state carried between chunks). The rest is words:

    about     what the caller wants to find again: the model's configuration, the
              vocabulary, the scaling ...
    progress  where the run is, its history, its random states

Read next: `checkpoint.py` (how a file is written whole).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import CheckpointError, DTypeError
from minigrad.engine.tensor import Tensor
from minigrad.training.checkpoint import Loaded, load, save

FORMAT = 1  # counts up when an older minigrad could not read the file


class Run(NamedTuple):
    """What a run's file holds: see the module."""

    arrays: Loaded
    about: dict[str, Any]
    progress: dict[str, Any]

    @property
    def weights(self) -> dict[str, np.ndarray]:
        """The weights to use: the best that validation saw, else the last."""
        best = any(name.startswith("best.") for name in self.arrays)
        return self.arrays.part("best" if best else "model")


@checked_call
def write_run(
    path: str | os.PathLike[str],
    arrays: Mapping[str, Any],
    about: Mapping[str, Any],
    progress: Mapping[str, Any],
) -> None:
    """Write a run's file, complete or not at all.

    Errors:  those of `mg.save`; DTypeError for words that are no JSON.
    """
    kind = {"format": FORMAT, "version": _version()}
    try:
        words = {
            f"minigrad.{name}": json.dumps(value)
            for name, value in (("run", kind), ("about", about), ("progress", progress))
        }
    except (TypeError, ValueError) as error:
        raise DTypeError(
            f"{os.fspath(path)}: not all of the run can be written as words",
            expect="JSON in about=, and in what state_dict() of callbacks gives",
            actual=str(error),
            hint="numbers, strings, lists and dicts of them; array.tolist()",
        ) from None
    save(path, arrays, words)


@checked_call
def read_run(path: str | os.PathLike[str]) -> Run:
    """Read a run's file.

    Raises CheckpointError if it is missing, damaged, not of a training run, or of a
    newer minigrad.
    """
    arrays = load(path, sealed_only=True)
    words = arrays.metadata
    try:
        kind = json.loads(words["minigrad.run"])
        number = int(kind["format"])
    except (KeyError, ValueError, TypeError, RecursionError):
        raise CheckpointError(
            f"{os.fspath(path)} is not the file of a training run",
            expect="a file that minigrad train, or a Trainer, wrote",
            actual="arrays without the words of a run",
            hint="mg.load reads arrays that mg.save wrote",
        ) from None
    if number > FORMAT:
        raise CheckpointError(
            f"{os.fspath(path)} was written by a newer minigrad",
            expect=f"format {FORMAT} or older",
            actual=f"format {number}, minigrad {kind.get('version', '?')}",
            hint="install that version, or train again",
        )
    try:
        about = json.loads(words["minigrad.about"])
        progress = json.loads(words["minigrad.progress"])
        if not (isinstance(about, dict) and isinstance(progress, dict)):
            raise ValueError("not two JSON objects")
    except (KeyError, ValueError, RecursionError) as error:
        raise CheckpointError(
            f"{os.fspath(path)} is damaged",
            expect="a run's words in JSON",
            actual=f"{type(error).__name__}: {str(error)[:80]}",
            hint="train again, or take a copy of the file",
        ) from None
    return Run(arrays, about, progress)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("minigrad")
    except PackageNotFoundError:
        return "unknown"


# ------------------------------------------------- the state carried between chunks


def taken_apart(state: Any) -> tuple[list[np.ndarray], Any]:
    """A carried state as arrays, and its form as JSON: tuples of tensors, or None."""
    if state is None:
        return [], None
    if isinstance(state, Tensor):
        return [state.data], "tensor"
    arrays: list[np.ndarray] = []
    form = []
    for part in state:
        below, shape = taken_apart(part)
        arrays += below
        form.append(shape)
    return arrays, form


def put_together(arrays: list[np.ndarray], form: Any) -> Any:
    """The state that `taken_apart` took apart."""
    waiting = list(arrays)

    def built(form: Any) -> Any:
        if form is None:
            return None
        if form == "tensor":
            return Tensor(waiting.pop(0))
        return tuple([built(part) for part in form])

    return built(form)


def detached(state: Any) -> Any:
    """The same values, cut off from the graph that they come from."""
    if state is None or isinstance(state, Tensor):
        return None if state is None else state.detach()
    return tuple([detached(part) for part in state])
