"""The figures that the papers published for these tasks, and where they stand.

Read next: `lab_run.py`.
"""

from __future__ import annotations

from typing import NamedTuple


class Published(NamedTuple):
    """A published result: of which net, for which lag, what it says, and where."""

    net: str
    lag: str
    result: str
    source: str


_HS = "Hochreiter & Schmidhuber 1997"
_GERS = "Gers, Schmidhuber & Cummins 2000"
_PASCANU = "Pascanu, Mikolov & Bengio 2013"

PUBLISHED: dict[str, tuple[Published, ...]] = {
    "adding": (
        Published(
            "LSTM 1997, 93 weights", "100", "74,000 sequences; 1 of 2,560 wrong", _HS
        ),
        Published(
            "the same",
            "500",
            "209,000 sequences; 0 of 2,560 wrong",
            _HS,
        ),
        Published(
            "the same",
            "1000",
            "853,000 sequences; 1 of 2,560 wrong",
            _HS,
        ),
    ),
    "multiplication": (
        Published(
            "LSTM 1997, 93 weights",
            "100",
            "482,000 sequences; 139 of 2,560 wrong; squared error 0.0223",
            _HS,
        ),
    ),
    "temporal-order-6a": (
        Published(
            "LSTM 1997, 156 weights", "100", "31,390 sequences; 1 of 2,560 wrong", _HS
        ),
        Published(
            "RNN, 50 units, clipped, with a regulariser",
            "50 to 200",
            "solved with 5 of 5 seeds",
            _PASCANU,
        ),
    ),
    "temporal-order-6b": (
        Published(
            "LSTM 1997, 308 weights", "100", "571,100 sequences; 2 of 2,560 wrong", _HS
        ),
    ),
    "two-sequence": (
        Published(
            "LSTM 1997, 102 weights", "100", "27,380 sequences (first criterion)", _HS
        ),
    ),
    "embedded-reber": (
        Published(
            "LSTM 1997, 4 blocks of 1, 264 weights",
            "-",
            "solved in 100 % of runs after 39,740 strings; 97 % after 9,500",
            _HS,
        ),
        Published(
            "LSTM 1997, 3 blocks of 2, 276 weights",
            "-",
            "solved in 100 % of runs after 8,440 to 21,730 strings",
            _HS,
        ),
    ),
    "continual-reber": (
        Published(
            "LSTM without forget gates",
            "-",
            "0 % of runs perfect",
            _GERS,
        ),
        Published(
            "LSTM with forget gates, 424 weights",
            "-",
            "18 % perfect",
            _GERS,
        ),
        Published(
            "the same, decaying learning rate",
            "-",
            "62 % perfect",
            _GERS,
        ),
        Published(
            "without forget gates, resets from outside", "-", "74 % perfect", _GERS
        ),
    ),
    "copy-memory": (
        Published(
            "no memory at all",
            "any",
            "10 ln 8 / (T + 20) nats per step: 0.1733 for T = 100",
            "Arjovsky, Shah & Bengio 2016",
        ),
    ),
    "parity": (),
}
