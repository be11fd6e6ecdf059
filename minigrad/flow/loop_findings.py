"""Turns the measurements of loops into findings about gradients and distance.

The limits are at the top of the file.

Read next: `unit_findings.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.flow.chance import LOWEST, chance, farthest, kept
from minigrad.flow.findings import Finding, some, steps
from minigrad.flow.observation import LoopReading
from minigrad.reading.text import clean, number

TOO_LARGE = 1e3  # times the gradient at the last state: it explodes
BEYOND_CLIPPING = 1e8  # the same: what is near is lost beside it, clipped or not
SHORTEST_PIECE = 3  # steps: shorter ones are hardly meant
UNLIKELY = 0.5  # a chance below it is a finding


def loop_findings(
    readings: Sequence[LoopReading], lag: int | None = None, trained: bool = False
) -> list[Finding]:
    """The findings about the gradients of these loops.

    lag      how many steps back lies what is to be learned; None: at the far end
    trained  are they readings of a network in training? There only what the user has
             said about the lag makes a warning of a gradient that vanishes
    """
    found: list[Finding] = []
    for reading in readings:
        found += _cut(reading) + _unused(reading) + _one_sample(reading)
        found += _exploding(reading)
    calls: dict[int, list[LoopReading]] = {}
    for reading in readings:
        calls.setdefault(reading.call, []).append(reading)
    for loops in calls.values():
        found += _vanishing(loops, lag, trained)
    return found


def best(readings: Sequence[LoopReading], lag: int) -> LoopReading | None:
    """The loop through which what lies `lag` steps back is most likely to be learned;
    None if no loop goes back at all."""
    able = [r for r in readings if len(r.norms) > 1 or lag == 0]
    return max(able, key=lambda r: chance(r.norms, lag), default=None)


def _vanishing(
    readings: Sequence[LoopReading], lag: int | None, trained: bool
) -> list[Finding]:
    far = max(len(reading.norms) - 1 for reading in readings)
    at = far if lag is None else lag
    reading = best(readings, at)
    if reading is None or _cut_off(reading, at) or not reading.norms[0] > 0:
        return []
    left, odds = kept(reading.norms, at), chance(reading.norms, at)
    if not np.isfinite(left) or odds >= UNLIKELY:
        return []
    half = max(farthest(r.norms, min(at, 10_000)) for r in readings)
    shown = "less than 1e-12" if left <= LOWEST else number(10**left)
    text = (
        f"what lies {steps(at)} back is unlikely to be learned as the network stands: "
        f"{shown} of the gradient is left there, a chance of {odds:.0%}; the chance is "
        f"at least one half up to {steps(half)} back"
    )
    zeros = np.flatnonzero(reading.norms == 0)
    if len(zeros):
        text += f"; from {steps(int(zeros[0]))} back on the gradient is exactly zero"
    # Without a lag it is a warning only where the loss hangs on the last state alone.
    # Where it reads every state, what is near may be all there is to learn.
    asked = lag is not None or (not trained and _one_read(readings))
    return [
        Finding(
            "vanishing",
            "warning" if asked else "note",
            text,
            clean(reading.name),
            evidence={
                "lag": at,
                "chance": odds,
                "log10_kept": left,
                "lag_of_one_half": half,
                "states_read": len(reading.read),
            },
            remedy=_remedy(reading, at),
        )
    ]


def _one_read(readings: Sequence[LoopReading]) -> bool:
    return min(len(reading.read) for reading in readings) == 1


def _remedy(reading: LoopReading, lag: int) -> str:
    """What to do about it, by the kind of cell."""
    bias = max(1.0, round(math.log(max(lag, 2)), 1))
    shorter = "Train with a shorter lag first, and make it longer."
    if "f" in reading.gates and "c" in reading.letters:
        return (
            f"Start the forget gate more open, with a bias near ln(lag): "
            f"LSTM(..., forget_bias={bias}). {shorter}"
        )
    if "z" in reading.gates:
        return (
            f"Start the update gate so that it keeps the state: set its part of the "
            f"bias, b[cell.columns('z')], near ln(lag) = {bias} (update='keep'; "
            f"-{bias} with 'take'). {shorter}"
        )
    return (
        f"Start W_h as an orthogonal matrix, RNN(..., init='orthogonal'), or as the "
        f"identity with relu, RNN(..., activation='relu', init='identity'); or take a "
        f"gated cell, LSTM(..., forget_bias={bias}). {shorter}"
    )


def _cut_off(reading: LoopReading, at: int) -> bool:
    """Does a cut lie between the last state and the one `at` steps before?"""
    if not reading.cut:
        return False
    norms = reading.norms
    zeros = np.flatnonzero(norms == 0)
    return bool(len(zeros)) and int(zeros[0]) <= max(at, 1)


def _cut(reading: LoopReading) -> list[Finding]:
    """Where the state is handed on without its gradient."""
    cut = len(reading.cut)
    if not cut:
        return _cut_in_part(reading)
    order = list(reading.steps)
    between = max(1, len(order) - 1)
    evidence: dict[str, Any] = {"steps": list(reading.cut), "of": between}
    pieces = _pieces(reading)
    if cut == between and not pieces:
        where = "between all steps: the gradient is exactly zero from 1 step back on"
    else:
        where = f"after {'step' if cut == 1 else 'steps'} {some(reading.cut)}"
    text = (
        f"the gradient is cut {where}; the state is handed on without its graph "
        "(.detach(), .data, .numpy() or a new tensor)"
    )
    severity = "error" if cut == between else "warning"
    remedy = "Hand on the state itself, as the tensor that the step computed."
    if pieces:
        severity = "note"
        text += f". These are regular pieces of {steps(pieces)}: truncated on purpose?"
        remedy = (
            "Nothing, if it is truncated backpropagation. What lies farther back than "
            "a piece is not learned."
        )
    first = f"step {reading.cut[0]}"
    name = clean(reading.name)
    return [Finding("cut", severity, text, name, first, evidence, remedy)]


def _cut_in_part(reading: LoopReading) -> list[Finding]:
    """Parts of the state that are handed on without a gradient, others with one."""
    between = max(1, len(reading.steps) - 1)
    remedy = "Hand on this part as the tensor that the step computed, too."
    name = clean(reading.name)
    found = []
    for part, at in reading.parted.items():
        word = "step" if len(at) == 1 else "steps"
        few = len(at) < between
        where = f"after {word} {some(at)}" if few else "between all steps"
        text = (
            f"the gradient is cut in part: {part} is handed on without its graph "
            f"{where}, and only the rest of the state carries a gradient back"
        )
        evidence = {"part": part, "steps": list(at), "of": between}
        first = f"step {at[0]}" if at else ""
        found.append(Finding("cut", "warning", text, name, first, evidence, remedy))
    return found


def _pieces(reading: LoopReading) -> int:
    """The length of the pieces, if cuts come at regular distances; else 0."""
    order = {step: k for k, step in enumerate(reading.steps)}
    at = [order[step] + 1 for step in reading.cut if step in order]
    if len(at) < 2 or at[0] < SHORTEST_PIECE:
        return 0
    whole = all(place == (k + 1) * at[0] for k, place in enumerate(at))
    complete = len(order) - at[-1] <= at[0]
    return (
        at[0] if whole and complete and (len(at) > 1 or 2 * at[0] == len(order)) else 0
    )


def _unused(reading: LoopReading) -> list[Finding]:
    """States that the loss does not read."""
    name = clean(reading.name)
    letters = ", ".join(reading.letters) or "state"
    if not reading.seeded:
        text = (
            f"the loss gives no gradient to any state ({letters}); a gradient of ones "
            "was followed back from the last one instead"
        )
        remedy = "Compute the loss from the output, and look for a factor of zero."
        evidence: dict[str, Any] = {"state": letters, "read": []}
        return [Finding("unused-state", "warning", text, name, "", evidence, remedy)]
    order = list(reading.steps)
    if not reading.read or not order or reading.read[-1] not in order:
        return []
    after = len(order) - 1 - order.index(reading.read[-1])
    if not after:
        return []
    text = (
        f"the loss does not read the state ({letters}) of the last {steps(after)} of "
        f"{len(order)}: the last one it reads is that of step {reading.read[-1]}"
    )
    much = 2 * after >= len(order)
    remedy = (
        "Read the end of the loop: output[-1], or the final state that the model "
        "returns (of a reverse direction it is at step 0: h[-1] of a bidirectional "
        "model, not output[-1]; with batch_first, output[:, -1])."
    )
    evidence = {"state": letters, "read": list(reading.read), "after": after}
    where = f"step {reading.read[-1]}"
    severity = "warning" if much else "note"
    return [Finding("unused-state", severity, text, name, where, evidence, remedy)]


def _one_sample(reading: LoopReading) -> list[Finding]:
    """A loss that reads all steps of one sample, instead of one step of all samples."""
    read, samples = reading.samples
    if len(read) != 1 or samples < 2 or len(reading.read) < 2:
        return []
    text = (
        f"the loss reads {steps(len(reading.read))} of one sample, number {read[0]}, "
        f"and nothing of the other {samples - 1} of the batch. It looks as if time and "
        "batch were exchanged"
    )
    remedy = (
        "Time is the first axis, (T, B, D), and output[-1] is the last step of all "
        "samples. Where the data are (B, T, D), build the model with batch_first=True, "
        "and take output[:, -1]."
    )
    evidence = {"samples": list(read), "of": samples}
    name = clean(reading.name)
    return [Finding("unused-state", "warning", text, name, "", evidence, remedy)]


def _exploding(reading: LoopReading) -> list[Finding]:
    norms = reading.norms
    if not len(norms) or not norms[0] > 0 or not np.isfinite(norms).all():
        return []
    top = int(norms.argmax())
    factor = float(norms[top] / norms[0])
    if factor <= TOO_LARGE:
        return []
    growth = factor ** (1 / top)
    beyond = factor > BEYOND_CLIPPING
    text = (
        f"the gradient grows {number(factor)}-fold over {steps(top)}, {growth:.3g} "
        "times per step: it explodes. "
    )
    text += (
        "Clipping bounds the step, but its direction is that of the farthest steps "
        "alone"
        if beyond
        else "Clipping can bound that"
    )
    evidence = {
        "factor": factor,
        "steps": top,
        "growth_per_step": growth,
        "clipping_is_enough": not beyond,
    }
    remedy = (
        "Start with smaller recurrent weights, such as RNN(..., init='orthogonal')"
        + (", or take fewer steps" if beyond else "")
        + "; and clip: mg.clip_grad_norm_(model.parameters(), 1.0) before "
        "optimizer.step()."
    )
    name = clean(reading.name)
    severity = "error" if beyond else "warning"
    return [Finding("exploding", severity, text, name, "", evidence, remedy)]


def far_chance(readings: Sequence[LoopReading], lag: int) -> float:
    """The largest chance of all loops, each by itself."""
    reading = best(readings, lag)
    if reading is None or _cut_off(reading, lag):
        return 0.0
    return chance(reading.norms, lag)
