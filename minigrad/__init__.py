"""minigrad: a microscope for recurrent networks.

A tiny reverse-mode autograd engine over NumPy arrays. Start with `tensor.py` (what a user
holds), `graph.py` (what an operation leaves behind) and `autodiff.py` (how gradients are
made of it).
"""

from minigrad import errors
from minigrad.autodiff import grad, jacobian
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
from minigrad.primitives.shape import (
    broadcast_to,
    concatenate,
    split,
    stack,
    unstack,
)
from minigrad.scope import detect_anomaly, enable_grad, no_grad, scope, time_step
from minigrad.tensor import Tensor, clip, tensor

abs = absolute
