"""`minigrad flow`: how gradients travel through RNN, LSTM and GRU, side by side."""

from __future__ import annotations

import argparse
from typing import Any

from minigrad.engine.errors import ArgumentError

HELP = "measure how gradients vanish or survive in RNN, LSTM and GRU"
EXAMPLE = "minigrad flow --cells rnn,lstm,gru --steps 50 -o flow.html"
CELLS = ("rnn", "lstm", "gru")


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command understands."""
    add = parser.add_argument
    add("--cells", default="rnn,lstm,gru", help="some of rnn, lstm, gru, with commas")
    add("--steps", type=int, help="time steps (50, or the words of --sentence)")
    add("-o", "--output", metavar="FILE", help="the page to write, x.html")
    add("--hidden", type=int, default=32, help="hidden size")
    add("--inputs", type=int, default=8, help="input size")
    add("--gain", type=float, default=1.0, help="W_h is multiplied by it")
    add("--forget-bias", type=float, default=1.0, help="lstm: of the forget gate")
    add("--sentence", help="words to read, one per step, as random vectors")
    add("--seed", type=int, default=0, help="of weights and inputs")


def run(options: argparse.Namespace) -> None:
    """Make the networks, run them once, measure, show."""
    from rich.console import Console

    from minigrad.flow.findings import reach
    from minigrad.flow.terminal_tables import distance_table, ledger_table

    cells = [cell.strip().lower() for cell in options.cells.split(",") if cell.strip()]
    words = (options.sentence or "").split() or None
    steps = _check(options, cells, words)
    made = {cell: _measure(cell, options, words, steps) for cell in cells}
    console = Console()
    console.print(
        f"Untrained networks of {options.hidden} units, {steps} steps, seed "
        f"{options.seed}, W_h times {options.gain:g}",
        highlight=False,
    )
    products = {cell.upper(): jp for cell, (_, jp, _) in made.items()}
    console.print(distance_table(products, "Spectral norm of ds_T/ds_k"))
    for cell, (_, jp, _) in made.items():
        far = reach(jp.norms()[::-1])
        console.print(_verdict(cell, far, steps, jp), highlight=False)
    console.print(f"\n{cells[0].upper()}:", end=" ")
    console.print(ledger_table(made[cells[0]][2], "W_h", most=8))
    if options.output:
        path = _write(options, words, steps, made)
        console.print(f"[bold]{path}[/]: the page", highlight=False, soft_wrap=True)


def _check(options: argparse.Namespace, cells: list[str], words: Any) -> int:
    """The number of steps. ArgumentError for what cannot be run."""
    steps = len(words) if words else 50 if options.steps is None else options.steps
    problem = None
    unknown = [cell for cell in cells if cell not in CELLS]
    if unknown or not cells:
        problem = (f"cells of {', '.join(CELLS)}", f"--cells {options.cells}")
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


def _measure(cell: str, options: argparse.Namespace, words: Any, steps: int) -> Any:
    """One network's trace, its Jacobians, and its ledger with a loss at every step."""
    import numpy as np

    from minigrad import models
    from minigrad.engine.tensor import Tensor
    from minigrad.flow import jacobian_products, ledger

    kinds = {"rnn": models.RNN, "lstm": models.LSTM, "gru": models.GRU}
    more = {"forget_bias": options.forget_bias} if cell == "lstm" else {}
    model = kinds[cell](options.inputs, options.hidden, rng=options.seed, **more)
    W = model.cells[0].W_h
    W.data = W.data * options.gain
    rng = np.random.default_rng(options.seed)
    if words:  # the same word is the same vector
        vectors = {w: rng.standard_normal(options.inputs) for w in dict.fromkeys(words)}
        x = np.array([vectors[w] for w in words])[:, None]
    else:
        x = rng.standard_normal((steps, 1, options.inputs))
    trace = model.trace(Tensor(x, name="x"))
    losses = (trace.output * trace.output).mean(axis=(1, 2))
    led = ledger(losses, W)
    return trace, jacobian_products(trace), led


def _verdict(cell: str, far: int, steps: int, jp: Any) -> str:
    name = cell.upper()
    last = float(jp.log10_norms()[0])
    if last > 3:
        return f"{name}: over {steps} steps a gradient can grow to 10^{last:.0f} times"
    if far >= steps:
        return f"{name}: all {steps} steps are within 1e-6 of the nearest"
    return f"{name}: beyond {far} steps back less than 1e-6 of a gradient is left"


def _write(options: argparse.Namespace, words: Any, steps: int, made: Any) -> Any:
    from minigrad.flow.figure_page import write_page
    from minigrad.flow.page_sections import comparison_body

    about = (
        f"untrained, {options.hidden} units, {steps} steps, seed {options.seed}, "
        f"W_h times {options.gain:g}"
    )
    body = comparison_body(
        about,
        {cell.upper(): trace for cell, (trace, _, _) in made.items()},
        {cell.upper(): jp for cell, (_, jp, _) in made.items()},
        {cell.upper(): led for cell, (_, _, led) in made.items()},
        words,
    )
    return write_page(options.output, "Where the gradient goes", body)
