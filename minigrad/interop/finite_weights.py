"""Weights that came with NaN or infinity among them: one warning, where they come in.

Read next: `recurrent_groups.py`.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np

from minigrad.engine.errors import warn
from minigrad.nn import Module

M = TypeVar("M")


def finite(call: str, model: M) -> M:
    """The model as it is; MinigradWarning if some of its weights are not finite."""
    if isinstance(model, Module):
        found = {
            name: count
            for name, p in model.named_parameters()
            if (count := int(np.count_nonzero(~np.isfinite(p.data))))
        }
        if found:
            name, total = next(iter(found)), sum(found.values())
            warn(
                f"{call}: {total} weights are NaN or infinite",
                expect="finite weights",
                actual=f"{found[name]} of {name!r}" + ", and others" * (len(found) > 1),
                hint="the training that made them diverged: take an earlier checkpoint",
            )
    return model
