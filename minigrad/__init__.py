"""minigrad: a microscope for recurrent networks.

A tiny reverse-mode autograd engine over NumPy arrays. Start with `tensor.py` (what a
user holds), `graph.py` (what an operation leaves behind) and `autodiff.py` (how
gradients are made of it).
"""

from typing import TYPE_CHECKING, Any

from minigrad import errors, losses, nn, optim, random
from minigrad.autodiff import grad, jacobian
from minigrad.checkpoint import load, save
from minigrad.clip import clip_grad_norm_, clip_grad_value_
from minigrad.creation import arange, eye, full, ones, ones_like, zeros, zeros_like
from minigrad.functions import log_softmax, logsumexp, softmax
from minigrad.primitives.elementwise import (
    absolute,
    cos,
    exp,
    expm1,
    log,
    log1p,
    maximum,
    minimum,
    power,
    relu,
    sigmoid,
    sin,
    softplus,
    sqrt,
    tanh,
    where,
)
from minigrad.primitives.index import take
from minigrad.primitives.linalg import matmul
from minigrad.primitives.reduce import norm_over as norm
from minigrad.primitives.shape import broadcast_to, concatenate, split, stack, unstack
from minigrad.random import manual_seed
from minigrad.replay import replay
from minigrad.scope import detect_anomaly, enable_grad, no_grad, scope, time_step
from minigrad.tensor import Tensor, clip, tensor

if TYPE_CHECKING:
    from minigrad import data, training
    from minigrad.drawing import Drawing, draw
    from minigrad.explaining import Explanation, explain
    from minigrad.flow import (
        Diagnosis,
        JacobianProducts,
        Ledger,
        Monitor,
        diagnose,
        jacobian_products,
        ledger,
    )
    from minigrad.stepping import Steps, steps
    from minigrad.testing import gradcheck

abs = absolute

# Imported when first asked for, so that `import minigrad` costs little beyond NumPy.
_LATER = {
    "Diagnosis": ("minigrad.flow", "Diagnosis"),
    "Drawing": ("minigrad.drawing", "Drawing"),
    "Explanation": ("minigrad.explaining", "Explanation"),
    "JacobianProducts": ("minigrad.flow", "JacobianProducts"),
    "Ledger": ("minigrad.flow", "Ledger"),
    "Monitor": ("minigrad.flow", "Monitor"),
    "Steps": ("minigrad.stepping", "Steps"),
    "data": ("minigrad.data", None),
    "diagnose": ("minigrad.flow", "diagnose"),
    "draw": ("minigrad.drawing", "draw"),
    "explain": ("minigrad.explaining", "explain"),
    "gradcheck": ("minigrad.testing", "gradcheck"),
    "jacobian_products": ("minigrad.flow", "jacobian_products"),
    "ledger": ("minigrad.flow", "ledger"),
    "steps": ("minigrad.stepping", "steps"),
    "training": ("minigrad.training", None),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
    import importlib

    module, attribute = _LATER[name]
    found = importlib.import_module(module)
    value = globals()[name] = getattr(found, attribute) if attribute else found
    return value


__all__ = [
    "Diagnosis",
    "Drawing",
    "Explanation",
    "JacobianProducts",
    "Ledger",
    "Monitor",
    "Steps",
    "Tensor",
    "abs",
    "absolute",
    "arange",
    "broadcast_to",
    "clip",
    "clip_grad_norm_",
    "clip_grad_value_",
    "concatenate",
    "cos",
    "data",
    "detect_anomaly",
    "diagnose",
    "draw",
    "enable_grad",
    "errors",
    "exp",
    "explain",
    "expm1",
    "eye",
    "full",
    "grad",
    "gradcheck",
    "jacobian",
    "jacobian_products",
    "ledger",
    "load",
    "log",
    "log1p",
    "log_softmax",
    "logsumexp",
    "losses",
    "manual_seed",
    "matmul",
    "maximum",
    "minimum",
    "nn",
    "no_grad",
    "norm",
    "ones",
    "ones_like",
    "optim",
    "power",
    "random",
    "relu",
    "replay",
    "save",
    "scope",
    "sigmoid",
    "sin",
    "softmax",
    "softplus",
    "split",
    "sqrt",
    "stack",
    "steps",
    "take",
    "tanh",
    "tensor",
    "time_step",
    "training",
    "unstack",
    "where",
    "zeros",
    "zeros_like",
]
