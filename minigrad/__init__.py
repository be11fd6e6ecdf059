"""minigrad: a microscope for recurrent networks.

A tiny reverse-mode autograd engine over NumPy arrays, recurrent networks from its
operations, and readers of the graph that they leave behind. These are the public names;
most are imported when they are first used.

Read next: `minigrad/engine/`.
"""

import sys
from typing import TYPE_CHECKING, Any

from minigrad import ctrl_c, nn  # noqa: F401  ctrl_c first: the rest takes a while
from minigrad.engine import errors, random
from minigrad.engine.autodiff import grad, jacobian
from minigrad.engine.creation import (
    arange,
    eye,
    full,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from minigrad.engine.functions import log_softmax, logsumexp, softmax
from minigrad.engine.primitives.affine import affine
from minigrad.engine.primitives.along_axis import argmax, argmin, cumsum
from minigrad.engine.primitives.along_axis import std_over as std
from minigrad.engine.primitives.along_axis import var_over as var
from minigrad.engine.primitives.bounds import clip
from minigrad.engine.primitives.einsum import einsum
from minigrad.engine.primitives.elementwise import (
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
from minigrad.engine.primitives.folded import blend, multiply_add
from minigrad.engine.primitives.index import take
from minigrad.engine.primitives.joins import concatenate, split, stack, unstack
from minigrad.engine.primitives.linalg import matmul
from minigrad.engine.primitives.reduce import norm_over as norm
from minigrad.engine.primitives.shape import broadcast_to
from minigrad.engine.random import manual_seed
from minigrad.engine.scope import detect_anomaly, enable_grad, no_grad, scope, time_step
from minigrad.engine.tensor import Tensor, tensor
from minigrad.nn import losses, optim
from minigrad.nn.clip import clip_grad_norm_, clip_grad_value_
from minigrad.reading.replay import replay

if TYPE_CHECKING:
    from minigrad import data, training
    from minigrad.compiler import compile
    from minigrad.drawing import Drawing, draw
    from minigrad.explaining import Explanation, explain
    from minigrad.exploring import Exploration, explore
    from minigrad.flow import (
        Diagnosis,
        JacobianProducts,
        Ledger,
        Monitor,
        diagnose,
        jacobian_products,
        ledger,
    )
    from minigrad.reading.gradcheck import gradcheck
    from minigrad.stepping import Steps, steps
    from minigrad.training.checkpoint import load, save

abs = absolute

# The public modules under their public names, for `from minigrad.optim import Adam`.
for _module in (errors, losses, optim, random):
    sys.modules[f"minigrad.{_module.__name__.rpartition('.')[2]}"] = _module

# Imported when first asked for, so that `import minigrad` costs little beyond NumPy.
_LATER = {
    "Diagnosis": ("minigrad.flow", "Diagnosis"),
    "Drawing": ("minigrad.drawing", "Drawing"),
    "Explanation": ("minigrad.explaining", "Explanation"),
    "Exploration": ("minigrad.exploring", "Exploration"),
    "JacobianProducts": ("minigrad.flow", "JacobianProducts"),
    "Ledger": ("minigrad.flow", "Ledger"),
    "Monitor": ("minigrad.flow", "Monitor"),
    "Steps": ("minigrad.stepping", "Steps"),
    "compile": ("minigrad.compiler", "compile"),
    "data": ("minigrad.data", None),
    "diagnose": ("minigrad.flow", "diagnose"),
    "draw": ("minigrad.drawing", "draw"),
    "explain": ("minigrad.explaining", "explain"),
    "explore": ("minigrad.exploring", "explore"),
    "gradcheck": ("minigrad.reading.gradcheck", "gradcheck"),
    "interop": ("minigrad.interop", None),
    "jacobian_products": ("minigrad.flow", "jacobian_products"),
    "ledger": ("minigrad.flow", "ledger"),
    "load": ("minigrad.training.checkpoint", "load"),
    "save": ("minigrad.training.checkpoint", "save"),
    "steps": ("minigrad.stepping", "steps"),
    "training": ("minigrad.training", None),
}


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        if name[:1] == "_":
            raise AttributeError(f"module 'minigrad' has no attribute {name!r}")
        from minigrad.engine.foreign_names import MODULE, unknown

        raise unknown("minigrad", "mg", name, MODULE, __all__)
    import importlib

    module, attribute = _LATER[name]
    found = importlib.import_module(module)
    value = globals()[name] = getattr(found, attribute) if attribute else found
    return value


__all__ = [
    "Diagnosis",
    "Drawing",
    "Explanation",
    "Exploration",
    "JacobianProducts",
    "Ledger",
    "Monitor",
    "Steps",
    "Tensor",
    "abs",
    "absolute",
    "affine",
    "arange",
    "argmax",
    "argmin",
    "blend",
    "broadcast_to",
    "clip",
    "clip_grad_norm_",
    "clip_grad_value_",
    "compile",
    "concatenate",
    "cos",
    "cumsum",
    "data",
    "detect_anomaly",
    "diagnose",
    "draw",
    "einsum",
    "enable_grad",
    "errors",
    "exp",
    "explain",
    "explore",
    "expm1",
    "eye",
    "full",
    "grad",
    "gradcheck",
    "interop",
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
    "multiply_add",
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
    "std",
    "steps",
    "take",
    "tanh",
    "tensor",
    "time_step",
    "training",
    "unstack",
    "var",
    "where",
    "zeros",
    "zeros_like",
]
