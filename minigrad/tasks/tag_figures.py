"""Measures the tags that a model gives to texts: F1, precision and recall.

Read next: `name_tagging.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.scope import no_grad
from minigrad.tasks.described_programs import Described
from minigrad.tasks.sequences import portions
from minigrad.tasks.statistics import f1


def chances(model: Any, part: Described) -> np.ndarray:
    """The probability of each tag for each text, (n, K)."""
    found: list[Any] = [None] * len(part.tokens)
    with no_grad():
        for rows, tokens, mask in portions(part.tokens):
            given = mg.sigmoid(model(tokens, mask=mask)).data
            for row, values in zip(rows, given, strict=True):
                found[row] = values
    return np.array(found)


def figures(given: np.ndarray, wanted: np.ndarray) -> dict[str, float]:
    """F1 over all tags (micro), and the mean of the F1 of the tags in use (macro)."""
    each = [
        f1(given[:, k], wanted[:, k])
        for k in range(wanted.shape[1])
        if wanted[:, k].any()
    ]
    return {"micro F1": f1(given, wanted), "macro F1": float(np.mean(each or [0]))}


def of_tag(given: np.ndarray, wanted: np.ndarray) -> tuple[float, float, float]:
    """Precision, recall and F1 of one tag: booleans (n,)."""
    right = (given & wanted).sum()
    return (
        right / max(given.sum(), 1),
        right / max(wanted.sum(), 1),
        f1(given, wanted),
    )


def always(columns: np.ndarray, like: np.ndarray) -> np.ndarray:
    """The same tags for every text."""
    given = np.zeros_like(like)
    given[:, columns] = True
    return given
