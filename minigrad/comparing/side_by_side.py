"""All take turns: medians and spread of each one's time, in one process, in one run.

A machine that slows down in the middle slows all of them, so what counts is the ratio
of times from one run.

Read next: `growth.py`.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from minigrad.comparing import rivals_numpy, rivals_torch, rivals_traced, same_step
from minigrad.comparing.same_step import SIZES, Problem, Runner, Size, problem

OURS = "minigrad"
Clock = Callable[[], float]
RIVALS: dict[str, tuple[Callable[[Problem], Runner], str | None]] = {
    # name: (what makes it, the package it needs)
    OURS: (same_step.eager, None),
    "minigrad, compiled": (same_step.compiled, None),
    "torch.nn": (rivals_torch.torch_nn, "torch"),
    "PyTorch, from primitives": (rivals_torch.from_primitives, "torch"),
    "NumPy, by hand": (rivals_numpy.by_hand, None),
    "matrix products alone": (rivals_numpy.products_alone, None),
    "memory traffic alone": (rivals_numpy.memory_alone, None),
    "HIPS autograd": (rivals_traced.hips_autograd, "autograd"),
    "JAX, jit of scan": (rivals_traced.jax_scan, "jax"),
    "torch.compile": (rivals_torch.through_torch_compile, "torch"),
}
SLOW_TO_START = "torch.compile"  # minutes of compiling: only when it is asked for
NO_TIME = "no time was left"
WRONG = 1e-3  # of the gradient's norm: float32, long sums


@dataclass
class Times:
    """Milliseconds per step.

    median, low, high  over all rounds: the median and the quartiles
    first              the first call: with tracing and compiling
    rounds             how often it was timed
    """

    median: float
    low: float
    high: float
    first: float
    rounds: int


@dataclass
class Case:
    """One kind of layer at one size.

    times     by name, of those that ran
    left_out  by name, with the reason
    """

    kind: str
    name: str
    size: Size
    times: dict[str, Times] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def ratio(self, name: str, to: str) -> float | None:
        """The median of one as a share of another's; None if one did not run."""
        if name in self.times and to in self.times:
            return self.times[name].median / self.times[to].median
        return None


def from_data(data: dict[str, Any]) -> Case:
    """A case as `speed_report.as_data` wrote it."""
    times = {name: Times(**t) for name, t in data["times_ms"].items()}
    size = Size(*[data[letter] for letter in "TBDH"])
    return Case(data["kind"], data["size"], size, times, data["left_out"])


def compare(
    kinds: Sequence[str],
    sizes: Sequence[str],
    seconds: float,
    rivals: Sequence[str] | None = None,
    tell: Callable[[str], None] = lambda text: None,
    processor: bool = False,
) -> Iterator[Case]:
    """One case after the other, all of them within about so many seconds.

    rivals  names of RIVALS; None: those that are installed and start quickly
    tell    is told in words what runs now
    processor  time the processor's work instead of looking at the clock: for a machine
            that has other things to do as well
    """
    clock = time.process_time if processor else time.perf_counter
    end = time.perf_counter() + seconds
    wanted = [name for name in RIVALS if name != SLOW_TO_START]
    cases = [Case(kind, name, SIZES[name]) for name in sizes for kind in kinds]
    for number, case in enumerate(cases):
        share = (end - time.perf_counter()) / (len(cases) - number)
        if share < 0.5:
            case.left_out = dict.fromkeys(rivals or wanted, NO_TIME)
        else:
            _run(case, rivals or wanted, share, tell, clock)
        yield case


def _run(
    case: Case,
    names: Sequence[str],
    seconds: float,
    tell: Callable[[str], None],
    clock: Clock,
) -> None:
    """Fill the case: start all, check their gradients, let them take turns."""
    end = time.perf_counter() + seconds
    given = problem(case.kind, case.size)
    reference = _gradients(same_step.eager(given))
    running: dict[str, tuple[Runner, float]] = {}
    for name in names:
        if time.perf_counter() > end - 0.2 * seconds and len(running) > 1:
            case.left_out[name] = NO_TIME
            continue
        tell(f"{case.kind} {case.name}: {name} starts")
        started = _start(case, name, given, reference, seconds / 4)
        if started is not None:
            running[name] = started
    tell(f"{case.kind} {case.name}: all take turns")
    end = max(end, time.perf_counter() + 0.5)
    found: dict[str, list[float]] = {name: [] for name in running}
    for name, (runner, _) in running.items():
        _time(runner, found[name], clock)
    while time.perf_counter() < end:
        for name, (runner, _) in running.items():
            _time(runner, found[name], clock)
    for name, values in found.items():
        low, median, high = np.quantile(values, [0.25, 0.5, 0.75]).tolist()
        case.times[name] = Times(median, low, high, running[name][1], len(values))


def _start(
    case: Case, name: str, given: Problem, reference: Any, most: float
) -> tuple[Runner, float] | None:
    """A runner, and what its first call took in ms; None, with the reason in the case,
    if it cannot take part."""
    make, package = RIVALS[name]
    if package is not None and importlib.util.find_spec(package) is None:
        case.left_out[name] = f"{package} is not installed"
        return None
    begun = time.perf_counter()
    try:
        runner = make(given)
        runner.step()
    except Exception as error:  # another library's trouble is told, not ours
        case.left_out[name] = f"{type(error).__name__}: {error}".split("\n")[0][:100]
        return None
    first = time.perf_counter() - begun
    for weight, gradient in runner.gradients().items():
        expected = reference[weight]
        if np.linalg.norm(gradient - expected) > WRONG * np.linalg.norm(expected):
            case.left_out[name] = f"another gradient for {weight}"
            return None
    begun = time.perf_counter()
    runner.step()
    if time.perf_counter() - begun > most:
        case.left_out[name] = f"one step takes {time.perf_counter() - begun:.1f} s"
        return None
    return runner, 1e3 * first


def _gradients(runner: Runner) -> Any:
    runner.step()
    return runner.gradients()


def _time(runner: Runner, found: list[float], clock: Clock) -> None:
    """Add the time of a step in ms: of several, if one is too short for the clock."""
    begun, count = clock(), 0
    while count == 0 or clock() - begun < 1e-3:
        runner.step()
        count += 1
    found.append(1e3 * (clock() - begun) / count)
