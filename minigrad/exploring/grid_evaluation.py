"""Calls the function for every setting, with a progress bar and a bound on the size.

Read next: `packed_results.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.exploring.packed_results import Packed
from minigrad.exploring.parameter_ranges import Parameter, combinations, too_large
from minigrad.exploring.result_kinds import results

OFTEN = 0.1  # seconds between two looks of the bar


def evaluate(
    fn: Callable[..., Any], parameters: tuple[Parameter, ...], limit: float
) -> Packed:
    """The results of every setting, in the order of `combinations`.

    limit  the largest page, in bytes; as soon as the results pass it, ArgumentError
    """
    names = [p.name for p in parameters]
    settings = list(combinations(parameters))
    packed = Packed(len(settings))
    sizes: list[int] = []
    with _progress(len(settings)) as move:
        for values in settings:
            given = dict(zip(names, values, strict=True))
            try:
                found = results(fn(**given))
                before = packed.size
                packed.add(found)
            except Exception as error:
                told = ", ".join(
                    f"{name}={value!r:.40}" for name, value in given.items()
                )
                error.add_note(f"while mg.explore called the function with {told}")
                raise
            sizes.append(packed.size - before)
            if packed.size > limit:
                raise _over(parameters, sizes, len(settings), limit)
            move()
    return packed


def _over(
    parameters: tuple[Parameter, ...], sizes: list[int], settings: int, limit: float
) -> Exception:
    """The error for results that pass the limit: whose fault is it?

    One value's, if the last setting alone is far larger than those before it; then the
    parameter is the one that differs from the setting before. Else the parameter's with
    the most values.
    """
    done = len(sizes)
    expected = f"a page of at most {limit / 1e6:g} MB (max_mb={limit / 1e6:g})"
    before = sum(sizes[:-1]) / max(1, done - 1)
    if done > 1 and sizes[-1] > 5 * before:
        below = settings
        number = done - 1
        for p in parameters:  # the slowest that has just moved on
            below //= len(p.values)
            index = number // below % len(p.values)
            if (number - 1) // below % len(p.values) != index:
                actual = f"{sizes[-1] / 1e6:.3g} MB for {p.name}={p.labels[index]}"
                return too_large(parameters, actual, 0, expected, p, p.labels[index])
    guess = sum(sizes) / done * settings
    actual = f"about {guess / 1e6:.3g} MB for {settings} settings"
    return too_large(parameters, actual, limit / guess, expected)


@contextmanager
def _progress(total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, for as long as this runs; gives what moves it by one.

    It draws itself only when it is moved: no thread is started.
    """
    from rich import progress
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda: None
        return
    bar = progress.Progress(
        progress.TextColumn("settings"),
        progress.BarColumn(bar_width=30),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
        console=console,
        transient=True,
        auto_refresh=False,
    )
    task = bar.add_task("settings", total=total)
    last = 0.0

    def move() -> None:
        nonlocal last
        bar.advance(task)
        if time.monotonic() - last > OFTEN:
            last = time.monotonic()
            bar.refresh()

    with bar:
        yield move
