"""The formulas of the optimisers: how some entries of a parameter change in one step.

Each `update` reads like the equations of its paper; entries come as flat blocks.

Read next: `minigrad/reading/` (questions asked of a recorded graph).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy import ndarray

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, flag
from minigrad.engine.tensor import Tensor
from minigrad.nn.optim.optimizer import Optimizer, setting


class SGD(Optimizer):
    """p <- p - lr v, with v <- momentum v + (1 - dampening) g; the first v is g.

    nesterov      step along g + momentum v instead: the gradient one step ahead
    weight_decay  adds weight_decay * p to g (L2)
    Sources: Polyak 1964 (momentum); Sutskever et al. 2013, "On the importance of
    initialization and momentum in deep learning" (Nesterov), in PyTorch's form.
    """

    momentum: float
    dampening: float
    weight_decay: float
    nesterov: bool

    @checked_call
    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr,
            momentum=momentum,
            dampening=dampening,
            weight_decay=weight_decay,
            nesterov=flag("nesterov", nesterov),
        )
        if nesterov and (momentum == 0 or dampening != 0):
            raise ArgumentError(
                "SGD(nesterov=True): it needs momentum, and no dampening",
                expect="momentum > 0 and dampening == 0",
                actual=f"momentum={momentum:g}, dampening={dampening:g}",
                hint="pass momentum=0.9",
            )
        self.slots = ("velocity",) * (momentum > 0)

    def update(self, p: ndarray, g: ndarray, kept: list[ndarray], step: int) -> ndarray:
        """One step for some entries of one parameter."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        if kept:
            [v] = kept
            if step == 1:
                v[:] = g
            else:
                v *= self.momentum
                v += (1 - self.dampening) * g
            g = g + self.momentum * v if self.nesterov else v
        return p - self.lr * g


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient.

    v <- alpha v + (1 - alpha) g^2,   p <- p - lr g / (sqrt(v) + eps)

    centered      divide by the deviation from the running mean instead
    momentum      step along b <- momentum b + g / (sqrt(v) + eps)
    weight_decay  adds weight_decay * p to g (L2)
    Source: Tieleman & Hinton 2012, lecture 6.5; centered: Graves 2013, "Generating
    sequences with recurrent neural networks", with PyTorch's eps.
    """

    alpha: float
    eps: float
    weight_decay: float
    momentum: float
    centered: bool

    @checked_call
    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            lr,
            alpha=alpha,
            eps=eps,
            weight_decay=weight_decay,
            momentum=momentum,
            centered=flag("centered", centered),
        )
        setting(type(self).__name__, "alpha", alpha, below=1.0)
        self.slots = ("square",) + ("mean",) * self.centered
        self.slots += ("velocity",) * (momentum > 0)

    def update(self, p: ndarray, g: ndarray, kept: list[ndarray], step: int) -> ndarray:
        """One step for some entries of one parameter."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        square, *others = kept
        square += (1 - self.alpha) * (g * g - square)
        variance = square
        if self.centered:
            mean = others.pop(0)
            mean += (1 - self.alpha) * (g - mean)
            variance = np.maximum(square - mean * mean, 0.0)  # rounding may go below
        move = g / (np.sqrt(variance) + self.eps)
        if self.momentum:
            [velocity] = others
            velocity *= self.momentum
            velocity += move
            move = velocity
        return p - self.lr * move


class Adam(Optimizer):
    """Steps along a running mean of the gradient, divided by its running size.

    m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2,  both divided by what they lack
    for their start at zero, 1 - b^t;   p <- p - lr m / (sqrt(v) + eps)

    weight_decay  adds weight_decay * p to g (L2)
    amsgrad       divide by the largest v so far (Reddi et al. 2018)
    Source: Kingma & Ba 2015, "Adam: a method for stochastic optimization", algorithm 1.
    """

    betas: tuple[float, float]
    eps: float
    weight_decay: float
    amsgrad: bool

    @checked_call
    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
    ) -> None:
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ArgumentError(
                f"{type(self).__name__}(betas={betas!r}): two numbers are wanted",
                expect="(share kept of the mean, share kept of the mean square)",
                actual=repr(betas),
                hint="betas=(0.9, 0.999)",
            )
        b1, b2 = betas
        super().__init__(
            parameters,
            lr,
            betas=(
                setting(type(self).__name__, "betas[0]", b1, 1.0),
                setting(type(self).__name__, "betas[1]", b2, 1.0),
            ),
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=flag("amsgrad", amsgrad),
        )
        self.slots = ("mean", "square") + ("largest",) * self.amsgrad

    def update(self, p: ndarray, g: ndarray, kept: list[ndarray], step: int) -> ndarray:
        """One step for some entries of one parameter."""
        if self.weight_decay:
            p, g = self.decay(p, g)
        (b1, b2), (m, v, *largest) = self.betas, kept
        m += (1 - b1) * (g - m)
        v += (1 - b2) * (g * g - v)
        if largest:
            v = np.maximum(largest[0], v, out=largest[0])
        size = np.sqrt(v)
        size /= math.sqrt(1 - b2**step)
        size += self.eps
        return p - (self.lr / (1 - b1**step)) * (m / size)

    def decay(self, p: ndarray, g: ndarray) -> tuple[ndarray, ndarray]:
        """Weight decay as a part of the gradient."""
        return p, g + self.weight_decay * p


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: p shrinks by lr * weight_decay.

    Source: Loshchilov & Hutter 2019, "Decoupled weight decay regularization", alg. 2.
    """

    @checked_call
    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay, amsgrad)

    def decay(self, p: ndarray, g: ndarray) -> tuple[ndarray, ndarray]:
        """Weight decay as a shrinking of the parameter."""
        return p * (1 - self.lr * self.weight_decay), g
