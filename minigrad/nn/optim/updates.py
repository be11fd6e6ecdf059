"""The formulas of the optimisers: how some entries of a parameter change in one step.

Each `formula` reads like the equations of its paper, for one entry or for many.

Read next: `update_kernel.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, flag
from minigrad.engine.kernels.intrinsics import maximum, sqrt
from minigrad.engine.tensor import Tensor
from minigrad.nn.optim.optimizer import Optimizer
from minigrad.nn.optim.settings import setting


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
        self.checked("nesterov", nesterov)

    def checked(self, name: str, value: Any) -> Any:
        """A setting's value as it is kept: see `Optimizer.checked`."""
        value = super().checked(name, value)
        given = {"momentum": 0.0, "dampening": 0.0} | vars(self) | {name: value}
        momentum, dampening = given["momentum"], given["dampening"]
        if given.get("nesterov") and (momentum == 0 or dampening != 0):
            raise ArgumentError(
                "SGD(nesterov=True): it needs momentum, and no dampening",
                expect="momentum > 0 and dampening == 0",
                actual=f"momentum={momentum:g}, dampening={dampening:g}",
                hint="pass momentum=0.9",
            )
        return value

    def kept_with(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """v, where there is momentum."""
        return ("velocity",) * (settings["momentum"] > 0)

    def numbers(self, step: int) -> tuple[float, ...]:
        """lr, momentum, the share of the gradient, weight decay."""
        return self.lr, self.momentum, 1 - self.dampening, self.weight_decay

    def formula(self, p: Any, g: Any, kept: Any, numbers: Any, step: int) -> Any:
        """The new p, and v."""
        lr, momentum, share, decay = numbers
        if self.weight_decay:
            g = g + decay * p
        if not kept:
            return (p - lr * g,)
        v = g if step == 1 else momentum * kept[0] + share * g
        return p - lr * (g + momentum * v if self.nesterov else v), v


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

    def checked(self, name: str, value: Any) -> Any:
        """A setting's value as it is kept: see `Optimizer.checked`."""
        if name == "alpha":
            return setting(type(self).__name__, name, value, below=1.0)
        return super().checked(name, value)

    def kept_with(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """v, the mean where it is centred, b where there is momentum."""
        slots = ("square",) + ("mean",) * settings["centered"]
        return slots + ("velocity",) * (settings["momentum"] > 0)

    def numbers(self, step: int) -> tuple[float, ...]:
        """lr, the share of the gradient, eps, momentum, weight decay."""
        return self.lr, 1 - self.alpha, self.eps, self.momentum, self.weight_decay

    def formula(self, p: Any, g: Any, kept: Any, numbers: Any, step: int) -> Any:
        """The new p, and v, then the mean and b where there are any."""
        lr, share, eps, momentum, decay = numbers
        if self.weight_decay:
            g = g + decay * p
        variance = square = kept[0] + share * (g * g - kept[0])
        after = [square]
        if self.centered:
            mean = kept[1] + share * (g - kept[1])
            variance = maximum(square - mean * mean, 0.0)  # rounding may go below
            after.append(mean)
        move = g / (sqrt(variance) + eps)
        if self.momentum:
            move = momentum * kept[-1] + move
            after.append(move)
        return p - lr * move, *after


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
        super().__init__(
            parameters,
            lr,
            betas=betas,
            eps=eps,
            weight_decay=weight_decay,
            amsgrad=flag("amsgrad", amsgrad),
        )

    def checked(self, name: str, value: Any) -> Any:
        """A setting's value as it is kept: see `Optimizer.checked`."""
        if name != "betas":
            return super().checked(name, value)
        owner = type(self).__name__
        if not isinstance(value, tuple | list) or len(value) != 2:
            raise ArgumentError(
                f"{owner}(betas={value!r}): two numbers are wanted",
                expect="(share kept of the mean, share kept of the mean square)",
                actual=repr(value),
                hint="betas=(0.9, 0.999)",
            )
        return tuple([setting(owner, f"betas[{k}]", value[k], 1.0) for k in (0, 1)])

    def kept_with(self, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """m and v, and the largest v."""
        return ("mean", "square") + ("largest",) * settings["amsgrad"]

    def numbers(self, step: int) -> tuple[float, ...]:
        """lr / (1 - b1^t), 1 - b1, 1 - b2, sqrt(1 - b2^t), eps, and a decay."""
        b1, b2 = self.betas
        begun = 1 - b1**step, math.sqrt(1 - b2**step)
        return self.lr / begun[0], 1 - b1, 1 - b2, begun[1], self.eps, self.decay()

    def formula(self, p: Any, g: Any, kept: Any, numbers: Any, step: int) -> Any:
        """The new p, m and v, and the largest v where it is kept."""
        lr, share1, share2, begun, eps, decay = numbers
        if self.weight_decay:
            p, g = self.decayed(p, g, decay)
        m = kept[0] + share1 * (g - kept[0])
        v = kept[1] + share2 * (g * g - kept[1])
        after = [m, v]
        if self.amsgrad:
            after.append(maximum(kept[2], v))
        return p - lr * (m / (sqrt(after[-1]) / begun + eps)), *after

    def decay(self) -> float:
        """What weight decay multiplies p with."""
        return self.weight_decay

    def decayed(self, p: Any, g: Any, decay: Any) -> tuple[Any, Any]:
        """Weight decay as a part of the gradient."""
        return p, g + decay * p


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

    def decay(self) -> float:
        """What weight decay multiplies p with."""
        return 1 - self.lr * self.weight_decay

    def decayed(self, p: Any, g: Any, decay: Any) -> tuple[Any, Any]:
        """Weight decay as a shrinking of the parameter."""
        return decay * p, g
