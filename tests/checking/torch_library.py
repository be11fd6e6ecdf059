"""The functions that random expressions use, under NumPy's names, of PyTorch."""

from types import SimpleNamespace

import numpy as np


def torch_library(torch):
    """For `minigrad.checking.expressions.run`, values and gradients in float64."""

    def first(function):
        """max and min along an axis give the values and where they are."""
        return lambda x, axis: function(x, axis)

    def part(x, key):
        """PyTorch has no slices with negative steps: the same rows by their numbers."""
        axis = 0
        for entry in key:
            if isinstance(entry, slice):
                rows = np.arange(x.shape[axis])[entry]
                x = x.index_select(axis, torch.tensor(rows.copy()))
                axis += 1
            else:
                x = x.select(axis, entry)
        return x

    same = "exp expm1 log log1p sqrt tanh sigmoid relu sin cos maximum minimum matmul"
    return SimpleNamespace(
        **{name: getattr(torch, name) for name in same.split()},
        absolute=torch.abs,
        softplus=lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        clip=torch.clamp,
        where=lambda mask, x, y: torch.where(torch.tensor(mask), x, y),
        einsum=torch.einsum,
        cumsum=lambda x, axis: torch.cumsum(x, axis),
        softmax=torch.softmax,
        log_softmax=torch.log_softmax,
        logsumexp=torch.logsumexp,
        norm=lambda x, axis: torch.linalg.vector_norm(x, dim=axis),
        var=lambda x, axis: torch.var(x, axis, correction=0),
        concatenate=torch.cat,
        stack=torch.stack,
        split=lambda x, at, axis: torch.tensor_split(x, at, axis),
        broadcast_to=torch.broadcast_to,
        take=lambda x, rows: x[torch.tensor(rows)],
        constant=torch.tensor,
        sum=lambda x, axis=None, keepdims=False: (
            x.sum() if axis is None and not keepdims else
            x.sum(_all(x, axis), keepdim=keepdims)
        ),
        mean=lambda x, axis, keepdims: x.mean(_all(x, axis), keepdim=keepdims),
        prod=lambda x, axis: torch.prod(x, axis),
        max=first(torch.amax),
        min=first(torch.amin),
        reshape=torch.reshape,
        transpose=torch.permute,
        item=part,
    )  # fmt: skip


def _all(x, axis):
    return tuple(range(x.ndim)) if axis is None else axis
