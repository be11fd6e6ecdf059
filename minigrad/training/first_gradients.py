"""Does the training reach the parameters? Asked of the first batch of a run.

A loss that is cut from the parameters, or an optimiser that holds others than the
model's, trains nothing, however long it runs.

Read next: `bad_numbers.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import GraphError, warn
from minigrad.engine.graph import Leaf, ancestors
from minigrad.engine.primitives.messages import describe
from minigrad.engine.tensor import Tensor
from minigrad.nn.parameters import label

CUTS = (
    "detach(), numpy(), item() and float() leave the graph, and nothing is recorded "
    "within no_grad()"
)
MOST = 4  # names that are listed


class FirstGradients:
    """The gradients before the first backward pass of a run, to compare with.

    model, optimizer  what is trained, and what should train it
    """

    def __init__(self, model: Any, optimizer: Any) -> None:
        self._names = {id(p): name for name, p in model.named_parameters()}
        self._of_model: list[Tensor] = list(model.parameters())
        self._of_optimizer: list[Tensor] = list(optimizer.parameters)
        self._before = {id(p): p.grad for p in [*self._of_model, *self._of_optimizer]}

    def check_loss(self, loss: Tensor) -> None:
        """Raise GraphError if no gradient can flow from the loss to anything."""
        if not loss.requires_grad:
            raise GraphError(
                "Trainer: the loss is cut off, so no parameter gets a gradient",
                expect="a loss computed from the model's parameters, in tensors alone",
                actual=f"a loss without a gradient: {describe(loss._edge)}",
                hint=CUTS,
            )

    def check(self, loss: Tensor) -> None:
        """After the backward pass: raise GraphError if nothing would be trained.

        Warns of parameters that the optimiser has and the loss does not depend on.
        """
        trained, own = self._of_optimizer, {id(p) for p in self._of_model}
        held = {id(p) for p in trained}
        idle = [p for p in trained if not self._reached(p) and p.requires_grad]
        others = [p for p in idle if id(p) not in own]
        missed = [p for p in self._of_model if self._reached(p) and id(p) not in held]
        if not any(map(self._reached, trained)):
            raise self._nothing(loss, bool(own & held), missed)
        if others and missed:
            raise self._other_parameters(others, missed)
        if idle:
            warn(
                "Trainer: the optimiser has parameters that the loss does not reach",
                expect="a gradient for each, from the first batch on",
                actual=f"none for {self._listed(idle)}: these are not trained",
                hint=f"is a part of the model not used, or cut off? {CUTS}",
            )

    def _reached(self, p: Tensor) -> bool:
        return p.grad is not None and p.grad is not self._before[id(p)]

    def _nothing(self, loss: Tensor, shared: bool, missed: list[Tensor]) -> GraphError:
        """Why none of the optimiser's parameters got a gradient."""
        if not shared or missed:
            return self._other_parameters(self._of_optimizer, missed or self._of_model)
        nodes = ancestors([loss._edge.source], constants=False)
        edges = [edge for node in nodes for edge in node.edges]
        leaves = {e.source: e for e in edges if e.requires_grad}
        known = [describe(e) for leaf, e in leaves.items() if type(leaf) is Leaf]
        return GraphError(
            "Trainer: the loss does not depend on the model's parameters",
            expect=f"a loss computed from {self._listed(self._of_model)}",
            actual=f"a loss computed from {', '.join(known[:MOST]) or 'constants'}",
            hint=f"use the model's output; {CUTS}",
        )

    def _other_parameters(self, held: list[Tensor], own: list[Tensor]) -> GraphError:
        return GraphError(
            "Trainer: the optimiser holds other parameters than the model's",
            expect=f"an optimiser of the model's {self._listed(own)}",
            actual=f"parameters that the loss does not depend on: {self._listed(held)}",
            hint="make the optimiser after the model, and again when a part of the "
            "model is replaced: mg.optim.Adam(model.parameters())",
        )

    def _listed(self, parameters: list[Tensor]) -> str:
        """Parameters in words; the model's by their names within it."""
        words = []
        for p in parameters[:MOST]:
            name = self._names.get(id(p))
            words.append(label(p) if name is None else f"{name!r} {p.shape}")
        if len(parameters) > MOST:
            words.append(f"and {len(parameters) - MOST} more")
        return ", ".join(words) or "no parameters"
