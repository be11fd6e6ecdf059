"""Findings about parameters: those the loss does not use, gradients that were kept.

Read next: `graph_findings.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import Key, Leaf, Node, key
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.recorder import thread
from minigrad.engine.tensor import Tensor
from minigrad.flow.findings import Finding, some
from minigrad.reading.norms import euclidean
from minigrad.reading.text import clean, number

AGREE = 1e-3  # of a gradient: what rounding, at most, makes of two of the same


def named(model: Any, parameters: Iterable[Tensor] = ()) -> dict[str, Tensor]:
    """{name: parameter}: those of a model, and others, each once."""
    found: dict[str, Tensor] = {}
    if model is not None:
        found.update(model.named_parameters())
    seen = {id(p) for p in found.values()}
    for number_, p in enumerate(parameters):
        if id(p) not in seen:
            seen.add(id(p))
            name = p.name or f"parameter {number_}"
            found[name if name not in found else f"{name} ({number_})"] = p
    return found


def leaves_of(nodes: Sequence[Node]) -> list[Tensor]:
    """The tensors with gradients that some nodes, or records, were computed from."""
    edges = [e for node in nodes for e in node.edges if e.requires_grad]
    leaves = dict.fromkeys([e.record for e in edges if type(e.record) is Leaf])
    owners = [leaf.owner() for leaf in leaves if leaf is not None]
    return [owner for owner in owners if isinstance(owner, Tensor)]


def unused(parameters: Mapping[str, Tensor], nodes: Sequence[Node]) -> list[Finding]:
    """Parameters that the loss does not depend on."""
    used = {id(p) for p in leaves_of(nodes)}
    idle = [n for n, p in parameters.items() if p.requires_grad and id(p) not in used]
    if not idle:
        return []
    text = (
        f"the loss does not depend on {len(idle)} of {len(parameters)} parameters: "
        f"{some(map(clean, idle))}"
    )
    remedy = (
        "Use that part of the model in forward(), or leave it out; look for .detach(), "
        ".data or .numpy() on the way from it to the loss."
    )
    evidence = {"names": idle}
    return [
        Finding("unused-parameter", "warning", text, evidence=evidence, remedy=remedy)
    ]


def fresh_gradients(
    loss: Tensor, recorded: Sequence[Any] | None = None
) -> dict[Key, np.ndarray]:
    """The gradient of every leaf, without a change to any `.grad`.

    recorded  the `records` behind the loss, if they are known: quicker where steps that
              were repeated have been written down
    """
    seed = np.ones(loss.shape, loss.dtype)
    with quietly(), uncollected():
        return backpropagate(loss._edge, seed, recorded=recorded)


def was_run(loss: Tensor) -> bool:
    """Was the latest `backward()` that of this loss?"""
    last = thread.recorder.last
    return last is not None and last[0]() is loss


def not_cleared(
    parameters: Mapping[str, Tensor],
    fresh: Mapping[Key, np.ndarray],
    stepped: bool = False,
) -> list[Finding]:
    """Is `.grad` more than this batch's gradient, whatever it was clipped to?

    stepped  is it known that the optimiser steps after every batch? If not, gradients
             may be added up on purpose
    """
    kept: dict[str, tuple[float, float]] = {}
    for name, p in parameters.items():
        gradient = fresh.get(key(p._edge))
        if gradient is None or p.grad is None or p.grad.shape != gradient.shape:
            continue
        if _is_more(p.grad.numpy(), gradient):
            kept[name] = euclidean(p.grad.numpy()), euclidean(gradient)
    if not kept:
        return []
    name = max(kept, key=lambda n: kept[n][0])
    held, own = kept[name]
    text = (
        f"`.grad` of {some(map(clean, kept))} is not the gradient of this batch: that "
        f"of {clean(name)} has norm {number(held)}, and this batch's is {number(own)}. "
        "The gradients of batches before were kept"
    )
    remedy = "optimizer.zero_grad() before loss.backward(), in every batch."
    if not stepped:
        text += ", or several are added up on purpose"
        remedy = (
            "optimizer.zero_grad() before loss.backward(), in every batch; nothing, if "
            "one step is made of several batches (mg.Monitor can tell)."
        )
    evidence = {"names": list(kept), "name": name, "held": held, "of_this_batch": own}
    severity = "error" if stepped else "warning"
    return [
        Finding(
            "gradient-not-cleared", severity, text, evidence=evidence, remedy=remedy
        )
    ]


def _is_more(held: np.ndarray, own: np.ndarray) -> bool:
    """Is `held` neither `own` nor what clipping makes of it (shorter, same signs)?"""
    a, b = held.astype(float).reshape(-1), own.astype(float).reshape(-1)
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return False
    scale = float(np.abs(b).max(initial=0.0))
    if scale == 0:
        return bool(np.abs(a).max(initial=0.0) > 0)
    slack = AGREE * scale
    clipped = (np.abs(a) <= np.abs(b) + slack) & (a * b >= -slack * scale)
    return not bool(clipped.all())
