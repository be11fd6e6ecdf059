"""Weights by name as plain arrays: copies of float32 or float64, checked.

Read next: `finite_weights.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from minigrad.engine.errors import DTypeError
from minigrad.engine.tensor import Tensor
from minigrad.interop.refusals import does_not_fit, few


def plain(value: Any, name: str) -> np.ndarray:
    """An array, a tensor of ours or of PyTorch's, as an array of its own.

    DTypeError if it is none, or of anything but float32 and float64.
    """
    if isinstance(value, Tensor):
        value = value.data
    elif hasattr(value, "detach") and hasattr(value, "cpu"):
        value = value.detach().cpu()
        # NumPy has no bfloat16: the name of the dtype has to do.
        kind = str(value.dtype).removeprefix("torch.")
        if kind not in ("float32", "float64"):
            raise _not_floating(name, kind)
        value = value.numpy()
    try:
        array = np.array(value, order="C")
    except (TypeError, ValueError):
        raise _not_floating(name, type(value).__name__) from None
    if array.dtype not in (np.float32, np.float64):
        raise _not_floating(name, str(array.dtype))
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def _not_floating(name: str, kind: str) -> DTypeError:
    half = kind in ("float16", "bfloat16")
    return DTypeError(
        f"weight {name!r} is {kind}",
        expect="float32 or float64: what cells compute in",
        actual=f"{name!r}: {kind}; nothing was loaded",
        hint="half floats: convert them first, in PyTorch with module.float()"
        if half
        else "quantised or whole numbers? Load the network before it was converted",
    )


def below(state: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """The entries whose names begin with the prefix, without it.

    "encoder" is taken as "encoder.". CheckpointError if there are none.
    """
    wanted = prefix if not prefix or prefix.endswith(".") else f"{prefix}."
    # "encoder_" is a prefix as well, if names begin with it.
    if wanted != prefix and not any(str(name).startswith(wanted) for name in state):
        wanted = prefix
    found = {
        str(name)[len(wanted) :]: value
        for name, value in state.items()
        if str(name).startswith(wanted) and len(str(name)) > len(wanted)
    }
    if not found:
        starts = dict.fromkeys(
            str(name).rpartition(".")[0] for name in state if "." in str(name)
        )
        raise does_not_fit(
            f"prefix={prefix!r}: no weight has a name that begins so",
            expect=f"one of the beginnings {few(f'{start}.' for start in starts)}"
            if starts
            else "weights by name",
            actual=few(map(str, state)),
            hint="prefix is the way to the module: 'encoder.lstm.'",
        )
    return found
