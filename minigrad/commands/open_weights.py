"""`minigrad open FILE`: lists the recurrent layers of a file, and shows them at work.

Read next: `lab.py`.
"""

from __future__ import annotations

import argparse

HELP = "open a network from PyTorch, Keras or ONNX and look at its recurrent layers"
EXAMPLE = "minigrad open voice.onnx --input voice.npz -o voice"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    add = parser.add_argument
    add("file", metavar="FILE", help=".onnx, .safetensors, .pt, .h5, .keras or .npz")
    add(
        "--input",
        metavar="FILE",
        help="an .npz file: for ONNX its inputs by name, else x (T, B, D) by layer; "
        "or an .npy file of one array",
    )
    add("-o", "--output", metavar="FOLDER", help="write the page into this folder")


def run(options: argparse.Namespace) -> None:
    """Open the file, list what is in it, and write the page."""
    from rich.console import Console

    from minigrad.interop.opened_file import open as open_file
    from minigrad.interop.opened_file import read_input

    op = open_file(options.file)
    console = Console()
    console.print(repr(op), highlight=False, markup=False, soft_wrap=True)
    for text in op.inputs:
        console.print(f"  input {text}", highlight=False, markup=False, soft_wrap=True)
    if options.input is None and options.output is None:
        return
    from minigrad.interop.opened_page import layer_inputs, write_pages

    inputs = layer_inputs(op, read_input(options.input)) if options.input else {}
    folder = options.output or f"{op.path.stem}-opened"
    path = write_pages(op, inputs, folder)
    console.print(f"page: {path}", highlight=False, markup=False, soft_wrap=True)
