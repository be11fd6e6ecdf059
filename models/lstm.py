"""The LSTM: a cell state that is added to rather than multiplied, and gates around it.

Read next: `lstm1997.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.errors import ArgumentError, flag, one_of
from minigrad.engine.scope import gate
from minigrad.engine.tensor import Tensor

from .cell import Cell, same_every_step
from .input_checks import number
from .recurrent import Recurrent

State = tuple[Tensor, Tensor]


class LSTMCell(Cell):
    """One step of an LSTM with forget gate.

    i, f, o = sigmoid(x W_x + h W_h + b) per gate,   g = tanh(x W_x + h W_h + b)
    c' = f * c + i * g,   h' = o * tanh(c')

    forget_gate  False: c' = c + i * g, nothing else changed
    forget_bias  what the forget gate's bias starts at (Jozefowicz et al. 2015: 1)
    peephole     "current": i and f see p * c, o sees p_o * c' (Gers et al. 2002);
                 "previous": all three see c
    couple       "forget": f = 1 - i (Greff et al. 2015);  "input": i = 1 - f. The gate
                 that is derived has no weights and is not in `gates`

    Shapes:  x (B, D); h, c (B, H) -> h', c' (B, H);  W_x (D, G*H), W_h (H, G*H),
             b (G*H,), G gates in the order of `gates`; peepholes p_i, p_f, p_o (H,)
    Units:   gates in (0, 1), g and h' in (-1, 1); c is not bounded
    Errors:  see `Cell`; ArgumentError for other names, or coupling no forget gate
    Source:  Gers, Schmidhuber & Cummins 2000, "Learning to Forget". The LSTM of
             Hochreiter & Schmidhuber 1997 is `LSTM1997Cell`
    Note:    along c alone dc'/dc = f: its product over time is the product of the f
    """

    kind = "lstm"
    gates: tuple[str, ...] = ("i", "f", "g", "o")
    states = ("h", "c")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        forget_gate: bool = True,
        forget_bias: float = 1.0,
        peephole: str | None = None,
        couple: str | None = None,
        **options: Any,
    ) -> None:
        one_of("peephole", peephole, (None, "current", "previous"))
        one_of("couple", couple, (None, "forget", "input"))
        forget_gate = flag("forget_gate", forget_gate)
        if couple and not forget_gate:
            raise ArgumentError(
                f"couple={couple!r} needs a forget gate to couple",
                expect="forget_gate=True, or couple=None",
                actual=f"forget_gate={forget_gate!r}, couple={couple!r}",
                hint="leave out one of the two",
            )
        absent = {None: None, "forget": "f", "input": "i"}[couple]
        absent = absent if forget_gate else "f"
        gates = tuple([letter for letter in LSTMCell.gates if letter != absent])
        super().__init__(input_size, hidden_size, gates=gates, **options)
        self.forget_gate, self.peephole, self.couple = forget_gate, peephole, couple
        if "f" in self.gates:
            b = np.array(self.b.data)
            b[self.columns("f")] = number("forget_bias", forget_bias)
            self.b.data = b
        if peephole:
            for letter in self.gates:
                if letter != "g":
                    name = f"p_{letter}"
                    setattr(self, name, self.parameter(name, (self.hidden_size,)))

    @same_every_step
    def forward(self, x: Tensor, state: State) -> State:
        """h' and c' from x (B, D) and the state h, c (B, H)."""
        h, c = state
        z = mg.affine(x, self.W_x, h, self.W_h, self.b)  # x W_x + h W_h + b: (B, G*H)
        parts = mg.split(z, len(self.gates), axis=1)
        sums = dict(zip(self.gates, parts, strict=True))
        i, f = self.input_and_forget(sums, c)
        with gate("g"):
            g = mg.tanh(sums["g"])
        with gate("c"):
            new_c = i * g + c if f is None else mg.multiply_add(i, g, f, c)  # i g + f c
        with gate("o"):
            seen = new_c if self.peephole == "current" else c
            o = mg.sigmoid(self.peep("o", sums, seen))
        with gate("h"):
            h = o * mg.tanh(new_c)
        return h, new_c

    def input_and_forget(
        self, z: dict[str, Tensor], c: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """How much is let in, and how much is kept (None: all of it), each (B, H)."""
        if self.couple == "input":
            with gate("f"):
                f = mg.sigmoid(self.peep("f", z, c))
            with gate("i"):
                return 1.0 - f, f
        with gate("i"):
            i = mg.sigmoid(self.peep("i", z, c))
        if not self.forget_gate:
            return i, None
        with gate("f"):
            return i, 1.0 - i if self.couple else mg.sigmoid(self.peep("f", z, c))

    def peep(self, letter: str, z: dict[str, Tensor], c: Tensor) -> Tensor:
        """What a gate's sigmoid takes: with peepholes it sees the cell state too."""
        if self.peephole is None:
            return z[letter]
        return z[letter] + getattr(self, f"p_{letter}") * c


class LSTM(Recurrent):
    """An LSTM over whole sequences: `output, (h, c) = lstm(x)`.

    num_layers     layer k+1 reads the outputs of layer k
    bidirectional  a second cell per layer reads each sequence from its end
    reverse        the one cell per layer reads each sequence from its end
    batch_first    x and output are (B, T, ...) instead
    dropout        between layers, while training: see `Recurrent`
    forget_gate, forget_bias, peephole, couple: the variants of `LSTMCell`
    dtype, init, rng: see `Cell`. `lstm.cells`: layers * directions, in PyTorch's order.

    Shapes:  x (T, B, D), h0 and c0 (layers*directions, B, H), or None for zeros
             -> output (T, B, directions*H), h and c (layers*directions, B, H)
    Errors:  ShapeError, DTypeError, ArgumentError for what does not fit (`Recurrent`)
    Source:  see `LSTMCell` for the equations
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        *,
        bidirectional: bool = False,
        reverse: bool = False,
        batch_first: bool = False,
        dropout: float = 0.0,
        forget_gate: bool = True,
        forget_bias: float = 1.0,
        peephole: str | None = None,
        couple: str | None = None,
        dtype: Any = "float64",
        init: str = "uniform",
        rng: Any = None,
        **others: Any,
    ) -> None:
        options = {
            "forget_gate": forget_gate,
            "forget_bias": forget_bias,
            "peephole": peephole,
            "couple": couple,
            "dtype": dtype,
            "init": init,
        }
        super().__init__(
            LSTMCell,
            input_size,
            hidden_size,
            num_layers,
            options,
            bidirectional=bidirectional,
            reverse=reverse,
            batch_first=batch_first,
            dropout=dropout,
            rng=rng,
            others=others,
        )

    def forward(
        self, x: Any, state: Any = None, lengths: Any = None, mask: Any = None
    ) -> tuple[Tensor, State]:
        """The output at every step, and the last state (h, c); see the class."""
        return self.run(x, state, lengths, mask)
