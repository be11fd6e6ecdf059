"""Two functions of arrays, written from the plan of a step: there, and back.

    def forward(v0, v1, v2, v3, v4, v5):    # x, h, c; weights
        v6 = dot(v0, v3)
        v7 = dot(v1, v4)
        v8 = f8(v6, v7, v6)                 # in place: nothing else needs v6
        ...
        return (v20, v17), (v0, v1, ...)    # the new state; what `backward` takes

    def backward(deliver, keep, g0, g1, e0, ..., v3, ..., v0, ...):
        d0 = b20_0(g0, v19)                 # dL/d(new state), edges, weights, and these
        ...
        keep(e4, v1, d11)                   # a use of a weight
        deliver(e1, d12)                    # dL/dh

They call what the operations call one by one (NumPy, kernels, rules), in the order in
which the engine does, so the numbers have the same bits. As text they need no table, no
loop and no look-up: most of what the step of a small network costs. They hold no array,
so that every sequence of a training run has the same two (`functions_of`).

Read next: `repeated_step.py`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Shape
from minigrad.engine.kernels import jit
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.primitives.linalg import matmul, transposed
from minigrad.engine.primitives.shape import fitted
from minigrad.engine.repeating.step_plan import Operation, Plan

_KNOWN = {"dot": np.dot, "transposed": transposed, "fitted": fitted}
_KNOWN |= {"concatenate": np.concatenate, "reduce": np.add.reduce}


class Functions:
    """The two functions of a plan.

    forward   the values of what is given and fixed -> new state, values of `keeps`
    keeps     the places whose values the way back takes
    kernels   do they call kernels? They do if kernels were in use when they were made
    wide      for each fixed place, None or the shape to repeat its array to: see
              `widened`
    """

    __slots__ = ("_backwards", "forward", "keeps", "kernels", "wide")

    def __init__(self, plan: Plan) -> None:
        self.kernels = jit.enabled
        everything = (True,) * len(plan.outputs)
        back = Backward(plan, everything, None, None)
        self.keeps = back.keeps
        self.forward = _forward(plan, back.keeps)
        self._backwards: dict[tuple[Any, Any], Backward] = {(everything, None): back}
        self.wide = [_wide(plan, place) for place in plan.fixed]

    def backward(
        self,
        plan: Plan,
        arrived: tuple[bool, ...],
        needs: tuple[bool, ...] | None = None,
    ) -> Backward:
        """The way back, where these outputs have a gradient, to those of what is given
        and fixed that need theirs; None: to all that can have one."""
        back = self._backwards.get((arrived, needs))
        if back is None:
            back = Backward(plan, arrived, needs, self.keeps)
            self._backwards[arrived, needs] = back
        return back


class Backward:
    """The way back through a step, for the outputs that have a gradient.

    run    (deliver, keep, gradients, the edges to what is given and fixed, the arrays
           of what is fixed, the values of `keeps`): gives each input its contributions
    keeps  the places whose values it takes
    """

    __slots__ = ("keeps", "run")

    def __init__(
        self,
        plan: Plan,
        arrived: Sequence[bool],
        needs: Sequence[bool] | None,
        keeps: tuple[int, ...] | None,
    ) -> None:
        text = _BackwardText(plan, arrived, needs)
        self.keeps = tuple(sorted(text.taken)) if keeps is None else keeps
        takes = [f"g{k}" for k, came in enumerate(arrived) if came]
        takes = ["deliver", "keep", *takes, *map("e{}".format, range(plan.fixed.stop))]
        takes += map(_v, (*plan.fixed, *self.keeps))
        self.run = text.function("backward", takes)


_known: dict[tuple[Any, ...], Functions] = {}


def functions_of(plan: Plan) -> Functions:
    """The functions of a plan: those of one that did the same, if there was one."""
    key = (
        jit.enabled,
        plan.given,
        plan.outputs,
        tuple(
            [
                (
                    one.primitive,
                    one.inputs,
                    one.outputs,
                    one.node.requires_grad,
                    *one.node.attrs.items(),
                )
                for one in plan.operations
            ]
        ),
        tuple(
            [
                (e.array.shape, e.array.dtype, e.requires_grad, k in plan.leaves)
                for k, e in enumerate(plan.edges)
            ]
        ),
    )
    found = _known.get(key)
    if found is None:
        if len(_known) > 200:
            _known.clear()
        found = _known[key] = Functions(plan)
    return found


def _forward(plan: Plan, keeps: Sequence[int]) -> Callable[..., Any]:
    """The function that computes a step: (new state, values of the places kept)."""
    text = _Text(plan)
    uses = Counter([place for one in plan.operations for place in one.inputs])
    kept = {*keeps, *plan.outputs}
    dead = {place for place, count in uses.items() if count == 1} - kept
    fresh: set[int] = set()  # made by the step, and no view of anything
    for one in plan.operations:
        text.compute(one, dead & fresh)
        if one.primitive is matmul or isinstance(one.primitive, Elementwise):
            fresh.update(one.outputs)
    results = _tuple(map(_v, plan.outputs)), _tuple(map(_v, keeps))
    text.lines.append(f"return {', '.join(results)}")
    return text.function("forward", map(_v, range(plan.fixed.stop)))


def _wide(plan: Plan, place: int) -> Shape | None:
    """The one shape that a bias is added to, where it is small."""
    users = [one for one in plan.operations if place in one.inputs]
    shapes = {plan.edges[one.outputs[0]].array.shape for one in users}
    if plan.edges[place].array.ndim != 1 or len(shapes) != 1:
        return None
    shape = shapes.pop()
    if not all([isinstance(one.primitive, Elementwise) for one in users]):
        return None
    return shape if math.prod(shape) <= 1 << 14 else None


def widened(array: Array, shape: Shape | None) -> Array:
    """A bias with a copy for each row: two arrays of one shape are added in half the
    time, and a bias is added at every step."""
    return array if shape is None else np.broadcast_to(array, shape).copy()


def _v(place: int) -> str:
    return f"v{place}"


def _tuple(items: Iterable[str]) -> str:
    return "(" + "".join([f"{item}, " for item in items]) + ")"


class _Text:
    """A function in the making: its lines, and what the names in them stand for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.names: dict[str, Any] = dict(_KNOWN)
        self.lines: list[str] = []

    def function(self, name: str, takes: Iterable[str]) -> Callable[..., Any]:
        """What was written, as a function."""
        text = "\n    ".join([f"def {name}({', '.join(takes)}):", *self.lines, "pass"])
        exec(
            compile(text, "<a repeated step>", "exec"), self.names
        )  # names and functions of ours
        return self.names[name]

    def array(self, place: int) -> Any:
        """An array of the shape and dtype of what is at a place."""
        return self.plan.edges[place].array

    def plane(self, one: Operation) -> bool:
        """Is it a product of two matrices?"""
        two = [self.array(place).ndim for place in one.inputs] == [2, 2]
        return one.primitive is matmul and two

    def compute(self, one: Operation, free: set[int]) -> None:
        """The line that computes an operation; into an input that is free, if it can
        be."""
        node, takes = one.node, [_v(place) for place in one.inputs]
        if one.primitive.name == "split":
            for k, place in enumerate(one.outputs):
                start, end = node.attrs["bounds"][k : k + 2]
                lead = ":, " * node.attrs["axis"]
                self.lines.append(f"{_v(place)} = {takes[0]}[{lead}{start}:{end}]")
            return
        made = one.outputs[0]
        function: Any = one.primitive.value
        if isinstance(one.primitive, Elementwise):
            function = one.primitive.function([self.array(k) for k in one.inputs])
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
        if one.primitive.multiple:
            targets = _tuple(map(_v, one.outputs))
        self.lines.append(f"{targets} = {name}({', '.join(takes)})")


class _BackwardText(_Text):
    """The way back: contributions are added up where operations share an input."""

    def __init__(
        self, plan: Plan, arrived: Sequence[bool], needs: Sequence[bool] | None
    ) -> None:
        super().__init__(plan)
        self.needed = _needed(plan, needs)
        self.taken: set[int] = set()
        self.sums: dict[int, str] = {}  # place -> the name of its gradient so far
        for k, (place, came) in enumerate(zip(plan.outputs, arrived, strict=True)):
            if came:
                self.sums[place] = f"g{k}"
        for one in reversed(plan.operations):
            gs = [self.sums.get(place) for place in one.outputs]
            if one.outputs[0] not in self.needed or not any(gs):
                continue
            for place, text in self.rule(one, gs):
                if place in self.sums:
                    self.sums[place] = self.named(f"{self.sums[place]} + {text}")
                elif place < plan.fixed.stop:  # no operation's of the step
                    self.lines.append(f"deliver(e{place}, {text})")
                else:
                    self.sums[place] = self.named(text)

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

    def rule(self, one: Operation, gs: list[str | None]) -> Iterator[tuple[int, str]]:
        """What each input gets that needs it: (place, text)."""
        inputs = one.inputs
        needs = tuple([place in self.needed for place in inputs])
        if self.plane(one):
            yield from self.of_product(one, needs, str(gs[0]))
        elif one.primitive.name == "split":
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
        self, one: Operation, needs: Sequence[bool], g: str
    ) -> Iterator[tuple[int, str]]:
        """A product of matrices; the uses of a weight are summed by the engine."""
        left, right = one.inputs
        if needs[0]:
            rows = len(self.array(one.outputs[0]))
            yield left, f"dot({g}, transposed({self.value(right)}, {rows}))"
        if needs[1] and right in self.plan.leaves:
            self.lines.append(f"keep(e{right}, {self.value(left)}, {g})")
        elif needs[1]:
            yield right, f"dot({self.value(left)}.T, {g})"

    def of_split(self, one: Operation, gs: list[str | None]) -> str:
        """The parts' gradients joined again; zeros for a part that was not used."""
        parts = []
        for g, place in zip(gs, one.outputs, strict=True):
            if g is None:
                g, part = f"zeros{place}", self.array(place)
                self.names[g] = _zeros(part)
            parts.append(g)
        return f"concatenate({_tuple(parts)}, {one.node.attrs['axis']})"

    def of_rule(
        self, one: Operation, needs: Sequence[bool], gs: list[str | None]
    ) -> Iterator[tuple[int, str]]:
        """Any other operation: by its rule."""
        node, made = one.node, one.outputs[0]
        values = _tuple([self.value(place) for place in one.outputs])
        g, y = f"[{', '.join(map(str, gs))}]", values
        if not one.primitive.multiple:
            g, y = str(gs[0]), _v(made)
        self.names |= {f"pull{made}": one.primitive.pull, f"a{made}": node.attrs}
        x = _tuple([self.value(place) for place in one.inputs])
        name = self.named(f"pull{made}({tuple(needs)}, {g}, {y}, {x}, a{made})")
        for k, (place, need) in enumerate(zip(one.inputs, needs, strict=True)):
            if need:
                yield place, self.fit(f"{name}[{k}]", place, None)

    def fit(self, text: str, place: int, made: int | None) -> str:
        """The text, in the shape and dtype of what is at its place."""
        like = self.array(place)
        now = None if made is None else self.array(made)
        if now is not None and _alike(like, now):
            return text
        if place < self.plan.fixed.stop:  # the engine fits what it delivers
            rows = now is not None and now.ndim == 2 and like.ndim == 1 < len(like)
            return f"reduce({text})" if rows else text  # a bias: at once
        self.names[f"like{place}"] = _zeros(like)
        return f"fitted({text}, like{place})"


def _needed(plan: Plan, needs: Sequence[bool] | None) -> set[int]:
    """The places that a gradient is to reach, or to go through."""
    given = range(plan.fixed.stop)
    found = {k for k in given if plan.edges[k].requires_grad}
    if needs is not None:
        found &= {k for k in given if needs[k]}
    for one in plan.operations:
        if one.node.requires_grad and not found.isdisjoint(one.inputs):
            found.update(one.outputs)
    return found


def _entries(text: _Text, one: Operation, needs: Any) -> Any:
    """The rule of an elementwise operation as kernels; None if it is to be called."""
    arrays = [text.array(place) for place in (*one.inputs, one.outputs[0])]
    if not isinstance(one.primitive, Elementwise):
        return None
    if any([array.dtype is not arrays[0].dtype for array in arrays]):
        return None
    return one.primitive.entries(needs, arrays[0].dtype.char)


def _zeros(like: Any) -> Any:
    """Zeros in the shape and dtype of an array, for the price of one."""
    return np.broadcast_to(np.zeros((), like.dtype), like.shape)


def _alike(a: Any, b: Any) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype
