"""`minigrad check`: tries the promises of this library on the machine at hand.

Read next: `bench.py`.
"""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad.checking import Outcome

HELP = "try the promises (right gradients, same bits ...) on this machine, in a minute"
EXAMPLE = "minigrad check --seconds 60"
LONG = 1200.0  # seconds
NARROW = 60  # columns: below, sentences instead of a table


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    add = parser.add_argument
    add("--seconds", type=float, default=60.0, help="about how long (60)")
    add("--long", action="store_true", help="about twenty minutes: many more cases")
    add("--seed", type=int, default=0, help="which random cases (0)")
    add("-o", "--output", metavar="FILE", help="also write the figures, as JSON")


def run(options: argparse.Namespace) -> int:
    """Try everything, show the table; 0 if every promise was kept, else 1."""
    from rich.console import Console

    from minigrad.checking import check

    console = Console()
    seconds = LONG if options.long else options.seconds
    outcomes = []
    with console.status("trying ...") as status:
        for outcome in check(seconds, options.seed):
            outcomes.append(outcome)
            status.update(f"tried {len(outcomes)}: {outcome.what} ...")
    if console.width < NARROW:
        for outcome in outcomes:
            console.print(str(outcome), highlight=False, markup=False)
    else:
        console.print(_table(outcomes))
    for outcome in outcomes:
        if outcome.note:
            console.print(f"{outcome.what}: {outcome.note}", markup=False)
        for text in outcome.wrong[:3]:
            console.print(f"BROKEN, {outcome.what}: {text}", markup=False)
    broken = sum(not outcome.kept for outcome in outcomes)
    console.print(
        f"{broken} of {len(outcomes)} rows are broken on this machine."
        if broken
        else "Every promise was kept on this machine.",
        highlight=False,
    )
    if options.output:
        _write(options.output, outcomes, options.seed)
        console.print(f"figures: {options.output}", highlight=False, markup=False)
    return 1 if broken else 0


def _table(outcomes: list[Outcome]) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, padding=(0, 0, 0, 1))
    for name, side in (
        ("promise", "left"), ("what was tried", "left"), ("cases", "right"),
        ("worst", "right"), ("promised", "right"), ("", "left"),
    ):  # fmt: skip
        table.add_column(name, justify=side)  # type: ignore[arg-type]
    for one in outcomes:
        measured = one.limit is not None and not one.note
        table.add_row(
            one.promise,
            one.what,
            f"{one.tried:,}" if not one.note else "",
            f"{one.worst:.2g}" if measured else "",
            f"{one.limit:g} {one.unit}" if measured else "",
            "kept" if one.kept else "BROKEN",
        )
    return table


def _write(path: str, outcomes: list[Outcome], seed: int) -> None:
    """The rows as JSON: what was tried, how many, the worst figure, the seconds."""
    import platform
    from importlib.metadata import version

    from minigrad.training.checkpoint import write_whole

    rows = [
        {
            "promise": one.promise,
            "what": one.what,
            "tried": one.tried,
            "worst": one.worst if one.limit is not None else None,
            "limit": one.limit,
            "unit": one.unit,
            "wrong": one.wrong,
            "seconds": round(one.seconds, 2),
        }
        for one in outcomes
    ]
    machine = (
        f"{platform.system()} {platform.machine()}, "
        f"Python {platform.python_version()}, NumPy {version('numpy')}"
    )
    found = {"machine": machine, "seed": seed, "rows": rows}
    write_whole(path, (json.dumps(found, indent=1) + "\n").encode())
