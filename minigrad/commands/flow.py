"""`minigrad flow`: compares how gradients travel through an RNN, an LSTM and a GRU.

Read next: `train.py`.
"""

from __future__ import annotations

import argparse
from typing import Any

from minigrad.commands.demo_network import KINDS, demo_input, demo_model
from minigrad.engine.errors import ArgumentError

HELP = "measure how gradients vanish or survive in an RNN, an LSTM and a GRU"
EXAMPLE = "minigrad flow --cells rnn,lstm,gru --steps 50 -o flow.html"


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    add = parser.add_argument
    add(
        "--cells",
        default="rnn,lstm,gru",
        help="which cells, with commas (rnn,lstm,gru)",
    )
    add("--steps", type=int, help="time steps (50, or one per word)")
    add("-o", "--output", metavar="FILE", help="also write a page, such as x.html")
    add("--hidden", type=int, default=32, help="hidden size (32)")
    add("--inputs", type=int, default=8, help="input size (8)")
    add("--gain", type=float, default=1.0, help="factor for W_h (1.0)")
    add("--forget-bias", type=float, default=1.0, help="lstm: bias of f (1.0)")
    add("--sentence", help="words to read, as random vectors")
    add("--seed", type=int, default=0, help="random seed (0)")


def run(options: argparse.Namespace) -> None:
    """Make the networks, run them once, measure, show."""
    from rich.console import Console

    from minigrad.flow.comparison import measure, verdict, write_comparison
    from minigrad.flow.terminal_tables import distance_table, ledger_table

    cells = [cell.strip().lower() for cell in options.cells.split(",") if cell.strip()]
    words = (options.sentence or "").split() or None
    steps = _check(options, cells, words)
    x = demo_input(steps, 1, options.inputs, options.seed, words)
    made = {cell.upper(): measure(_model(cell, options), x) for cell in cells}
    console = Console()
    about = (
        f"{options.hidden} units, {steps} steps, seed {options.seed}, "
        f"W_h multiplied by {options.gain:g}"
    )
    console.print(f"Untrained networks of {about}", highlight=False)
    products = {name: one.products for name, one in made.items()}
    columns = max(2, min(8, (console.width - 14) // 8))  # of numbers, that have room
    title = "Spectral norm of ds_T/ds_k"
    console.print(distance_table(products, title, most=min(6, columns - 2)))
    for name, one in made.items():
        console.print(verdict(name, one), highlight=False)
    first = cells[0].upper()
    console.print(f"\n{first}:")
    console.print(ledger_table(made[first].ledger, "W_h", most=columns))
    if options.output:
        path = write_comparison(options.output, f"untrained, {about}", made, words)
        console.print(f"page: [bold]{path}[/]", highlight=False, soft_wrap=True)


def _model(cell: str, options: argparse.Namespace) -> Any:
    """A network of one layer, its recurrent weight multiplied by the gain."""
    more = {"forget_bias": options.forget_bias} if cell == "lstm" else {}
    model = demo_model(cell, options.inputs, options.hidden, seed=options.seed, **more)
    weight = model.cells[0].W_h
    weight.data = weight.data * options.gain
    return model


def _check(options: argparse.Namespace, cells: list[str], words: Any) -> int:
    """The number of steps. ArgumentError for what cannot be run."""
    steps = len(words) if words else 50 if options.steps is None else options.steps
    problem = None
    unknown = [cell for cell in cells if cell not in KINDS]
    if unknown or not cells:
        problem = (f"cells of {', '.join(KINDS)}", f"--cells {options.cells}")
    elif len(set(cells)) < len(cells):
        problem = ("each cell once", f"--cells {options.cells}")
    elif words and options.steps not in (None, steps):
        problem = ("one step per word", f"--steps {options.steps}, {steps} words")
    elif not 2 <= steps <= 2000:
        problem = ("2 to 2000 steps", str(steps))
    elif not 1 <= options.hidden <= 256 or not 1 <= options.inputs <= 4096:
        problem = (
            "--hidden in 1..256, --inputs in 1..4096",
            f"--hidden {options.hidden} --inputs {options.inputs}",
        )
    elif not abs(options.gain) <= 1e6 or not abs(options.forget_bias) <= 1e6:
        problem = (
            "numbers of moderate size",
            f"--gain {options.gain} --forget-bias {options.forget_bias}",
        )
    if problem:
        raise ArgumentError(
            "flow: these networks cannot be run",
            expect=problem[0],
            actual=problem[1],
            hint=EXAMPLE,
        )
    return steps
