"""The GRU: one state, two gates, and four conventions that are told apart by name.

Read next: `cell.py` (what all cells share).
"""

from __future__ import annotations

from typing import Any

import minigrad as mg
from minigrad.engine.errors import one_of
from minigrad.engine.scope import gate
from minigrad.engine.tensor import Tensor

from .cell import Cell, same_every_step
from .recurrent import Recurrent


class GRUCell(Cell):
    """One step of a GRU.

    r, z = sigmoid(x W_x + h W_h + b) per gate
    reset="after":   n = tanh(x W_xn + b_n + r * (h W_hn + b_h))     PyTorch, cuDNN
    reset="before":  n = tanh(x W_xn + b_n + (r * h) W_hn)           Cho et al. 2014
    update="keep":   h' = z * h + (1 - z) * n                        PyTorch, Cho
    update="take":   h' = (1 - z) * h + z * n                        Chung et al. 2014

    Shapes:  x (B, D), h (B, H) -> h' (B, H);  W_x (D, 3H), W_h (H, 3H), b (3H,) in the
             order r, z, n; with reset="after" also b_h (H,)
    Units:   gates in (0, 1), n in (-1, 1), and h' between h and n
    Errors:  see `Cell`; ArgumentError for other names
    Source:  Cho et al. 2014, arXiv 1406.1078 (reset before the product, z keeps);
             Chung et al. 2014, arXiv 1412.3555 (z takes)
    Note:    along h alone, gates held, dh'/dh = z ("keep") or 1 - z ("take")
    """

    kind = "gru"
    gates = ("r", "z", "n")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        reset: str = "after",
        update: str = "keep",
        **options: Any,
    ) -> None:
        one_of("reset", reset, ("after", "before"))
        one_of("update", update, ("keep", "take"))
        super().__init__(input_size, hidden_size, **options)
        self.reset, self.update = reset, update
        if reset == "after":
            self.b_h = self.parameter("b_h", (self.hidden_size,))

    @same_every_step
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """h' from x (B, D) and h (B, H)."""
        sums = mg.affine(x, self.W_x, self.b)  # x W_x + b
        x_r, x_z, x_n = mg.split(sums, 3, axis=1)  # (B, H) each
        if self.reset == "after":
            h_r, h_z, h_n = mg.split(h @ self.W_h, 3, axis=1)
        else:
            W_rz, W_n = mg.split(self.W_h, [2 * self.hidden_size], axis=1)
            h_r, h_z = mg.split(h @ W_rz, 2, axis=1)
        with gate("r"):
            r = mg.sigmoid(x_r + h_r)
        with gate("z"):
            z = mg.sigmoid(x_z + h_z)
        with gate("n"):
            seen = r * (h_n + self.b_h) if self.reset == "after" else (r * h) @ W_n
            n = mg.tanh(x_n + seen)
        with gate("h"):
            old, new = (h, n) if self.update == "keep" else (n, h)
            h = mg.blend(z, old, new)  # z * old + (1 - z) * new
        return h


class GRU(Recurrent):
    """A GRU over whole sequences: `output, h = gru(x)`.

    reset, update  the conventions of `GRUCell`; the defaults are PyTorch's
    num_layers     layer k+1 reads the outputs of layer k
    bidirectional  a second cell per layer reads each sequence from its end
    reverse        the one cell per layer reads each sequence from its end
    batch_first    x and output are (B, T, ...) instead
    dropout        between layers, while training: see `Recurrent`
    dtype, init, rng: see `Cell`. `gru.cells`: layers * directions, in PyTorch's order.

    Shapes:  x (T, B, D), h0 (layers*directions, B, H) or None for zeros
             -> output (T, B, directions*H), h (layers*directions, B, H)
    Errors:  ShapeError, DTypeError, ArgumentError for what does not fit (`Recurrent`)
    Source:  see `GRUCell` for the equations
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        reset: str = "after",
        update: str = "keep",
        bidirectional: bool = False,
        reverse: bool = False,
        batch_first: bool = False,
        dropout: float = 0.0,
        dtype: Any = "float64",
        init: str = "uniform",
        rng: Any = None,
        **others: Any,
    ) -> None:
        super().__init__(
            GRUCell,
            input_size,
            hidden_size,
            num_layers,
            {"reset": reset, "update": update, "dtype": dtype, "init": init},
            bidirectional=bidirectional,
            reverse=reverse,
            batch_first=batch_first,
            dropout=dropout,
            rng=rng,
            others=others,
        )

    def forward(
        self, x: Any, h0: Any = None, lengths: Any = None, mask: Any = None
    ) -> tuple[Tensor, Tensor]:
        """The output at every step, and the last state; see the class."""
        return self.run(x, h0, lengths, mask)
