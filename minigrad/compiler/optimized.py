"""Optimized: a program through all passes, to a plan that can be run.

Read next: `report.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minigrad.compiler.accumulate import accumulate
from minigrad.compiler.execute import Execution
from minigrad.compiler.fuse import Unit, fuse
from minigrad.compiler.hoist import hoist
from minigrad.compiler.lowering import Lowered
from minigrad.compiler.overlay import overlay
from minigrad.compiler.pack import pack
from minigrad.compiler.place import Places
from minigrad.compiler.plan import Plan
from minigrad.compiler.program import Program
from minigrad.compiler.report import Stage, dot_text, stage
from minigrad.compiler.schedule import ordered
from minigrad.compiler.transposes import transposes
from minigrad.compiler.value_builder import Builder
from minigrad.compiler.value_form import Val

Pass = Callable[[Builder, list[Val]], list[Val]]
PASSES: list[tuple[str, Pass]] = [
    ("hoist", hoist),
    ("accumulate", accumulate),
    ("pack", pack),
    ("transposes", transposes),
]


class PassFailed(Exception):
    """A pass that could not do its work: its name, and why."""


@contextmanager
def named(name: str) -> Iterator[None]:
    """What goes wrong within it is the failure of the pass of this name."""
    try:
        yield
    except Exception as error:
        what = f"{name}: {type(error).__name__}: {error}"
        raise PassFailed(what) from error


class Optimized:
    """A program that has been through the passes.

    stages   the counts after each pass: `Stage`s, for reports
    picture  the plan in Graphviz's language
    plan     addresses and memory

    The values themselves are let go: they would take ten times the plan's memory.
    """

    def __init__(self, program: Program) -> None:
        with named("lower"):
            lowered = Lowered(program)
        wanted = list(program.results)
        for effect in program.effects:
            wanted += [k for k in (effect.data, effect.grad) if k is not None]
        self._numbers = list(dict.fromkeys(wanted))
        results = [lowered.values[k] for k in self._numbers]
        count = len(results)
        results += lowered.outside
        builder = lowered.builder
        del lowered
        self.stages: list[Stage] = [stage("lower", builder.listed(results))]
        for name, function in PASSES:
            with named(name):
                results = function(builder, results)
            self.stages.append(stage(name, builder.listed(results)))
        order = builder.listed(results)
        del builder
        with named("fuse"):
            units: list[Unit] = ordered(fuse(results, order))
        with named("place"):
            places = Places(order)
        del order
        with named("overlay"):
            overlay(units, places, results[:count])
        with named("plan"):
            self.plan = Plan(units, places, results[:count], program)
            self.execution = Execution(self.plan)
        self.picture = dot_text(units, program)
        self.plan.let_go()

    def run(self, start: dict[Any, Any]) -> dict[int, Any]:
        """The values that a call hands out, by number, as `Program.run` gives them."""
        return dict(zip(self._numbers, self.execution.run(start), strict=True))
