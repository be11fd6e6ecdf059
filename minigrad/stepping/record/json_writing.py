"""Writes `Steps` as JSON; equal arrays and equal formulas are stored once.

Read next: `json_reading.py`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import numpy as np

from minigrad.engine.errors import DataError
from minigrad.stepping.record.events import (
    Array,
    Carried,
    Contribution,
    Incoming,
    Operation,
    Stacked,
    Value,
)
from minigrad.stepping.record.json_format import DTYPES, FORMAT, VERSION


def to_json(steps: Any) -> str:
    """The whole of it as JSON text."""
    return json.dumps(
        to_data(steps), ensure_ascii=True, separators=(",", ":"), allow_nan=False
    )


def to_data(steps: Any, largest: int | None = None) -> dict[str, Any]:
    """The same as plain dicts and lists; arrays above `largest` only as summaries."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        made_by = version("minigrad")
    except PackageNotFoundError:
        made_by = "unknown"
    writer = _Writer(largest)
    operations = [writer.operation(operation) for operation in steps.operations]
    values = [writer.value(value) for value in steps.values]
    events = [writer.event(event) for event in steps.events]
    return {
        "format": FORMAT,
        "version": VERSION,
        "minigrad": made_by,
        "title": steps.title,
        "level": steps.level,
        "arrays": writer.arrays,
        "formulas": writer.formulas,
        "operations": operations,
        "values": values,
        "events": events,
    }


class _Writer:
    """Collects arrays and formulas; equal ones once."""

    def __init__(self, largest: int | None) -> None:
        self.largest = largest
        self.arrays: list[dict[str, Any]] = []
        self.formulas: list[Any] = []
        self._arrays: dict[Any, int] = {}
        self._records: dict[int, int] = {}
        self._formulas: dict[str, int] = {}

    def array(self, record: Array) -> int:
        """The number of an array."""
        known = self._records.get(id(record))
        if known is not None:
            return known
        whole = record
        if self.largest is not None and record.array is not None:
            record = Array.of(record.array, self.largest)
        data: dict[str, Any] = {"dtype": record.dtype, "shape": list(record.shape)}
        if record.dtype not in DTYPES:
            raise DataError(
                f"steps: an array of dtype {record.dtype} cannot be written",
                expect=f"one of {', '.join(DTYPES)}",
                actual=record.dtype,
                hint="use float64",
            )
        if record.array is not None:
            data["data"] = _encoded(record.array)
        else:
            facts = record.facts
            data["sample"] = _encoded(record.sample)
            data["facts"] = [
                *(float(x).hex() for x in
                  (facts.minimum, facts.maximum, facts.mean, facts.norm)),
                facts.nans, facts.infinities,
            ]  # fmt: skip
        digest = hashlib.sha256(json.dumps(data).encode()).digest()
        number = self._arrays.setdefault(digest, len(self.arrays))
        if number == len(self.arrays):
            self.arrays.append(data)
        self._records[id(whole)] = number
        return number

    def formula(self, tree: Any) -> int | None:
        """The number of a formula."""
        if tree is None:
            return None
        key = json.dumps(tree)
        number = self._formulas.setdefault(key, len(self.formulas))
        if number == len(self.formulas):
            self.formulas.append(json.loads(key))
        return number

    def operation(self, operation: Operation) -> dict[str, Any]:
        line = operation.line
        return {
            "name": operation.name,
            "inputs": list(operation.inputs),
            "outputs": list(operation.outputs),
            "letters": list(operation.letters),
            "formula": self.formula(operation.formula),
            "rules": [self.formula(rule) for rule in operation.rules],
            "scope": [[p.kind, p.name, p.index] for p in operation.scope],
            "line": line and [line.file, line.number, line.text, line.first, line.last],
            "rule_of": operation.rule_of,
            "origin": operation.origin,
            "elsewhere": operation.elsewhere and list(operation.elsewhere),
        }

    def value(self, value: Value) -> dict[str, Any]:
        symbol = value.symbol
        return {
            "kind": value.kind,
            "symbol": [symbol.base, symbol.sub, symbol.sup],
            "array": self.array(value.array),
            "name": value.name,
            "operation": value.operation,
            "output": value.output,
            "gradient": value.gradient,
            "target": value.target,
            "uses": value.uses,
        }

    def event(self, event: Any) -> dict[str, Any]:
        data: dict[str, Any] = {"kind": event.kind}
        if event.operation is not None:
            data["operation"] = event.operation
        if isinstance(event, Incoming):
            data["gradients"] = [
                None if part is None else self.array(part) for part in event.gradients
            ]
            return data
        for name in ("input", "target", "index", "count"):
            if hasattr(event, name):
                data[name] = getattr(event, name)
        if isinstance(event, Stacked):
            data["operations"] = list(event.operations)
        if isinstance(event, Contribution | Carried):
            data["aside"] = event.aside
        if isinstance(event, Contribution) and event.total is not None:
            data["total"] = self.array(event.total)
        if hasattr(event, "value"):
            data["value"] = self.array(event.value)
        return data


def _encoded(array: np.ndarray) -> str:
    """The bytes of an array, the lowest first, as base64."""
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return base64.b64encode(np.ascontiguousarray(little).tobytes()).decode()
