"""`minigrad doctor`: shows what is installed, what works, and how to get the rest.

Each line is a fact that was tried just now, not a guess: an engine is asked for a small
picture, a kernel is compiled.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import platform
import sys

HELP = "show what is installed, and how to install what is missing"
EXAMPLE = "minigrad doctor"
PACKAGES = (
    "numpy", "numba", "graphviz", "pygraphviz", "rich", "matplotlib", "safetensors",
    "onnx", "onnxruntime", "h5py",
)  # fmt: skip
REMEDIES = {
    "dot": (
        "Graphviz is missing (pictures). Debian, Ubuntu: apt install graphviz; Fedora: "
        "dnf install graphviz; macOS: brew install graphviz; Windows: winget install "
        "graphviz; anywhere: pip install pygraphviz"
    ),
    "pygraphviz": "optional if you have dot: pip install pygraphviz",
    "onnx": "only for ONNX files: pip install onnx",
    "onnxruntime": "only to run ONNX files: pip install onnxruntime",
    "h5py": "only for Keras files: pip install h5py",
}


def arguments(parser: argparse.ArgumentParser) -> None:
    """This command takes no arguments."""


def run(options: argparse.Namespace) -> None:
    """Print the report."""
    sys.stdout.write("\n".join(report()) + "\n")


def report() -> list[str]:
    """The lines of the report."""
    lines = [f"Python      {platform.python_version()} on {platform.platform()}"]
    lines += [f"minigrad    {_version('minigrad') or 'from the source tree'}"]
    for name in PACKAGES:
        version = _version(name)
        note = "" if version else f"   {REMEDIES.get(name) or f'pip install {name}'}"
        lines.append(f"{name:<12}{version or 'missing'}{note}")
    return [*lines, *_engines(), _kernels()]


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _engines() -> list[str]:
    """Which layout engines give a picture."""
    from minigrad.drawing.write import graphviz_engines
    from minigrad.engine.errors import MinigradError

    lines = []
    number = graphviz_engines.version()
    if number:
        lines.append(f"dot         Graphviz {'.'.join(map(str, number))}")
    working = []
    for engine in graphviz_engines.installed():
        try:
            made = graphviz_engines.run(
                "dot", "svg", ["digraph { a -> b }"], timeout=20, engine=engine
            )
            working += [engine] if b"</svg>" in made else []
        except MinigradError as error:
            lines.append(f"{engine:<12}does not work: {error.actual}")
    if working:
        lines.append(f"pictures    {working[0]} draws them")
        spare = ", ".join(working[1:])
        lines += [f"            {spare} also works"] if spare else []
    else:
        lines.append(f"pictures    only .dot text. {REMEDIES['dot']}")
    return lines


def _kernels() -> str:
    from minigrad.engine.kernels import jit

    if jit.enabled and jit.numba_works():
        return "kernels     compiled by numba"
    return "kernels     off (NumPy does the work, more slowly)"
