"""From a graph to events: the forward pass is read, a backward pass is watched.

The backward pass is the engine's own (`autodiff.backpropagate`, as `backward()` runs
it), so what is shown is what is computed; `.grad` is left alone.

Read next: `stepper.py`.
"""

from __future__ import annotations

import linecache
from collections.abc import Collection
from typing import Any

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.engine.graph import line as code_line
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.stacking import Watcher
from minigrad.reading.formulas import forward_formula, letters_of, rule_formula
from minigrad.reading.names import Names, given_name
from minigrad.reading.text import clean
from minigrad.stepping.record.events import (
    Array,
    Carried,
    Contribution,
    Event,
    Forward,
    Gradient,
    Incoming,
    Line,
    Operation,
    Place,
    Stacked,
    Tables,
    Value,
)


class Recorder(Watcher):
    """Makes the tables of one graph; it is the watcher of the backward pass.

    group     per operation: the box it belongs to; events inside a box are left out
              (None: every operation on its own)
    steps     the time steps to show (None: all)
    largest   entries of an array that is kept whole
    """

    def __init__(
        self,
        output: AnyEdge,
        nodes: list[Node],
        group: list[str] | None,
        steps: Collection[int] | None,
        largest: int,
    ) -> None:
        self.output = output
        self.nodes = nodes
        self.largest = largest
        self.numbers = {node: number for number, node in enumerate(nodes)}
        self.group = group
        self.names = Names(nodes, nodes[-1])
        self.tables = Tables()
        self.value_of: dict[Any, int] = {}
        self.fields: list[dict[str, Any]] = []  # of the values
        self.scopes: dict[tuple, tuple[Place, ...]] = {}
        self.kept: dict[int, Array] = {}  # id of an array that lives -> its record
        self.shown = [self._in_range(node, steps) for node in nodes]
        self.exits = self._exits()
        self.sums: dict[int, Any] = {}  # target -> the sum of its contributions so far
        self.one_by_one: dict[int, Any] = {}  # the same of those that are set aside
        self.left_out: dict[int, int] = {}  # target -> contributions not told of yet
        self.passed_over: dict[int, int] = {}  # the same of those set aside
        self.aside: set[tuple[Node, int]] = set()

    # ------------------------------------------------------------- what is shown

    @staticmethod
    def _in_range(node: Node, steps: Collection[int] | None) -> bool | None:
        """Is the operation in one of the steps? None: it is in no step at all."""
        step = next((s.index for s in reversed(node.scope) if s.kind == "step"), None)
        if step is None:
            return None
        return steps is None or step in steps

    def _exits(self) -> set[Node]:
        """Operations whose outputs leave their box."""
        if self.group is None:
            return set(self.nodes)
        found = {self.nodes[-1]}
        for number, node in enumerate(self.nodes):
            for edge in node.edges:
                if type(edge.source) is Node:
                    before = self.numbers[edge.source]
                    if self.group[before] != self.group[number]:
                        found.add(edge.source)
        return found

    def shows(self, node: Node) -> bool:
        """Has the operation events of its own?"""
        return self.shown[self.numbers[node]] is not False and node in self.exits

    def shows_contribution(self, node: Node, edge: AnyEdge) -> bool:
        """Is what the rule of `node` gives to this input an event?"""
        here = self.shown[self.numbers[node]]
        source = edge.source
        if type(source) is Leaf:
            return here is not False
        number = self.numbers[source]  # type: ignore[index]
        if self.group is not None:
            if self.group[number] == self.group[self.numbers[node]]:
                return False
        there = self.shown[number]
        if here is None:
            return there is not False
        return here or there is True

    def count(self) -> tuple[int, int]:
        """How many events there will be, and how many bytes they keep (estimates)."""
        events = size = 0
        for node in self.nodes:
            if self.shows(node):
                events += 2 if node.requires_grad else 1
                size += sum(map(self._bytes, node.outputs)) * (1 + node.requires_grad)
            for edge in node.edges if node.requires_grad else ():
                if edge.requires_grad and self.shows_contribution(node, edge):
                    events += 1
                    size += self._bytes(edge.array)
        return events, size

    def _bytes(self, array: np.ndarray) -> int:
        return array.nbytes if array.size <= self.largest else 1024

    # ------------------------------------------------------------- the tables

    def run(self, seed: np.ndarray) -> Tables:
        """Everything: operations, values, forward and backward events."""
        with quietly(), uncollected():
            for number, node in enumerate(self.nodes):
                self.tables.operations.append(self._operation(number, node))
                if self.shows(node):
                    self._event(Forward, operation=number)
            found = backpropagate(self.output, seed, watcher=self)
            for target, gradient in found.items():
                if type(target) is Leaf:
                    value = self.value_of[target]
                    self._settle(value)
                    self._event(Gradient, target=value, value=self._array(gradient))
        self.tables.values = [Value(**fields) for fields in self.fields]
        return self.tables

    def _event(self, kind: type[Event], **fields: Any) -> None:
        self.tables.events.append(kind(number=len(self.tables.events), **fields))

    def _array(self, array: Any) -> Array:
        """The record of an array; the same for the same array, as long as it lives."""
        found = self.kept.get(id(array))
        if found is None or found.array is not array:
            found = Array.of(array, self.largest)
            if found.array is array:  # the record keeps it alive: its id stays its own
                self.kept[id(array)] = found
        return found

    def _operation(self, number: int, node: Node) -> Operation:
        inputs = tuple([self._value(edge) for edge in node.edges])
        outputs = []
        for index, array in enumerate(node.outputs):
            key = (node, index)
            symbol = self.names.result(node, index)
            name = given_name(node, index)
            outputs.append(
                self._add(
                    key, "result", symbol, array, name, node.requires_grad,
                    operation=number, output=index,
                )
            )  # fmt: skip
        count = len(node.edges)
        return Operation(
            number,
            node.primitive.name,
            inputs,
            tuple(outputs),
            letters_of(node),
            forward_formula(node),
            tuple(
                [
                    rule_formula(node, k) if node.edges[k].requires_grad else None
                    for k in range(count)
                ]
            ),
            self._scope(node),
            _line(node),
            node.origin.primitive.name if node.origin else "",
            self.numbers.get(node.origin) if node.origin else None,
        )

    def _scope(self, node: Node) -> tuple[Place, ...]:
        if node.scope not in self.scopes:
            self.scopes[node.scope] = tuple(
                [
                    Place(
                        level.kind,
                        clean(level.name),
                        _plain(level.index),
                    )
                    for level in node.scope
                ]
            )
        return self.scopes[node.scope]

    def _value(self, edge: AnyEdge) -> int:
        """The number of the value that an edge leads to."""
        source = edge.source
        if type(source) is Node:
            return self.value_of[(source, edge.index)]
        if source is None:
            key: Any = id(edge.array)
            if key in self.value_of:
                return self.value_of[key]
            return self._add(key, "constant", self.names.of(edge), edge.array)
        key = (source, id(edge.array))
        if key in self.value_of:
            return self.value_of[key]
        kind = "parameter" if edge.requires_grad else "input"
        number = self._add(
            key, kind, self.names.of(edge), edge.array, given_name(source),
            edge.requires_grad,
        )  # fmt: skip
        target = self.value_of.setdefault(source, number)
        self.fields[number]["target"] = target
        return number

    def _add(
        self,
        key: Any,
        kind: str,
        symbol: Any,
        array: np.ndarray,
        name: str = "",
        gradient: bool = False,
        **more: Any,
    ) -> int:
        number = self.value_of[key] = len(self.fields)
        self.fields.append(
            {
                "number": number,
                "kind": kind,
                "symbol": symbol,
                "array": self._array(array),
                "name": clean(name, 120),
                "gradient": gradient,
                "target": number,
                **more,
            }
        )
        return number

    # ------------------------------------------------------------- the watcher

    def opened(self, node: Node, g: Any) -> None:
        """`g` is complete; the rule of `node` is next."""
        number = self.numbers[node]
        shown = self.shows(node)
        for value in self.tables.operations[number].outputs:
            if shown:
                self._settle(value)
            self.sums.pop(value, None)
        if shown:
            parts = g if type(g) is list else [g]
            arrays = [None if part is None else self._array(part) for part in parts]
            self._event(Incoming, operation=number, gradients=tuple(arrays))

    def set_aside(self, node: Node, k: int, g: np.ndarray) -> None:
        """A use of a weight: its own term is computed to be shown; the engine sums."""
        self.aside.add((node, k))
        target = self._target(node, k)
        index = self._counted(target)
        needs = tuple([j == k for j in range(len(node.edges))])
        arrays = [edge.array for edge in node.edges]
        value = node.primitive.pull(needs, g, node.array, arrays, node.attrs)[k]
        value = value.astype(node.edges[k].array.dtype, copy=False)
        if not self.shows_contribution(node, node.edges[k]):
            self.passed_over[target] = self.passed_over.get(target, 0) + 1
            before = self.one_by_one.get(target)
            self.one_by_one[target] = value if before is None else before + value
            return
        count = self.passed_over.pop(target, 0)
        if count:
            so_far = self._array(self.one_by_one[target])
            self._event(Carried, target=target, count=count, value=so_far, aside=True)
        self._contributed(node, k, target, index, value, self.one_by_one, aside=True)

    def contribution(self, node: Node, k: int, value: Any) -> None:
        """`value` is added to the gradient of input `k`."""
        if (node, k) in self.aside:  # a stack of one use
            self.stacked([node], k, value)
            return
        target = self._target(node, k)
        index = self._counted(target)
        if self.shows_contribution(node, node.edges[k]):
            self._settle(target)
            self._contributed(node, k, target, index, value, self.sums)
            return
        self.left_out[target] = self.left_out.get(target, 0) + 1
        before = self.sums.get(target)
        self.sums[target] = value if before is None else before + value

    def _contributed(
        self,
        node: Node,
        k: int,
        target: int,
        index: int,
        value: Any,
        sums: dict[int, Any],
        aside: bool = False,
    ) -> None:
        """The event of one contribution; its target's sum, too."""
        before = sums.get(target)
        total = sums[target] = value if before is None else before + value
        large = total.size > self.largest
        self._event(
            Contribution,
            operation=self.numbers[node],
            input=k,
            target=target,
            index=index,
            value=self._array(value),
            aside=aside,
            total=self._array(total) if large else None,
        )

    def stacked(self, nodes: Any, k: int, value: Any) -> None:
        """Several uses of a weight, in one product."""
        self._event(
            Stacked,
            operation=self.numbers[nodes[-1]],
            operations=tuple([self.numbers[node] for node in nodes]),
            target=self._target(nodes[0], k),
            value=self._array(value),
        )

    def _settle(self, target: int) -> None:
        """Tell of the contributions that were left out, if there are any."""
        count = self.left_out.pop(target, 0)
        if count:
            value = self._array(self.sums[target])
            self._event(Carried, target=target, count=count, value=value)

    def _counted(self, target: int) -> int:
        """Count one more contribution: which one is it?"""
        fields = self.fields[target]
        fields["uses"] = fields.get("uses", 0) + 1
        return fields["uses"]

    def _target(self, node: Node, k: int) -> int:
        edge = node.edges[k]
        if type(edge.source) is Leaf:
            return self.value_of[edge.source]
        return self.value_of[(edge.source, edge.index)]


def _plain(index: Any) -> Any:
    """A scope's index as plain data: a number, safe text, or a layer's (1, True)."""
    if isinstance(index, tuple) and len(index) == 2:
        return int(index[0]), bool(index[1])
    return index if index is None or type(index) is int else clean(index, 12)


def _line(node: Node) -> Line | None:
    """The user's line, its text, and the stretch of it that was run."""
    found = code_line(node.where)
    if found is None:
        return None
    file, number, first, last = found
    text = linecache.getline(file, number).rstrip()[:400]
    encoded = text.encode()
    first, last = (len(encoded[:at].decode(errors="ignore")) for at in (first, last))
    lead = len(text) - len(text.lstrip())
    shown = clean(text.strip(), 200)
    if last <= first:  # it goes on in another line, or is not known
        last = len(text)
    first, last = max(0, first - lead), max(0, last - lead)
    return Line(
        clean(file.replace("\\", "/").rpartition("/")[2], 80),
        number,
        shown,
        min(first, len(shown)),
        min(last, len(shown)),
    )
