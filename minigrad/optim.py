"""Optimisers: how a parameter follows its gradient. PyTorch's names and defaults.

Parameters are rebound, never written to, so graphs recorded before a step keep the
values they were computed with. A step builds no graph.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.errors import ArgumentError, CheckpointError
from minigrad.quiet import quietly
from minigrad.tensor import Tensor


class Optimizer:
    """What all optimisers share: parameters, state by parameter, saving and loading.

    A subclass names its state (`slots`) and gives `update(p, g, state)`: the new value.
    """

    slots: tuple[str, ...] = ()

    def __init__(
        self, parameters: Iterable[Tensor], lr: float, **settings: Any
    ) -> None:
        self.parameters = list(parameters)
        self.lr = lr
        self.steps = 0
        if not self.parameters or not all(
            isinstance(p, Tensor) for p in self.parameters
        ):
            raise ArgumentError(
                f"{type(self).__name__}: no parameters to optimise",
                expect="an iterable of tensors with requires_grad=True",
                actual=f"{self.parameters!r:.60}",
                hint="pass model.parameters()",
            )
        for name, value in {"lr": lr, **settings}.items():
            if not value >= 0:
                raise ArgumentError(
                    f"{type(self).__name__}: {name}={value} is negative",
                    expect=f"{name} >= 0",
                    actual=str(value),
                    hint="steps go against the gradient already",
                )
        self.state: list[dict[str, np.ndarray]] = [{} for _ in self.parameters]

    def zero_grad(self) -> None:
        """Forget all gradients: they add up otherwise."""
        for p in self.parameters:
            p.grad = None

    def step(self) -> None:
        """Move every parameter that has a gradient."""
        self.steps += 1
        with quietly():
            for p, state in zip(self.parameters, self.state, strict=True):
                if p.grad is None:
                    continue
                value = p._edge.array
                for slot in self.slots:
                    if slot not in state:
                        state[slot] = np.zeros_like(value)
                gradient = p.grad._edge.array.astype(value.dtype, copy=False)
                p.data = self.update(value, gradient, state)

    def update(self, p: np.ndarray, g: np.ndarray, state: dict) -> np.ndarray:
        """The new value of a parameter; may write to the arrays in `state`."""
        raise AssertionError(f"bug: {type(self).__name__} has no update")

    def state_dict(self) -> dict[str, np.ndarray]:
        """Everything a resumed run needs: arrays by name, fit for `mg.save`."""
        found = {"steps": np.array(self.steps), "lr": np.array(self.lr)}
        for number, state in enumerate(self.state):
            found |= {f"{number}.{slot}": array.copy() for slot, array in state.items()}
        return found

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a `state_dict`. Raises CheckpointError if it does not fit."""
        new: list[dict[str, np.ndarray]] = [{} for _ in self.parameters]
        for name, array in state.items():
            number, _, slot = name.partition(".")
            if not slot:
                continue
            fits = slot in self.slots and int(number) < len(new)
            if not fits or np.shape(array) != self.parameters[int(number)].shape:
                raise CheckpointError(
                    f"{type(self).__name__}: the saved state {name!r} does not fit",
                    expect=f"{self.slots} of {len(new)} parameters, in their shapes",
                    actual=f"shape {np.shape(array)}",
                    hint="load into the optimiser and model that were saved",
                )
            new[int(number)][slot] = np.array(array)
        self.state = new
        self.steps = int(state["steps"])
        self.lr = float(state["lr"])


class SGD(Optimizer):
    """p <- p - lr * v, with v <- momentum * v + g.

    Sources: Polyak 1964 (momentum); Sutskever et al. 2013 (Nesterov), as PyTorch does.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ArgumentError(
                "SGD: nesterov=True needs momentum and no dampening",
                expect="momentum > 0 and dampening == 0",
                actual=f"momentum={momentum}, dampening={dampening}",
                hint="pass momentum=0.9",
            )
        self.momentum, self.dampening = momentum, dampening
        self.weight_decay, self.nesterov = weight_decay, nesterov

    def update(self, p: np.ndarray, g: np.ndarray, state: dict) -> np.ndarray:
        """One step for one parameter."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        if self.momentum:
            if "velocity" in state:
                velocity = self.momentum * state["velocity"] + (1 - self.dampening) * g
            else:
                velocity = g
            state["velocity"] = velocity
            g = g + self.momentum * velocity if self.nesterov else velocity
        return p - self.lr * g

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over a `state_dict`. Raises CheckpointError if it does not fit."""
        self.slots = ("velocity",)
        try:
            super().load_state_dict(state)
        finally:
            self.slots = ()


class RMSprop(Optimizer):
    """Steps divided by a running root mean square of the gradient.

    v <- alpha v + (1 - alpha) g^2,  p <- p - lr g / (sqrt(v) + eps)
    Source: Tieleman & Hinton 2012, lecture 6.5.
    """

    slots = ("square",)

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(
            parameters, lr, alpha=alpha, eps=eps, weight_decay=weight_decay
        )
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay

    def update(self, p: np.ndarray, g: np.ndarray, state: dict) -> np.ndarray:
        """One step for one parameter."""
        if self.weight_decay:
            g = g + self.weight_decay * p
        v = state["square"]
        v *= self.alpha
        v += (1 - self.alpha) * (g * g)
        return p - self.lr * g / (np.sqrt(v) + self.eps)


class Adam(Optimizer):
    """Steps along a running mean of the gradient, divided by its running size.

    m <- b1 m + (1 - b1) g,  v <- b2 v + (1 - b2) g^2, both corrected for their start
    at zero;  p <- p - lr m / (sqrt(v) + eps)
    Source: Kingma & Ba 2015, algorithm 1. weight_decay adds to the gradient (L2).
    """

    slots = ("mean", "square")
    decoupled = False

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, eps=eps, weight_decay=weight_decay)
        if not all(0 <= beta < 1 for beta in betas):
            raise ArgumentError(
                f"{type(self).__name__}: betas={betas} are no averages",
                expect="0 <= beta < 1 for both",
                actual=str(betas),
                hint="the usual ones are (0.9, 0.999)",
            )
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay

    def update(self, p: np.ndarray, g: np.ndarray, state: dict) -> np.ndarray:
        """One step for one parameter."""
        if self.weight_decay and self.decoupled:
            p = p * (1 - self.lr * self.weight_decay)
        elif self.weight_decay:
            g = g + self.weight_decay * p
        b1, b2 = self.betas
        m, v = state["mean"], state["square"]
        m += (1 - b1) * (g - m)
        v *= b2
        v += (1 - b2) * (g * g)
        size = np.sqrt(v)
        size /= (1 - b2**self.steps) ** 0.5
        size += self.eps
        step = np.divide(m, size, out=size)
        step *= self.lr / (1 - b1**self.steps)
        return p - step


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: p shrinks by lr * weight_decay.

    Source: Loshchilov & Hutter 2019, algorithm 2.
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)
