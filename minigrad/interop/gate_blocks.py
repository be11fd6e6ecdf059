"""Gates in another order: blocks of a stacked weight moved about, nothing computed.

Each library stacks the weights of all gates in one array, each in its own order:

    PyTorch   LSTM  i f g o      GRU  r z n      rows:    (G*H, D)
    Keras     LSTM  i f g o      GRU  z r n      columns: (D, G*H)
    ONNX      LSTM  i o f g      GRU  z r n      rows:    (G*H, D)
    here      LSTM  i f g o      GRU  r z n      columns: (D, G*H)

Read next: `refusals.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

ORDERS = {
    "PyTorch": {"rnn": "h", "lstm": "ifgo", "gru": "rzn"},
    "Keras": {"rnn": "h", "lstm": "ifgo", "gru": "zrn"},
    "ONNX": {"rnn": "h", "lstm": "iofg", "gru": "zrn"},
}


def reordered(
    array: np.ndarray, have: Sequence[str], want: Sequence[str]
) -> np.ndarray:
    """The blocks of the last axis in another order; a copy.

    have  the letters of the blocks as they are
    want  as they shall be: each letter is one of `have`
    """
    blocks = np.split(array, len(have), axis=-1)
    chosen = [blocks[list(have).index(letter)] for letter in want]
    return np.ascontiguousarray(np.concatenate(chosen, axis=-1))


def negated(array: np.ndarray, gates: Sequence[str], letter: str) -> np.ndarray:
    """The same, with one gate's block times -1: sigmoid(-a) is 1 - sigmoid(a)."""
    array = array.copy()
    width = array.shape[-1] // len(gates)
    at = list(gates).index(letter) * width
    array[..., at : at + width] *= -1
    return array
