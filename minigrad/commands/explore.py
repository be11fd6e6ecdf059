"""`minigrad explore`: writes one of the ready-made pages with sliders.

Read next: `step.py`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

DEMOS = ("gradient", "gates", "cliff", "memory")
HELP = "write a page with sliders: turn a knob and see what follows"
EXAMPLE = "minigrad explore gradient -o gradient.html"
ABOUT = """
gradient: how far back a gradient reaches in an RNN, an LSTM and a GRU;
gates: a sentence that a trained network reads, with one word changed and one gate held;
cliff: gradient descent at a cliff, with and without clipping;
memory: hold one bit with a forget gate and an input gate
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    add = parser.add_argument
    add("page", choices=DEMOS, help=" ".join(ABOUT.split()))
    add("-o", "--output", type=Path, metavar="FILE", help="the page (PAGE.html)")
    add("--cells", help="gradient: which cells (rnn,lstm,gru)")
    add(
        "--scale",
        action="store_true",
        help="gradient: a slider that multiplies W_h, instead of its largest singular "
        "value",
    )
    add("--no-drawing", action="store_true", help="gradient: without the drawing")
    add("--sentence", help="gates: what is read")
    add(
        "--model",
        type=Path,
        metavar="FOLDER",
        help="gates: the folder of a model that minigrad train sentiment made (a small "
        "network is trained now, in some seconds)",
    )


def run(options: argparse.Namespace) -> None:
    """Compute every setting and write the page."""
    from rich.console import Console

    from minigrad.demos.demo_pages import SENTENCE, demo
    from minigrad.engine.errors import DrawingError, one_of
    from minigrad.pages.output_files import output_path

    path = output_path(options.output or f"{options.page}.html", ("html",))
    more: dict[str, Any] = {}
    if options.page == "gates":
        from minigrad.tasks import load

        more["sentence"] = options.sentence or SENTENCE
        more["trained"] = load("sentiment", options.model) if options.model else None
    elif options.page == "gradient":
        more["scale"] = options.scale
        more["drawing"] = not options.no_drawing
        cells = [
            c.strip().lower() for c in (options.cells or "").split(",") if c.strip()
        ]
        for cell in cells:
            one_of("--cells", cell, ("rnn", "lstm", "gru"))
        more["cells"] = cells or None
    console = Console(stderr=True)
    try:
        found = demo(options.page, **more)
    except DrawingError as error:
        if not more.get("drawing"):
            raise
        console.print(f"without the drawing: {error.what}", markup=False)
        found = demo(options.page, **{**more, "drawing": False})
    found.save(path)
    size = f"{found.size / 1e6:.1f} MB"
    Console().print(
        f"{found.settings:,} settings, {size}: [bold]{path}[/]",
        highlight=False,
        soft_wrap=True,
    )
