"""Turns measurements into warnings that say what is wrong and what to do.

Each warning has a kind, so that the same warning is not repeated again and again. The
limits are at the top of the file, and `NEAR` in `observation.py`; they are rules of
thumb. Two warnings that need more than one look are in `monitor.py`.

Read next: `diagnosis.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from minigrad.engine.scope import GATES
from minigrad.flow.observation import LoopReading
from minigrad.reading.text import clean, number

TOO_SMALL = 1e-6  # of the nearest: nothing is learned from a gradient below it
TOO_LARGE = 1e3  # times the nearest
STUCK = 0.5  # of a gate's units
CLIPPED = 0.5  # of the batches


class Warned(NamedTuple):
    """One warning: its kind ("vanishing"), the loop it is about, and the words."""

    kind: str
    loop: str
    text: str

    def __str__(self) -> str:
        return f"{self.loop}: {self.text}" if self.loop else self.text


def reach(norms: np.ndarray) -> int:
    """The largest distance whose norm is at least 1e-6 of the norm at distance 0."""
    if not len(norms) or not norms[0] > 0:
        return 0
    with np.errstate(invalid="ignore"):
        heard = np.flatnonzero(norms >= TOO_SMALL * norms[0])
    return int(heard[-1]) if len(heard) else 0


def warnings_of(readings: Sequence[LoopReading]) -> list[Warned]:
    """The warnings about these loops, in their order; gradients before units."""
    found = []
    for reading in readings:
        name = clean(reading.name)
        found += [Warned(kind, name, text) for kind, text in _gradient(reading)]
        found += [Warned(kind, name, text) for kind, text in _units(reading)]
    return found


def _gradient(reading: LoopReading) -> list[tuple[str, str]]:
    norms, last = reading.norms, len(reading.norms) - 1
    if not np.isfinite(norms).all():
        at = int(np.flatnonzero(~np.isfinite(norms))[0])
        text = f"the gradient is not finite {_steps(at)} back and beyond"
        return [("not finite", text)]
    said = _cut(reading)
    if not reading.seeded:
        said.append(
            (
                "unused",
                "the loss gives no gradient to the loop's last state: a gradient of "
                "ones was followed back instead",
            )
        )
    if not norms[0] > 0 or last == 0:
        return said
    far = reach(norms)
    if far < last and not (reading.cut and norms[far + 1] == 0):
        zeros = np.flatnonzero(norms[far + 1 :] == 0)
        text = (
            f"gradients from more than {_steps(far)} back are below "
            f"{number(TOO_SMALL)} of the nearest: the network cannot learn from them"
        )
        if len(zeros):
            text += f" (exactly zero {_steps(far + 1 + int(zeros[0]))} back and beyond)"
        said.append(("vanishing", text))
    top = int(norms.argmax())
    if norms[top] > TOO_LARGE * norms[0]:
        text = (
            f"gradients grow {number(norms[top] / norms[0])}-fold over {_steps(top)}: "
            "they explode. Clip them (mg.clip_grad_norm_) or start with smaller weights"
        )
        said.append(("exploding", text))
    return said


def _cut(reading: LoopReading) -> list[tuple[str, str]]:
    """Where the state is handed on without its gradient."""
    between = max(1, len(reading.steps) - 1)
    said = []
    if len(reading.cut) == between:
        where = "between all steps: the gradient is exactly zero from 1 step back on"
    else:
        where = _after(reading.cut)
    if reading.cut:
        text = (
            f"the gradient is cut {where}; the state is handed on without its graph "
            "(.detach(), .data or .numpy())"
        )
        said.append(("cut", text))
    for name, steps in reading.parted.items():
        where = "between all steps" if len(steps) >= between else _after(steps)
        text = (
            f"the gradient is cut in part: {name} is handed on without its graph "
            f"{where}, and only the rest of the state carries a gradient back"
        )
        said.append((f"cut {name}", text))
    return said


def _after(steps: Sequence[int]) -> str:
    """In words: after these steps."""
    listed = ", ".join(map(str, steps[:6])) + (", ..." if len(steps) > 6 else "")
    return f"after {'step' if len(steps) == 1 else 'steps'} {listed}"


def _units(reading: LoopReading) -> list[tuple[str, str]]:
    said = []
    for letter, gate in reading.gates.items():
        if gate.stuck >= STUCK and not gate.signed:
            end = "0" if gate.low > gate.high else "1"
            text = (
                f"{gate.stuck:.0%} of the units of the {GATES.get(letter, letter)} are "
                f"stuck near {end}: hardly any gradient passes through them"
            )
            said.append((f"stuck {letter}", text))
    if reading.dead:
        which = ", ".join(map(str, reading.dead[:8]))
        more = ", ..." if len(reading.dead) > 8 else ""
        text = (
            f"{len(reading.dead)} of {reading.units} units are dead (the same value "
            f"for every sample and step): {which}{more}"
        )
        said.append(("dead units", text))
    return said


def clipping(share: float, batches: int) -> list[Warned]:
    """A warning if most batches were clipped."""
    if batches < 10 or share < CLIPPED:
        return []
    text = (
        f"the gradient was clipped in {share:.0%} of the last {batches} batches: the "
        "bound, not the gradient, decides how long the steps are"
    )
    return [Warned("clipping", "", text)]


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"
