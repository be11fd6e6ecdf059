"""Turns what units do into findings: saturated, dead, copies of each other.

Read next: `not_finite.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.engine.scope import GATES
from minigrad.flow.findings import Finding, some
from minigrad.flow.observation import LoopReading
from minigrad.flow.unit_readings import Ends
from minigrad.reading.text import clean, number

MANY_DEAD = 0.2  # of the units: fewer are usual among units with a relu


def unit_findings(readings: Sequence[LoopReading]) -> list[Finding]:
    """The findings about the units and gates of these loops."""
    found: list[Finding] = []
    for reading in readings:
        found += [_saturated(reading, ends) for ends in reading.ends]
        found += _dead(reading) + _copies(reading)
    return found


def _saturated(reading: LoopReading, ends: Ends) -> Finding:
    what = GATES.get(ends.letter, ends.letter) or f"activation ({ends.function})"
    at = "at -1 or 1" if ends.function == "tanh" else "at 0"
    if ends.function == "sigmoid" and ends.letter not in GATES:
        at = "at 0 or 1"
    cause = ends.cause
    why = {
        "inputs": f"by large inputs: those of {cause.name} have a size of "
        f"{number(cause.size)}, and about 1 is usual",
        "weights": f"by large weights: those of {cause.name} add up to "
        f"{number(cause.size)}, and about 1 is usual",
        "bias": f"by a large bias: the entries of {cause.name} have a size of "
        f"{number(cause.size)}",
    }.get(cause.kind, "and the graph does not tell why")
    text = (
        f"{ends.share:.0%} of the units of the {what} are {at} nearly always, where "
        f"hardly any gradient passes (slope {number(ends.slope)} of the largest), {why}"
    )
    remedy = {
        "inputs": "Bring the inputs to unit scale: x = mg.data.Scaling(train)(x).",
        "bias": "Start that bias near zero.",
    }.get(cause.kind, "Start with smaller weights, and take a smaller learning rate.")
    evidence = {
        "gate": ends.letter,
        "share": ends.share,
        "slope": ends.slope,
        "cause": cause.kind,
        "of": cause.name,
        "size": cause.size,
    }
    name = clean(reading.name)
    return Finding("saturated", "warning", text, name, cause.where, evidence, remedy)


def _dead(reading: LoopReading) -> list[Finding]:
    dead = len(reading.dead)
    if not dead:
        return []
    text = (
        f"{dead} of {reading.units} units are dead (the same value for every sample "
        f"and step): {some(reading.dead, 8)}"
    )
    severity = "warning" if dead >= MANY_DEAD * reading.units else "note"
    remedy = (
        "Start with a smaller bias and a smaller learning rate, or take tanh for relu."
    )
    evidence = {"units": list(reading.dead), "of": reading.units}
    name = clean(reading.name)
    return [Finding("dead-units", severity, text, name, "", evidence, remedy)]


def _copies(reading: LoopReading) -> list[Finding]:
    if not reading.copies or reading.ends:  # at its ends a unit is like many others
        return []
    groups = sorted(reading.copies, key=len, reverse=True)
    shown = "; ".join(" = ".join(map(str, group[:6])) for group in groups[:3])
    spare = sum(len(group) - 1 for group in groups)
    text = (
        f"units are copies of each other, with the same value for every sample and "
        f"step: {shown}. {spare} of {reading.units} units add nothing"
    )
    remedy = (
        "Start with random weights: units that start alike get the same gradients and "
        "stay alike."
    )
    evidence = {"groups": [list(group) for group in groups], "of": reading.units}
    name = clean(reading.name)
    return [Finding("symmetric", "warning", text, name, "", evidence, remedy)]
