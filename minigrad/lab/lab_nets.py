"""The nets of the lab: each cell by name, and the outputs above it.

Read next: `start_evidence.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.errors import one_of
from minigrad.engine.random import generator
from minigrad.engine.tensor import Tensor
from minigrad.lab.long_lag_task import LongLagTask, Sequences
from minigrad.models import GRU, LSTM, LSTM1997, RNN, chrono_biases
from minigrad.nn import Linear, Module

STARTS = ("chrono", "plain")
# name -> what it is
CELLS = {
    "rnn": "tanh, orthogonal recurrent weights",
    "irnn": "relu, the identity as recurrent weights (Le et al. 2015)",
    "lstm": "with forget gates (Gers et al. 2000)",
    "noforget": "the same without forget gates: c' = c + i * g",
    "lstm1997": "memory blocks without forget gates, gates that see all units",
    "lstm2000": "memory blocks with forget gates, gates that see the cells",
    "peephole": "an LSTM whose gates see its cell state (Gers et al. 2002)",
    "coupled": "an LSTM that forgets as much as it takes in (Greff et al. 2015)",
    "gru": "with update and reset gates (Cho et al. 2014)",
}


def recurrent_part(
    cell: str, task: LongLagTask, hidden: int, lag: int, start: str, rng: Any
) -> Any:
    """The recurrent part of a net. ArgumentError for another cell or start.

    start  "chrono": biases under which units keep for 1 to `lag` steps (Tallec &
           Ollivier 2018); "plain": a forget bias of 1, the update gate's as drawn. The
           blocks of 1997 and 2000 start as their papers say, the RNNs have neither
    """
    one_of("cell", cell, tuple(CELLS))
    one_of("start", start, STARTS)
    common: dict[str, Any] = {"dtype": "float32", "rng": rng}
    if cell == "rnn":
        return RNN(task.inputs, hidden, init="orthogonal", **common)
    if cell == "irnn":
        net = RNN(task.inputs, hidden, activation="relu", init="identity", **common)
        net.cells[0].b.data = np.zeros_like(net.cells[0].b.data)
        return net
    if cell in ("lstm1997", "lstm2000"):
        return _blocks(cell, task, common)
    made: Any
    if cell == "gru":
        made = GRU(task.inputs, hidden, **common)
    else:
        variant: dict[str, tuple[str, Any]] = {
            "peephole": ("peephole", "current"),
            "coupled": ("couple", "forget"),
            "noforget": ("forget_gate", False),
        }
        if cell in variant:
            name, value = variant[cell]
            common[name] = value
        made = LSTM(task.inputs, hidden, **common)
    if start == "chrono":
        _chrono(made.cells[0], lag or task.reach, rng)
    return made


def _blocks(cell: str, task: LongLagTask, common: dict[str, Any]) -> Any:
    later = cell == "lstm2000"
    return LSTM1997(
        task.inputs,
        task.blocks,
        task.cells_per_block,
        forget_gate=later,
        gates_seen=not later,
        cell_bias=task.cell_bias,
        input_bias=task.input_bias,
        output_bias=task.output_bias,
        scale=task.scale,
        **common,
    )


def _chrono(cell: Any, lag: int, rng: Any) -> None:
    """Start the gate that keeps at log U(1, lag), and the one that lets in at minus."""
    keep = chrono_biases(cell.hidden_size, lag, rng).astype("float32")
    b = np.array(cell.b.data)
    if "f" in cell.gates:
        b[cell.columns("f")] = keep
    if "i" in cell.gates:
        b[cell.columns("i")] = -keep
    if "z" in cell.gates:  # z keeps the old state
        b[cell.columns("z")] = keep
    cell.b.data = b


class LabNet(Module):
    """A recurrent part and its outputs, as a task wants them.

    Shapes:  sequences of (T, B, D) -> (B, K) at the end, or (T, B, K) where the task
             wants an answer at every step; K = `task.outputs`
    """

    def __init__(
        self,
        task: LongLagTask,
        cell: str,
        hidden: int,
        lag: int,
        start: str = "chrono",
        rng: Any = None,
    ) -> None:
        rng = generator(rng, "LabNet")
        self.task = task
        self.recurrent = recurrent_part(cell, task, hidden, lag, start, rng)
        width = self.recurrent.hidden_size
        self.sees_inputs = task.outputs_see_inputs
        width += task.inputs if self.sees_inputs else 0
        self.out = Linear(
            width, task.outputs, task.output_has_bias, dtype="float32", rng=rng
        )

    def forward(self, made: Sequences, state: Any = None) -> tuple[Tensor, Any]:
        """What it says, and the state to go on with."""
        x = mg.tensor(made.x)
        output, state = self.recurrent(x, state, lengths=made.lengths)
        return self.said(output, state, x, made), state

    def said(self, output: Tensor, state: Any, x: Tensor, made: Sequences) -> Tensor:
        """The answers from the recurrent part's output (T, B, H), or its last state."""
        if self.task.at_end:
            h = state[0] if isinstance(state, tuple) else state
            output = h[-1] if h.ndim == 3 else h
        elif self.sees_inputs:
            output = mg.concatenate([output, x], axis=2)
        z = self.out(output)
        return mg.sigmoid(z) if self.task.squash else z

    def trace(self, made: Sequences) -> tuple[Any, Tensor]:
        """All gates and states, and the late loss: recorded even under `no_grad()`."""
        with mg.enable_grad():
            x = mg.tensor(made.x)
            trace = self.recurrent.trace(x, lengths=made.lengths)
            said = self.said(trace.output, trace.states[-1], x, made)
            return trace, self.task.late_loss(said, made)

    def run(self, made: Sequences, state: Any = None, carry: bool = False) -> Any:
        """The answers as an array; with `carry` also the state to go on with."""
        with mg.no_grad():
            said, state = self.forward(made, state)
        return (said.data, state) if carry else said.data
