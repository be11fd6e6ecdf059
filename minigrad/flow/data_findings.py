"""Findings about what comes in: features and targets that are far from unit scale.

Read next: `parameter_findings.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.flow.findings import Finding, some
from minigrad.flow.loss_targets import Targets
from minigrad.reading.text import clean
from minigrad.reading.whole_loops import operations

LARGE = 10.0  # root mean square of a column; 1 is what weights are made for
SMALL = 0.01  # largest entry of a column that is not all zeros
MOST = 64  # products of inputs and weights that are looked at, evenly spread


def data_findings(nodes: Sequence[Node], targets: Iterable[Targets]) -> list[Finding]:
    """Findings about the inputs and targets of a graph."""
    found = []
    for name, values in inputs_of(nodes).items():
        found += _scale(_called("input", name), values, name)
    for one in targets:
        if one.kind in ("square", "absolute"):
            found += _scale(_called("target", one.name), one.values, one.name)
    return found


def inputs_of(nodes: Sequence[Node]) -> dict[str, np.ndarray]:
    """{name: (n, columns)}: constant numbers that are multiplied by a weight matrix.

    nodes  of a graph, or its records; oldest first
    """
    found: dict[str, list[np.ndarray]] = {}
    made = operations(nodes)
    products = [node for node in made if node.primitive.name == "matmul"]
    count = min(len(products), MOST)
    for k in np.linspace(0, len(products) - 1, count).round().astype(int):
        a, w = products[k].edges
        weight = w.requires_grad and isinstance(w.source, Leaf) and w.array.ndim == 2
        if not weight or a.requires_grad or a.array.ndim < 2:
            continue
        if a.array.dtype.kind == "f" and a.array.any():  # no state of zeros
            rows = a.array.reshape(-1, a.array.shape[-1])
            name = _name(a)
            if name in found and found[name][0].shape[-1] != rows.shape[-1]:
                name = f"{name} ({rows.shape[-1]} columns)"
            found.setdefault(name, []).append(rows)
    return {name: np.concatenate(arrays) for name, arrays in found.items()}


def _name(edge: AnyEdge) -> str:
    source = edge.source
    for _ in range(8):
        if isinstance(source, Leaf):
            return source.name or ""
        if not isinstance(source, Node) or not source.edges:
            return ""
        source = source.edges[0].source
    return ""


def _called(kind: str, name: str) -> str:
    return f"{kind} {clean(name)!r}" if name else f"the {kind}"


def _scale(what: str, values: np.ndarray, name: str) -> list[Finding]:
    with np.errstate(all="ignore"):
        wide = values.astype(float)
        if not np.isfinite(wide).all() or not wide.size:
            return []
        sizes = np.sqrt((wide**2).mean(axis=0))
        largest = np.abs(wide).max(axis=0)
    large = np.flatnonzero(sizes > LARGE)
    small = np.flatnonzero((largest > 0) & (largest < SMALL))
    if not len(large) and not len(small):
        return []
    worst = int(large[np.argmax(sizes[large])] if len(large) else small[0])
    mean, deviation = float(wide[:, worst].mean()), float(wide[:, worst].std())
    columns = [int(k) for k in (large if len(large) else small)]
    many = "columns" if len(columns) > 1 else "column"
    size = "far above" if len(large) else "far below"
    text = (
        f"{what}: {many} {some(columns)} of {values.shape[1]} {size} unit "
        f"scale: in column {worst} the mean is {mean:.4g} and the deviation "
        f"{deviation:.3g}; mg.data.Scaling would subtract {mean:.4g} and divide by "
        f"{deviation if deviation > 0 else 1.0:.3g}"
    )
    evidence: dict[str, Any] = {
        "tensor": name,
        "kind": "target" if "target" in what[:10] else "input",
        "columns": columns,
        "worst": worst,
        "mean": mean,
        "deviation": deviation,
        "size": float(sizes[worst]),
    }
    remedy = (
        "scaling = mg.data.Scaling(train); train, test = scaling(train), scaling(test)"
    )
    if "target" in what[:10]:
        remedy += "; scaling.back(y) gives predictions in the old unit."
    return [Finding("input-scale", "warning", text, evidence=evidence, remedy=remedy)]
