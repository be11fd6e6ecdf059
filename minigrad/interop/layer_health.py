"""What the weights of a recurrent layer say before anything is run.

Read next: `onnx_capture.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

FAR = 4.0  # a bias at which a sigmoid is within 2 per cent of its end
VARIANTS = ("activation", "peephole", "couple", "reset", "update")
ORDINARY = {"activation": "tanh", "peephole": None, "couple": None}


@dataclass
class CellHealth:
    """The weights of one cell, in figures.

    where           "layer 0", "layer 0, reverse"
    parameters      how many numbers are trained
    radius          {gate: spectral radius of its (H, H) block of W_h}: for an RNN above
                    1 gradients can grow, far below 1 they vanish
    saturated       {gate: share of units whose bias alone is beyond 4 or -4}
    forget_bias     the mean bias of the forget gate, None where there is none; for a
                    GRU that of the update gate z, which keeps the old state
    memory          how many steps that bias alone keeps half of the state, None if no
                    gate keeps it
    not_finite      how many weights are NaN or infinite
    """

    where: str
    parameters: int
    radius: dict[str, float]
    saturated: dict[str, float]
    forget_bias: float | None
    memory: float | None
    not_finite: int


def health(model: Any) -> list[CellHealth]:
    """One entry for each cell of an RNN, LSTM or GRU, in the order of its cells."""
    ways = 2 if model.bidirectional else 1
    found = []
    for k, cell in enumerate(model.cells):
        reverse = k % ways == 1 or model.reverse
        where = f"layer {k // ways}" + (", reverse" if reverse else "")
        found.append(_cell(cell, where))
    return found


def _cell(cell: Any, where: str) -> CellHealth:
    W_h, b = cell.W_h.data, cell.b.data
    radius, saturated = {}, {}
    for letter in cell.gates:
        at = cell.columns(letter)
        block = W_h[:, at].astype(np.float64)
        finite = bool(np.isfinite(block).all())
        values = np.abs(np.linalg.eigvals(block)) if finite else np.array([np.nan])
        radius[letter] = float(values.max())
        if letter in "ifozr":
            saturated[letter] = float(np.mean(np.abs(b[at]) > FAR))
    keeps = _keeping_bias(cell)
    arrays = [p.data for p in cell.parameters()]
    return CellHealth(
        where=where,
        parameters=sum(a.size for a in arrays),
        radius=radius,
        saturated=saturated,
        forget_bias=None if keeps is None else float(keeps.mean()),
        memory=None if keeps is None else _half_life(float(keeps.mean())),
        not_finite=int(sum(np.count_nonzero(~np.isfinite(a)) for a in arrays)),
    )


def _keeping_bias(cell: Any) -> np.ndarray | None:
    """The bias of what keeps the state: of f, or of 1 - i, or of z."""
    b = cell.b.data
    if "f" in cell.gates:
        return b[cell.columns("f")]
    if getattr(cell, "couple", None) == "forget":
        return -b[cell.columns("i")]
    if "z" in cell.gates:
        z = b[cell.columns("z")]
        return z if getattr(cell, "update", "keep") == "keep" else -z
    return None


def _half_life(bias: float) -> float:
    """Steps after which a gate of this bias has kept half: log 2 / -log sigmoid."""
    with np.errstate(over="ignore", invalid="ignore"):
        return float(np.log(2.0) / np.logaddexp(0.0, -bias))


def conventions(model: Any) -> str:
    """What is particular about a model, in words: "reset after, z keeps the old"."""
    cell = model.cells[0]
    said = []
    for name in VARIANTS:
        value = getattr(cell, name, None)
        if value is None or ORDINARY.get(name, "") == value:
            continue
        said.append(
            {
                "activation": f"activation {value}",
                "peephole": f"peepholes, o sees the {value} c",
                "couple": "i = 1 - f" if value == "input" else "f = 1 - i",
                "reset": f"reset {value} the product",
                "update": "z keeps the old state"
                if value == "keep"
                else "z takes the new state",
            }[name]
        )
    source = getattr(cell, "bias_source", None)
    if source is not None and source.first is None:
        said.append("no bias")
    elif source is not None and source.second is not None:
        said.append("two biases, added")
    return ", ".join(said) or "as in PyTorch"


def figures(cell: CellHealth) -> str:
    """One cell's figures in a line: radii of W_h, biases at their ends, memory."""
    radii = ", ".join(f"{gate} {radius:.2f}" for gate, radius in cell.radius.items())
    far = [f"{gate} {share:.0%}" for gate, share in cell.saturated.items() if share]
    said = [f"spectral radius of W_h: {radii}"]
    if cell.saturated:
        said.append(f"biases beyond {FAR:g}: {', '.join(far) or 'none'}")
    if cell.forget_bias is not None and cell.memory is not None:
        said.append(
            f"forget bias {cell.forget_bias:.2f}, "
            f"half is kept for {cell.memory:.1f} steps"
        )
    return f"{cell.where}: {'; '.join(said)}"


def remarks(found: list[CellHealth]) -> list[str]:
    """What stands out in a model's weights, in sentences; empty if nothing does."""
    said = []
    for cell in found:
        if cell.not_finite:
            said.append(f"{cell.where}: {cell.not_finite} weights are NaN or infinite.")
        for gate, share in cell.saturated.items():
            if share >= 0.05:
                said.append(
                    f"{cell.where}: {share:.0%} of the biases of gate {gate} are "
                    f"beyond {FAR:g}, so these units are held open or shut unless the "
                    "input is strong."
                )
        recurrent = cell.radius.get("h")
        if recurrent is not None and recurrent > 1.2:
            said.append(
                f"{cell.where}: the spectral radius of W_h is {recurrent:.2f}; "
                "gradients can grow at every step."
            )
        if cell.forget_bias is not None and cell.forget_bias < -1:
            said.append(
                f"{cell.where}: the bias of what keeps the state is "
                f"{cell.forget_bias:.2f} on average, so it is forgotten within a step "
                "or two unless the input says otherwise."
            )
    return said
