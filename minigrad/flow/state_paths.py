"""Splits the way from an early state to the last into one state's path and all others.

An LSTM's cell state reaches the next one directly, times the forget gate, and through
the hidden state and every gate. The first way, gates held constant, is a product of
forget gates over time: it is what the LSTM was made for (Hochreiter & Schmidhuber 1997;
with forget gates Gers et al. 2000). The GRU has the same with its update gate.

Read next: `observation.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from minigrad.flow import scaled_product


class Paths(NamedTuple):
    """The two ways from state k to state T of the part that `state` names.

    Entry k of each array belongs to the way from step k on; T+1 entries.

    state   "c" for an LSTM, "h" for a GRU
    alone   (T+1, H): along this state alone, all gates held constant. LSTM: the product
            of f_t, t > k, for every variant (of 1 without forget gate); GRU: of z_t, or
            of 1 - z_t where z takes the new. (T+1, H, H) for a cell that mixes units
            on this path
    rest    (T+1, H, H): everything else, through the gates and the hidden state
            once or more often: ds_T/ds_k of this part without the path alone
    alone_norms, rest_norms   (T+1,) their spectral norms
    log10_alone, log10_rest   (T+1,) the logarithms of these, right beyond float64 too
    share   (T+1,) alone_norms / (alone_norms + rest_norms); NaN where both are 0
    """

    state: str
    alone: np.ndarray
    rest: np.ndarray
    alone_norms: np.ndarray
    rest_norms: np.ndarray
    log10_alone: np.ndarray
    log10_rest: np.ndarray
    share: np.ndarray


def split(
    name: str, part: slice, factors: Sequence[np.ndarray], alone: Sequence[np.ndarray]
) -> Paths:
    """The two ways, for every k.

    part     where the state `name` is among the S entries
    factors  (S, S) each: ds_k/ds_{k-1}, k = 1..T
    alone    (H, H) each: the same of this state alone, everything else held constant
    """
    units, size = part.stop - part.start, factors[0].shape[0]
    direct: scaled_product.Scaled = np.eye(units), 0
    rest: scaled_product.Scaled = np.zeros((units, size)), 0
    ways = [(direct, rest)]
    for factor, held in zip(factors[::-1], alone[::-1], strict=True):
        # R' = R F + A (F - [0 D]): no difference of nearly equal products
        turned = factor[part].copy()
        turned[:, part] -= held
        with np.errstate(all="ignore"):
            rest = _sum(
                scaled_product.rescaled(rest[0] @ factor, rest[1]),
                scaled_product.rescaled(direct[0] @ turned, direct[1]),
            )
            direct = scaled_product.rescaled(direct[0] @ held, direct[1])
        ways.append((direct, rest))
    return _paths(name, part, ways[::-1])


def _sum(a: scaled_product.Scaled, b: scaled_product.Scaled) -> scaled_product.Scaled:
    """a + b, in the scale of the larger."""
    if not a[0].any():
        return b
    exponent = max(a[1], b[1]) if b[0].any() else a[1]
    total = np.ldexp(a[0], a[1] - exponent) + np.ldexp(b[0], b[1] - exponent)
    return scaled_product.rescaled(total, exponent)


def _paths(name: str, part: slice, ways: list[Any]) -> Paths:
    """Both paths as plain arrays, with their norms."""
    alone = np.array([scaled_product.plain(direct) for direct, _ in ways])
    units = alone.shape[1]
    if not alone[:, ~np.eye(units, dtype=bool)].any():
        alone = alone[:, range(units), range(units)]
    rest = [(matrix[:, part], exponent) for _, (matrix, exponent) in ways]
    alone_norms = [_norm(direct) for direct, _ in ways]
    rest_norms = [_norm(scaled_rest) for scaled_rest in rest]
    logs = [
        [scaled_product.log10(*norm) for norm in way]
        for way in (alone_norms, rest_norms)
    ]
    with np.errstate(all="ignore"):
        share = 1 / (1 + 10.0 ** np.subtract(logs[1], logs[0]))
    return Paths(
        state=name,
        alone=alone,
        rest=np.array([scaled_product.plain(matrix) for matrix in rest]),
        alone_norms=np.array([scaled_product.plain(norm) for norm in alone_norms]),
        rest_norms=np.array([scaled_product.plain(norm) for norm in rest_norms]),
        log10_alone=np.array(logs[0]),
        log10_rest=np.array(logs[1]),
        share=share,
    )


def _norm(matrix: scaled_product.Scaled) -> scaled_product.Scaled:
    """The spectral norm; of a diagonal matrix to the last bit."""
    values = np.abs(np.diag(matrix[0]))
    if np.count_nonzero(matrix[0]) > np.count_nonzero(values):
        values = scaled_product.singular_values(matrix[0])
    return values.max(), matrix[1]
