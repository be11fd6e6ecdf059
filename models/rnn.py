"""The simple recurrent network: one equation, and all its trouble with long distances.

Read next: `lstm.py`.
"""

from __future__ import annotations

from typing import Any

import minigrad as mg
from minigrad.engine.errors import one_of
from minigrad.engine.scope import gate
from minigrad.engine.tensor import Tensor

from .cell import Cell, same_every_step
from .recurrent import Recurrent

ACTIVATIONS = {"tanh": mg.tanh, "relu": mg.relu}


class RNNCell(Cell):
    """One step of a simple recurrent network.

    h' = tanh(x W_x + h W_h + b)            or relu, by `activation`

    Shapes:  x (B, D), h (B, H) -> h' (B, H);  W_x (D, H), W_h (H, H), b (H,)
    Units:   h' in (-1, 1) with tanh, 0 or more with relu
    Errors:  see `Cell`; ArgumentError for another activation
    Source:  Elman 1990, "Finding Structure in Time"; with relu and init="identity":
             Le, Jaitly & Hinton 2015 (the IRNN, whose b starts at zero)
    """

    kind = "rnn"
    gates = ("h",)

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        activation: str = "tanh",
        **options: Any,
    ) -> None:
        one_of("activation", activation, tuple(ACTIVATIONS))
        super().__init__(input_size, hidden_size, **options)
        self.activation = activation

    @same_every_step
    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """h' from x (B, D) and h (B, H)."""
        activation = ACTIVATIONS[self.activation]
        z = mg.affine(x, self.W_x, h, self.W_h, self.b)  # x W_x + h W_h + b
        with gate("h"):
            h = activation(z)
        return h


class RNN(Recurrent):
    """A simple recurrent network over whole sequences: `output, h = rnn(x)`.

    activation     "tanh" or "relu"
    num_layers     layer k+1 reads the outputs of layer k
    bidirectional  a second cell per layer reads each sequence from its end
    reverse        the one cell per layer reads each sequence from its end
    batch_first    x and output are (B, T, ...) instead
    dropout        between layers, while training: see `Recurrent`
    dtype, init, rng: see `Cell`. `rnn.cells`: layers * directions, in PyTorch's order.

    Shapes:  x (T, B, D), h0 (layers*directions, B, H) or None for zeros
             -> output (T, B, directions*H), h (layers*directions, B, H)
    Errors:  ShapeError, DTypeError, ArgumentError for what does not fit (`Recurrent`)
    Source:  see `RNNCell` for the equation
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        activation: str = "tanh",
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
            RNNCell,
            input_size,
            hidden_size,
            num_layers,
            {"activation": activation, "dtype": dtype, "init": init},
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
