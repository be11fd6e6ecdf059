"""Two functions of arrays, written from the plan of a step: there, and back.

    def forward(v0, v1, v2):                # x, h, c
        v6 = dot(v0, v3)
        v7 = dot(v1, v4)
        v8 = f8(v6, v7, v6)                 # in place: nothing else needs v6
        ...
        return (v20, v17), (v0, v1, ...)    # the new state; what `backward` takes

    def backward(g0, g1, v0, v1, ...):      # dL/d(new state), and these
        d1 = b20_0(g0, v19)
        ...
        return (d8, d12), ((v0, d9),)       # contributions; uses of weights

They call what the operations call one by one (NumPy, kernels, rules), in the order in
which the engine does, so the numbers have the same bits. As text they need no table, no
loop and no look-up: most of what the step of a small network costs.

Read next: `repeated_step.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from types import CodeType
from typing import Any

import numpy as np

from minigrad.engine.graph import Leaf
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.primitives.linalg import matmul, transposed
from minigrad.engine.primitives.shape import fitted
from minigrad.engine.repeating.step_plan import Operation, Plan

_KNOWN = {"dot": np.dot, "transposed": transposed, "fitted": fitted}
_KNOWN |= {"concatenate": np.concatenate}


class Backward:
    """The way back through a step, for the outputs that have a gradient.

    run      the function: gradients, and the values of `keeps` -> contributions, uses
    keeps    the places whose values it takes
    gets     for each contribution, the place that it is for
    weights  for each use, the place of the matrix
    """

    def __init__(self, plan: Plan, arrived: Sequence[bool], keeps: Sequence[int] = ()):
        text = _BackwardText(plan, arrived)
        self.keeps = tuple(keeps) or tuple(sorted(text.taken))
        self.gets, self.weights = tuple(text.gets), tuple(text.weights)
        takes = [f"g{k}" for k, came in enumerate(arrived) if came]
        self.run = text.function("backward", [*takes, *map(_v, self.keeps)])


def forward_of(plan: Plan, keeps: Sequence[int]) -> Callable[..., Any]:
    """The function that computes a step: (new state, values of the places kept)."""
    text = _Text(plan)
    uses = Counter([place for one in plan.operations for place in one.inputs])
    kept = {*keeps, *plan.outputs}
    dead = {place for place, count in uses.items() if count == 1} - kept
    fresh: set[int] = set()  # made by the step, and no view of anything
    for one in plan.operations:
        text.compute(one, dead & fresh)
        if one.node.primitive is matmul or isinstance(one.node.primitive, Elementwise):
            fresh.update(one.outputs)
    text.results = [_tuple(map(_v, plan.outputs)), _tuple(map(_v, keeps))]
    return text.function("forward", map(_v, range(plan.given)))


def _v(place: int) -> str:
    return f"v{place}"


def _tuple(items: Iterable[str]) -> str:
    return "(" + "".join([f"{item}, " for item in items]) + ")"


class _Text:
    """A function in the making: its lines, and what the names in them stand for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names: dict[str, Any] = dict(_KNOWN)
        self.names |= {_v(place): plan.edges[place].array for place in plan.fixed}
        self.lines: list[str] = []
        self.results: list[str] = []

    def function(self, name: str, takes: Iterable[str]) -> Callable[..., Any]:
        """What was written, as a function."""
        head, end = f"def {name}({', '.join(takes)}):", ", ".join(self.results)
        text = "\n    ".join([head, *self.lines, f"return {end}"])
        exec(_compiled(text), self.names)  # names and functions of ours
        return self.names[name]

    def array(self, place: int) -> Any:
        """An array of the shape and dtype of what is at a place."""
        return self.plan.edges[place].array

    def plane(self, one: Operation) -> bool:
        """Is it a product of two matrices?"""
        two = [self.array(place).ndim for place in one.inputs] == [2, 2]
        return one.node.primitive is matmul and two

    def compute(self, one: Operation, free: set[int]) -> None:
        """The line that computes an operation; into an input that is free, if it can
        be."""
        node, takes = one.node, [_v(place) for place in one.inputs]
        if node.primitive.name == "split":
            for k, place in enumerate(one.outputs):
                start, end = node.attrs["bounds"][k : k + 2]
                lead = ":, " * node.attrs["axis"]
                self.lines.append(f"{_v(place)} = {takes[0]}[{lead}{start}:{end}]")
            return
        made = one.outputs[0]
        function: Any = node.primitive.value
        if isinstance(node.primitive, Elementwise):
            function = node.primitive.function([self.array(k) for k in one.inputs])
            first = one.inputs[0]
            if first in free and isinstance(function, np.ufunc):
                if _alike(self.array(first), self.array(made)):
                    takes.append(takes[0])
        if node.attrs:
            self.names[f"a{made}"] = node.attrs
            takes.append(f"**a{made}")
        name = "dot" if self.plane(one) else f"f{made}"
        self.names.setdefault(name, function)
        targets = _v(made)
        if node.primitive.multiple:
            targets = _tuple(map(_v, one.outputs))
        self.lines.append(f"{targets} = {name}({', '.join(takes)})")


class _BackwardText(_Text):
    """The way back: contributions are added up where operations share an input."""

    def __init__(self, plan: Plan, arrived: Sequence[bool]) -> None:
        super().__init__(plan)
        self.taken: set[int] = set()
        self.gets: list[int] = []
        self.weights: list[int] = []
        self.sums: dict[int, str] = {}  # place -> the name of its gradient so far
        for k, (place, came) in enumerate(zip(plan.outputs, arrived, strict=True)):
            if came:
                self.sums[place] = f"g{k}"
        contributions: list[str] = []
        uses: list[str] = []
        for one in reversed(plan.operations):
            gs = [self.sums.get(place) for place in one.outputs]
            if not one.node.requires_grad or not any(gs):
                continue
            for place, text in self.rule(one, gs, uses):
                if place in self.sums:
                    self.sums[place] = self.named(f"{self.sums[place]} + {text}")
                elif place < plan.fixed.stop:  # no operation's of the step
                    self.gets.append(place)
                    contributions.append(self.named(text))
                else:
                    self.sums[place] = self.named(text)
        self.results = [_tuple(contributions), _tuple(uses)]

    def named(self, text: str) -> str:
        """A name for what the text says."""
        if text.isidentifier():
            return text
        name = f"d{len(self.lines)}"
        self.lines.append(f"{name} = {text}")
        return name

    def value(self, place: int) -> str:
        """The name of a value of the way there."""
        if place not in self.plan.fixed:
            self.taken.add(place)
        return _v(place)

    def rule(
        self, one: Operation, gs: list[str | None], uses: list[str]
    ) -> Iterator[tuple[int, str]]:
        """What each input gets that needs it: (place, text)."""
        node, inputs = one.node, one.inputs
        needs = tuple([self.plan.edges[place].requires_grad for place in inputs])
        if self.plane(one):
            yield from self.of_product(one, needs, str(gs[0]), uses)
        elif node.primitive.name == "split" and self.covers(one):
            yield inputs[0], self.of_split(one, gs)
        elif (entries := _entries(self, one, needs)) is not None:
            operands = [gs[0], *one.outputs, *inputs]
            for k, (place, entry) in enumerate(zip(inputs, entries, strict=True)):
                if entry is None:
                    continue
                function, which = entry
                terms = [self.value(operands[j]) if j else str(gs[0]) for j in which]
                text = terms[0]
                if function is not None:
                    name = f"b{one.outputs[0]}_{k}"
                    self.names[name] = function
                    text = f"{name}({', '.join(terms)})"
                yield place, self.fit(text, place, one.outputs[0])
        else:
            yield from self.of_rule(one, needs, gs)

    def of_product(
        self, one: Operation, needs: Sequence[bool], g: str, uses: list[str]
    ) -> Iterator[tuple[int, str]]:
        """A product of matrices; the uses of a weight are summed by the engine."""
        left, right = one.inputs
        if needs[0]:
            rows = len(self.array(one.outputs[0]))
            yield left, f"dot({g}, transposed({self.value(right)}, {rows}))"
        if needs[1] and type(self.plan.edges[right].source) is Leaf:
            self.weights.append(right)
            uses.append(_tuple([self.value(left), g]))
        elif needs[1]:
            yield right, f"dot({self.value(left)}.T, {g})"

    def covers(self, one: Operation) -> bool:
        """Are the parts of a split all of it?"""
        bounds, axis = one.node.attrs["bounds"], one.node.attrs["axis"]
        return bounds[0] == 0 and bounds[-1] == self.array(one.inputs[0]).shape[axis]

    def of_split(self, one: Operation, gs: list[str | None]) -> str:
        """The parts' gradients joined again; zeros for a part that was not used."""
        parts = []
        for g, place in zip(gs, one.outputs, strict=True):
            if g is None:
                g, part = f"zeros{place}", self.array(place)
                self.names[g] = np.zeros(part.shape, part.dtype)
            parts.append(g)
        return f"concatenate({_tuple(parts)}, {one.node.attrs['axis']})"

    def of_rule(
        self, one: Operation, needs: Sequence[bool], gs: list[str | None]
    ) -> Iterator[tuple[int, str]]:
        """Any other operation: by its rule."""
        node, made = one.node, one.outputs[0]
        values = _tuple([self.value(place) for place in one.outputs])
        g, y = f"[{', '.join(map(str, gs))}]", values
        if not node.primitive.multiple:
            g, y = str(gs[0]), _v(made)
        self.names |= {f"pull{made}": node.primitive.pull, f"a{made}": node.attrs}
        x = _tuple([self.value(place) for place in one.inputs])
        name = self.named(f"pull{made}({tuple(needs)}, {g}, {y}, {x}, a{made})")
        for k, (place, need) in enumerate(zip(one.inputs, needs, strict=True)):
            if need:
                yield place, self.fit(f"{name}[{k}]", place, None)

    def fit(self, text: str, place: int, made: int | None) -> str:
        """The text, in the shape and dtype of what is at its place."""
        if place < self.plan.fixed.stop:  # the engine fits what it delivers
            return text
        if made is not None and _alike(self.array(place), self.array(made)):
            return text
        self.names[f"like{place}"] = self.array(place)
        return f"fitted({text}, like{place})"


def _entries(text: _Text, one: Operation, needs: Any) -> Any:
    """The rule of an elementwise operation as kernels; None if it is to be called."""
    arrays = [text.array(place) for place in (*one.inputs, one.outputs[0])]
    if not isinstance(one.node.primitive, Elementwise):
        return None
    if any([array.dtype is not arrays[0].dtype for array in arrays]):
        return None
    return one.node.primitive.entries(needs, arrays[0].dtype.char)


def _alike(a: Any, b: Any) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype


@lru_cache(maxsize=256)
def _compiled(text: str) -> CodeType:
    """Equal steps have equal texts, and Python reads each only once."""
    return compile(text, "<a repeated step>", "exec")
