"""Checks that the tables read from a file fit together.

Read next: `minigrad/stepping/play/`.
"""

from __future__ import annotations

from minigrad.stepping.record.events import (
    Array,
    Contribution,
    Event,
    Incoming,
    Operation,
    Tables,
    Value,
)
from minigrad.stepping.record.json_parts import need


def check_tables(tables: Tables) -> None:
    """Raise `Damaged` for numbers that are in range, but do not belong together."""
    for operation in tables.operations:
        _operation(tables, operation)
    for value in tables.values:
        _value(tables, value)
    for event in tables.events:
        _event(tables, event)


def _operation(tables: Tables, made: Operation) -> None:
    """Does it read what is made before it, and make its outputs alone?"""
    for number in made.inputs:
        made_by = tables.values[number].operation
        need(
            made_by is None or made_by < made.number,
            f"operation {made.number} reads what is not made yet",
        )
    need(made.outputs, f"operation {made.number} has no output")
    for number in made.outputs:
        mine = tables.values[number].operation == made.number
        need(mine, f"value {number} has two operations")


def _value(tables: Tables, value: Value) -> None:
    """Is it an output of the operation that it names?"""
    need(
        tables.values[value.target].operation == value.operation,
        f"value {value.number}: target",
    )
    if value.operation is not None:
        outputs = tables.operations[value.operation].outputs
        here = value.output < len(outputs) and outputs[value.output] == value.number
        need(here, f"value {value.number} is no output of its operation")


def _event(tables: Tables, event: Event) -> None:
    """Has it an operation, and gradients of the shapes of what they are of?"""
    need(
        event.operation is not None or event.kind in ("carried", "gradient"),
        f"event {event.number} has no operation",
    )
    operation: Operation | None = None
    if event.operation is not None:
        operation = tables.operations[event.operation]
    if isinstance(event, Incoming) and operation:
        need(len(event.gradients) == len(operation.outputs), "gradients missing")
        for k, part in zip(operation.outputs, event.gradients, strict=True):
            same = part is None or part.shape == tables.values[k].array.shape
            need(same, f"event {event.number}: a gradient of another shape")
    if isinstance(event, Contribution) and operation:
        need(event.input < len(operation.inputs), f"event {event.number}: input")
        read = tables.values[operation.inputs[event.input]]
        need(read.target == event.target, f"event {event.number}: target")
    if hasattr(event, "target"):
        array: Array = event.value  # type: ignore[attr-defined]
        there = tables.values[event.target].array
        same = array.shape == there.shape and array.dtype == there.dtype
        need(same, f"event {event.number}: another shape than its target's")
