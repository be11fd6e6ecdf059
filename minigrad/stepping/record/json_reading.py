"""Reads the JSON that `to_json` wrote into the tables of `Steps`; executes nothing.

Read next: `json_parts.py` (arrays and texts).
"""

from __future__ import annotations

import json
from typing import Any

from minigrad.engine.errors import DataError
from minigrad.reading.formula_printers import text as written
from minigrad.reading.names import Symbol
from minigrad.reading.text import clean
from minigrad.stepping.record.events import (
    KINDS,
    Array,
    Event,
    Line,
    Operation,
    Tables,
    Value,
)
from minigrad.stepping.record.json_agreement import check_tables
from minigrad.stepping.record.json_format import FORMAT, VERSION
from minigrad.stepping.record.json_parts import (
    Damaged,
    array_of,
    need,
    place_of,
    text_of,
    tree_of,
    whole,
)


def from_json(text: str | bytes) -> tuple[Tables, str, str]:
    """Tables, level and title of what `to_json` wrote. DataError for anything else."""
    try:
        data = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _foreign(f"not JSON: {error}", "is the file complete?") from None
    try:
        return _read(data)
    except Damaged as error:
        raise _foreign(str(error), "save it again with steps.save(...)") from None
    except (KeyError, TypeError, ValueError, IndexError, OverflowError,
            AttributeError, RecursionError) as error:  # fmt: skip
        what = f"{type(error).__name__}: {error}"
        raise _foreign(what, "save it again with steps.save(...)") from None


def _foreign(what: str, hint: str) -> DataError:
    return DataError(
        "this is not a file of steps, or it is damaged",
        expect=f'JSON with "format": "{FORMAT}", version {VERSION}',
        actual=clean(what, 160),
        hint=hint,
    )


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not allowed: arrays are base64")


def _read(data: Any) -> tuple[Tables, str, str]:
    need(isinstance(data, dict), "it is no object")
    need(data.get("format") == FORMAT, f'"format" is {data.get("format")!r}')
    found = data.get("version")
    need(
        found == VERSION,
        f"version {found!r}; this program reads only version {VERSION}",
    )
    reader = _Reader(data)
    tables = reader.tables()
    level: Any = data.get("level")
    title: Any = data.get("title")
    need(level in ("op", "gate", "cell"), f"level {level!r}")
    need(isinstance(title, str), "the title is no text")
    return tables, level, clean(title, 120)


class _Reader:
    """Checks and makes everything; every index must point to something."""

    def __init__(self, data: dict[str, Any]) -> None:
        for name in ("arrays", "formulas", "operations", "values", "events"):
            need(isinstance(data.get(name), list), f"{name!r} is no list")
        self.data = data
        self.arrays = [array_of(item, k) for k, item in enumerate(data["arrays"])]
        self.formulas = [tree_of(item, k) for k, item in enumerate(data["formulas"])]
        for tree in self.formulas:
            written(tree)  # fails for one with parts missing

    def tables(self) -> Tables:
        data = self.data
        counts = {"operation": len(data["operations"]), "value": len(data["values"])}
        self.counts = counts
        values = [self.value(item, k) for k, item in enumerate(data["values"])]
        operations = [
            self.operation(item, k) for k, item in enumerate(data["operations"])
        ]
        events = [self.event(item, k) for k, item in enumerate(data["events"])]
        tables = Tables(operations, values, events)
        check_tables(tables)
        return tables

    def index(self, number: Any, what: str) -> int:
        """A number of an operation or a value that there is."""
        whole(number, what)
        need(0 <= number < self.counts[what], f"there is no {what} {number}")
        return number

    def indices(self, numbers: Any, what: str) -> tuple[int, ...]:
        need(isinstance(numbers, list), f"{numbers!r} is no list of {what}s")
        return tuple([self.index(number, what) for number in numbers])

    def array(self, number: Any) -> Array:
        whole(number, "array")
        need(0 <= number < len(self.arrays), f"there is no array {number}")
        return self.arrays[number]

    def formula(self, number: Any) -> Any:
        if number is None:
            return None
        whole(number, "formula")
        need(0 <= number < len(self.formulas), f"there is no formula {number}")
        return self.formulas[number]

    def value(self, item: Any, k: int) -> Value:
        kind = item["kind"]
        need(kind in ("parameter", "input", "constant", "result"), f"value {kind!r}")
        operation = item["operation"]
        if operation is not None:
            self.index(operation, "operation")
        need((operation is None) == (kind != "result"), f"value {k}: who made it?")
        return Value(
            k,
            kind,
            Symbol(*(text_of(part, 40) for part in item["symbol"])),
            self.array(item["array"]),
            text_of(item["name"], 120),
            operation,
            whole(item["output"], "output"),
            bool(item["gradient"]),
            self.index(item["target"], "value"),
            whole(item["uses"], "uses"),
        )

    def operation(self, item: Any, k: int) -> Operation:
        inputs = self.indices(item["inputs"], "value")
        letters = tuple([text_of(letter, 12) for letter in item["letters"]])
        rules = tuple([self.formula(rule) for rule in item["rules"]])
        need(len(inputs) == len(letters) == len(rules), f"operation {k}: inputs")
        line = item["line"]
        if line is not None:
            file, number, text, first, last = line
            for place in (number, first, last):
                whole(place, "a place in a line")
            line = Line(text_of(file, 80), number, text_of(text, 200), first, last)
        origin = item["origin"]
        if origin is not None:
            need(self.index(origin, "operation") < k, f"operation {k}: origin")
        formula = self.formula(item["formula"])
        need(formula is not None, f"operation {k} has no formula")
        return Operation(
            k,
            text_of(item["name"], 60),
            inputs,
            self.indices(item["outputs"], "value"),
            letters,
            formula,
            rules,
            tuple([place_of(level) for level in item["scope"]]),
            line,
            text_of(item["rule_of"], 60),
            origin,
        )

    def event(self, item: Any, k: int) -> Event:
        kind = KINDS.get(item["kind"])
        need(kind is not None, f"an event of kind {item['kind']!r}")
        assert kind is not None
        fields: dict[str, Any] = {"number": k}
        wanted = kind.__dataclass_fields__
        for name, value in item.items():
            if name == "kind":
                continue
            need(name in wanted and name != "number", f"event {k} with {name!r}")
            if name == "operation":
                fields[name] = self.index(value, "operation")
            elif name == "target":
                fields[name] = self.index(value, "value")
            elif name == "operations":
                fields[name] = self.indices(value, "operation")
            elif name in ("value", "total"):
                fields[name] = self.array(value)
            elif name == "gradients":
                parts = [None if part is None else self.array(part) for part in value]
                fields[name] = tuple(parts)
            elif name == "aside":
                fields[name] = bool(value)
            else:
                fields[name] = whole(value, name)
        return kind(**fields)
