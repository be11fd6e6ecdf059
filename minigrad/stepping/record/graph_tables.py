"""Turns the operations and values of a graph into plain data: the tables of `Steps`.

Read next: `shown_events.py`.
"""

from __future__ import annotations

import linecache
from bisect import bisect
from typing import Any

import numpy as np

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.engine.user_code import line as code_line
from minigrad.reading.backward_passes import order_of
from minigrad.reading.formulas import forward_formula, letters_of, rule_formula
from minigrad.reading.names import Names, given_name
from minigrad.reading.text import clean
from minigrad.stepping.record.events import Array, Line, Operation, Place, Value


class GraphTables:
    """Makes the records of a graph's operations, and of the values they read and make.

    nodes     the operations, oldest first; `operation` is called in this order
    largest   entries of an array that is kept whole
    """

    def __init__(self, nodes: list[Node], largest: int) -> None:
        self.largest = largest
        self.numbers = {node: number for number, node in enumerate(nodes)}
        self.seqs = [node.seq for node in nodes]
        self.names = Names(nodes, nodes[-1])
        self.value_of: dict[Any, int] = {}
        self.fields: list[dict[str, Any]] = []  # of the values
        self.scopes: dict[tuple[Any, ...], tuple[Place, ...]] = {}
        self.kept: dict[int, Array] = {}  # id of an array that lives -> its record

    def values(self) -> list[Value]:
        """All values: once every operation is known, and every use is counted."""
        return [Value(**fields) for fields in self.fields]

    def array(self, array: Any) -> Array:
        """The record of an array; the same for the same array, as long as it lives."""
        found = self.kept.get(id(array))
        if found is None or found.array is not array:
            found = Array.of(array, self.largest)
            if found.array is array:  # the record keeps it alive: its id stays its own
                self.kept[id(array)] = found
        return found

    def operation(self, number: int, node: Node) -> Operation:
        inputs = tuple([self.value(edge) for edge in node.edges])
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
            self._elsewhere(node.origin),
        )

    def _elsewhere(self, origin: Node | None) -> tuple[int, int] | None:
        """Where an operation stands that is not in the graph, though its rule is."""
        if origin is None or origin in self.numbers:
            return None
        return bisect(self.seqs, origin.seq), order_of(origin)

    def _scope(self, node: Node) -> tuple[Place, ...]:
        scope = self.names.loops.scope(node)
        if scope not in self.scopes:
            self.scopes[scope] = tuple(
                [
                    Place(
                        level.kind,
                        clean(level.name),
                        _plain(level.index),
                    )
                    for level in scope
                ]
            )
        return self.scopes[scope]

    def value(self, edge: AnyEdge) -> int:
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
        name, symbol = given_name(source), self.names.of(edge)
        number = self._add(key, kind, symbol, edge.array, name, edge.requires_grad)
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
                "array": self.array(array),
                "name": clean(name, 120),
                "gradient": gradient,
                "target": number,
                **more,
            }
        )
        return number

    def counted(self, target: int) -> int:
        """Count one more contribution: which one is it?"""
        fields = self.fields[target]
        fields["uses"] = fields.get("uses", 0) + 1
        return fields["uses"]

    def target(self, node: Node, k: int) -> int:
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
