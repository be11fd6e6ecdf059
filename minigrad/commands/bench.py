"""`minigrad bench`: one training step, side by side with what else is installed.

Read next: `doctor.py`.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

HELP = "time a training step beside PyTorch, JAX and others, in two minutes"
EXAMPLE = "minigrad bench --kind LSTM --size S M"
KINDS = ("LSTM", "GRU", "RNN")
SIZES = ("1x16", "8x32", "S", "M", "L")
GROWTH = 60.0  # seconds


def arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of this command to the parser."""
    add = parser.add_argument
    add(
        "--kind",
        nargs="+",
        choices=KINDS,
        default=KINDS,
        metavar="KIND",
        help=f"of {', '.join(KINDS)}; all three, if none",
    )
    add(
        "--size",
        nargs="+",
        choices=SIZES,
        metavar="SIZE",
        default=("8x32", "S", "M"),
        help="sequences x units, or T, B, D, H: S 50, 16, 32, 64; M 100, 32, 128, 128; "
        "L 50, 64, 256, 512 (8x32 S M)",
    )
    add("--seconds", type=float, default=90.0, help="about how long (90)")
    add(
        "--threads",
        type=int,
        nargs="+",
        default=[1],
        help="for matrix products (1); 1 2 measures with one, then with two",
    )
    add(
        "--processor",
        action="store_true",
        help="time the processor's work instead of the clock: for a busy machine",
    )
    add("--torch-compile", action="store_true", help="with torch.compile: minutes more")
    add("--growth", action="store_true", help="also longer and longer sequences")
    add("--json", type=Path, metavar="FILE", help="write all figures")
    add("--plot", type=Path, metavar="FILE", help="write bars, .png or .svg")


def run(options: argparse.Namespace) -> None:
    """Measure, with a bar; show the tables; write the files that were asked for."""
    from rich.console import Console

    from minigrad.comparing import speed_report
    from minigrad.engine.errors import ArgumentError
    from minigrad.training.checkpoint import write_whole

    if min(options.threads) < 1 or not options.seconds > 0:
        raise ArgumentError(
            "bench: there is nothing to measure with",
            expect="--threads 1 or more, --seconds above 0",
            actual=f"--threads {options.threads}, --seconds {options.seconds}",
            hint="leave them out for one thread and 90 seconds",
        )
    console = Console()
    found = [_measured(console, options, threads) for threads in options.threads]
    data = found[0] if len(found) == 1 else {"by_threads": found}
    if options.json:
        write_whole(options.json, json.dumps(data, indent=1).encode())
        console.print(f"figures: {options.json}", highlight=False, markup=False)
    if options.plot:
        speed_report.plot(found[0], options.plot)
        console.print(f"plot: {options.plot}", highlight=False, markup=False)


def _measured(
    console: Any, options: argparse.Namespace, threads: int
) -> dict[str, Any]:
    """Measure with so many threads, with a bar; show the tables; all figures."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    from minigrad.comparing import speed_report
    from minigrad.comparing.bench_process import in_a_process

    seconds = options.seconds / len(options.threads)
    asked: dict[str, Any] = {
        "kinds": list(options.kind),
        "sizes": list(options.size),
        "seconds": seconds,
        "rivals": _installed_rivals() + ["torch.compile"] * options.torch_compile,
        "growth": GROWTH if options.growth else 0.0,
        "processor": options.processor,
    }
    columns = (BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console, transient=True) as progress:
        bar = progress.add_task("starting", total=1.0)
        cases, grown = in_a_process(
            asked,
            threads,
            lambda text, done: progress.update(
                bar, completed=done, description=text or None
            ),
            most=1.1 * (seconds + asked["growth"]) + 18.0,
        )
    for table in speed_report.tables(cases):
        console.print(table)
    if grown:
        console.print(speed_report.growth_table(grown))
    for line in speed_report.left_out(cases):
        console.print(f"left out, {line}", highlight=False, markup=False)
    console.print(speed_report.machine(threads), highlight=False, markup=False)
    return speed_report.as_data(cases, grown, threads)


def _installed_rivals() -> list[str]:
    """All but torch.compile; who is not installed is told in the end."""
    from minigrad.comparing.side_by_side import RIVALS, SLOW_TO_START

    return [name for name in RIVALS if name != SLOW_TO_START]
