"""`Steps` as JSON and back: lossless, versioned, nothing executed.

    {"format": "minigrad-steps", "version": 1, "minigrad": "0.1.0",
     "title": str, "level": "op" | "gate" | "cell",
     "arrays":     [{"dtype": "float64", "shape": [1, 4], "data": base64}, ...],
     "formulas":   [tree, ...],
     "operations": [{"name", "inputs", "outputs", "letters", "formula", "rules",
                     "scope", "line", "rule_of", "origin"}, ...],
     "values":     [{"kind", "symbol", "array", "name", "operation", "output",
                     "gradient", "target", "uses"}, ...],
     "events":     [{"kind": "forward", "operation": 0}, ...]}

Arrays are the bytes of their entries, in C order, the lowest byte first: NaN and
infinities included, every bit kept. One that was too large has no "data" but "sample"
(base64) and "facts" [minimum, maximum, mean, norm, NaNs, infinities], as hexadecimal
floats. "formula", "rules" and every array are indices into the lists above them; equal
ones are stored once. The fields are those of the classes in `events.py`. A reader
refuses a version that it does not know. docs/steps-format.md has it all.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import math
from typing import Any

import numpy as np

from minigrad.engine.errors import DataError
from minigrad.reading.formula_text import text as written
from minigrad.reading.names import Symbol
from minigrad.reading.text import clean
from minigrad.stepping.record.events import (
    KINDS,
    SAMPLE,
    Array,
    Carried,
    Contribution,
    Event,
    Facts,
    Incoming,
    Line,
    Operation,
    Place,
    Stacked,
    Tables,
    Value,
)

FORMAT, VERSION = "minigrad-steps", 1
DTYPES = (
    "float16 float32 float64 complex64 complex128 bool int8 int16 int32 int64 "
    "uint8 uint16 uint32 uint64"
).split()
DEEPEST = 40  # levels of a formula


# ------------------------------------------------------------- writing


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
        self.arrays: list[dict] = []
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


# ------------------------------------------------------------- reading


class _Bad(Exception):
    """Something in the file is not as it should be."""


def from_json(text: str | bytes) -> Any:
    """`Steps` from what `to_json` wrote. DataError for anything else."""
    from minigrad.stepping.stepper import Steps

    try:
        data = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise _foreign(f"no JSON: {error}", "is the file complete?") from None
    try:
        return _read(data, Steps)
    except _Bad as error:
        raise _foreign(str(error), "save it again with steps.save(...)") from None
    except (KeyError, TypeError, ValueError, IndexError, OverflowError,
            AttributeError, RecursionError) as error:  # fmt: skip
        what = f"{type(error).__name__}: {error}"
        raise _foreign(what, "save it again with steps.save(...)") from None


def _foreign(what: str, hint: str) -> DataError:
    return DataError(
        "this is no file of steps, or it is damaged",
        expect=f'JSON with "format": "{FORMAT}", version {VERSION}',
        actual=clean(what, 160),
        hint=hint,
    )


def _no_constant(word: str) -> Any:
    raise ValueError(f"{word} is not allowed: arrays are base64")


def _need(holds: Any, what: str) -> None:
    if not holds:
        raise _Bad(what)


def _read(data: Any, made: Any) -> Any:
    _need(isinstance(data, dict), "it is no object")
    _need(data.get("format") == FORMAT, f'"format" is {data.get("format")!r}')
    found = data.get("version")
    _need(found == VERSION, f"version {found!r}: only {VERSION} is known here")
    reader = _Reader(data)
    tables = reader.tables()
    level, title = data.get("level"), data.get("title")
    _need(level in ("op", "gate", "cell"), f"level {level!r}")
    _need(isinstance(title, str), "the title is no text")
    return made(tables, level, clean(title, 120))


class _Reader:
    """Checks and makes everything; every index must point to something."""

    def __init__(self, data: dict[str, Any]) -> None:
        for name in ("arrays", "formulas", "operations", "values", "events"):
            _need(isinstance(data.get(name), list), f"{name!r} is no list")
        self.data = data
        self.arrays = [_array(item, k) for k, item in enumerate(data["arrays"])]
        self.formulas = [_tree(item, k) for k, item in enumerate(data["formulas"])]
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
        _agree(tables)
        return tables

    def index(self, number: Any, what: str) -> int:
        """A number of an operation or a value that there is."""
        _whole(number, what)
        _need(0 <= number < self.counts[what], f"there is no {what} {number}")
        return number

    def indices(self, numbers: Any, what: str) -> tuple[int, ...]:
        _need(isinstance(numbers, list), f"{numbers!r} is no list of {what}s")
        return tuple([self.index(number, what) for number in numbers])

    def array(self, number: Any) -> Array:
        _whole(number, "array")
        _need(0 <= number < len(self.arrays), f"there is no array {number}")
        return self.arrays[number]

    def formula(self, number: Any) -> Any:
        if number is None:
            return None
        _whole(number, "formula")
        _need(0 <= number < len(self.formulas), f"there is no formula {number}")
        return self.formulas[number]

    def value(self, item: Any, k: int) -> Value:
        kind = item["kind"]
        _need(kind in ("parameter", "input", "constant", "result"), f"value {kind!r}")
        operation = item["operation"]
        if operation is not None:
            self.index(operation, "operation")
        _need((operation is None) == (kind != "result"), f"value {k}: who made it?")
        return Value(
            k,
            kind,
            Symbol(*(_text(part, 40) for part in item["symbol"])),
            self.array(item["array"]),
            _text(item["name"], 120),
            operation,
            _whole(item["output"], "output"),
            bool(item["gradient"]),
            self.index(item["target"], "value"),
            _whole(item["uses"], "uses"),
        )

    def operation(self, item: Any, k: int) -> Operation:
        inputs = self.indices(item["inputs"], "value")
        letters = tuple([_text(letter, 12) for letter in item["letters"]])
        rules = tuple([self.formula(rule) for rule in item["rules"]])
        _need(len(inputs) == len(letters) == len(rules), f"operation {k}: inputs")
        line = item["line"]
        if line is not None:
            file, number, text, first, last = line
            for place in (number, first, last):
                _whole(place, "a place in a line")
            line = Line(_text(file, 80), number, _text(text, 200), first, last)
        origin = item["origin"]
        if origin is not None:
            _need(self.index(origin, "operation") < k, f"operation {k}: origin")
        formula = self.formula(item["formula"])
        _need(formula is not None, f"operation {k} has no formula")
        return Operation(
            k,
            _text(item["name"], 60),
            inputs,
            self.indices(item["outputs"], "value"),
            letters,
            formula,
            rules,
            tuple([_place(level) for level in item["scope"]]),
            line,
            _text(item["rule_of"], 60),
            origin,
        )

    def event(self, item: Any, k: int) -> Event:
        kind = KINDS.get(item["kind"])
        _need(kind is not None, f"an event of kind {item['kind']!r}")
        assert kind is not None
        fields: dict[str, Any] = {"number": k}
        wanted = kind.__dataclass_fields__
        for name, value in item.items():
            if name == "kind":
                continue
            _need(name in wanted and name != "number", f"event {k} with {name!r}")
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
                fields[name] = _whole(value, name)
        return kind(**fields)


def _agree(tables: Tables) -> None:
    """Numbers that are in range, but do not belong together."""
    for made in tables.operations:
        for number in made.inputs:
            made_by = tables.values[number].operation
            _need(
                made_by is None or made_by < made.number,
                f"operation {made.number} reads what is not made yet",
            )
        _need(made.outputs, f"operation {made.number} has no output")
        for number in made.outputs:
            mine = tables.values[number].operation == made.number
            _need(mine, f"value {number} has two operations")
    for value in tables.values:
        _need(
            tables.values[value.target].operation == value.operation,
            f"value {value.number}: target",
        )
        if value.operation is not None:
            outputs = tables.operations[value.operation].outputs
            here = value.output < len(outputs) and outputs[value.output] == value.number
            _need(here, f"value {value.number} is no output of its operation")
    for event in tables.events:
        _need(
            event.operation is not None or event.kind in ("carried", "gradient"),
            f"event {event.number} has no operation",
        )
        operation: Operation | None = None
        if event.operation is not None:
            operation = tables.operations[event.operation]
        if isinstance(event, Incoming) and operation:
            _need(len(event.gradients) == len(operation.outputs), "gradients missing")
            for k, part in zip(operation.outputs, event.gradients, strict=True):
                same = part is None or part.shape == tables.values[k].array.shape
                _need(same, f"event {event.number}: a gradient of another shape")
        if isinstance(event, Contribution) and operation:
            _need(event.input < len(operation.inputs), f"event {event.number}: input")
            read = tables.values[operation.inputs[event.input]]
            _need(read.target == event.target, f"event {event.number}: target")
        if hasattr(event, "target"):
            array: Array = event.value  # type: ignore[attr-defined]
            there = tables.values[event.target].array
            same = array.shape == there.shape and array.dtype == there.dtype
            _need(same, f"event {event.number}: another shape than its target's")


def _whole(number: Any, what: str) -> int:
    right = type(number) is int and 0 <= number < 1 << 40
    _need(right, f"{clean(repr(number), 40)} is no {what}")
    return number


def _text(text: Any, longest: int) -> str:
    _need(isinstance(text, str), f"{clean(repr(text), 40)} is no text")
    return clean(text, longest)


def _place(level: Any) -> Place:
    kind, name, index = level
    if kind == "step":
        _whole(index, "time step")
    elif isinstance(index, list):
        number, reverse = index
        index = _whole(number, "layer"), bool(reverse)
    elif isinstance(index, str):
        index = _text(index, 12)
    elif index is not None:
        _whole(index, "index of a scope")
    if kind == "gate":
        index = str(index or "")
    return Place(_text(kind, 20), _text(name, 60), index)


def _array(item: Any, k: int) -> Array:
    """One array: its size must be what its bytes say."""
    dtype, shape = item["dtype"], item["shape"]
    _need(dtype in DTYPES, f"array {k}: dtype {dtype!r}")
    _need(isinstance(shape, list) and len(shape) <= 32, f"array {k}: shape")
    shape = tuple([_whole(n, "length of an axis") for n in shape])
    if "data" in item:
        flat = _decoded(item["data"], dtype, math.prod(shape), k)
        return Array(shape, dtype, flat.reshape(shape))
    low, high, mean, norm, nans, infinities = item["facts"]
    floats = [float.fromhex(x) for x in (low, high, mean, norm)]
    counts = _whole(nans, "count"), _whole(infinities, "count")
    facts = Facts(floats[0], floats[1], floats[2], floats[3], *counts)
    _need(math.prod(shape) >= SAMPLE, f"array {k}: too small for a sample")
    return Array(
        shape, dtype, None, (_decoded(item["sample"], dtype, SAMPLE, k), facts)
    )


def _decoded(text: Any, dtype: str, size: int, k: int) -> np.ndarray:
    _need(isinstance(text, str), f"array {k} has no bytes")
    width = np.dtype(dtype).itemsize
    _need(len(text) == 4 * -(-size * width // 3), f"array {k} has not {size} entries")
    try:
        raw = base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise _Bad(f"array {k}: {error}") from None
    _need(len(raw) == size * width, f"array {k} has not {size} entries")
    array = np.frombuffer(raw, np.dtype(dtype).newbyteorder("<"))
    if dtype == "bool":
        _need((array.view("u1") <= 1).all(), f"array {k}: no booleans")
    array = array.astype(dtype, copy=False)
    array.setflags(write=False)
    return array


def _tree(item: Any, k: int) -> Any:
    """A formula, with safe text in it and not too deep. Not recursive."""
    todo: list[tuple[Any, int]] = [(item, 0)]
    while todo:
        part, depth = todo.pop()
        _need(depth <= DEEPEST, f"formula {k} is too deep")
        if isinstance(part, list):
            _need(part and isinstance(part[0], str), f"formula {k} has an empty part")
            todo += [(inner, depth + 1) for inner in part]
        elif isinstance(part, str):
            _need(clean(part, 80) == part, f"formula {k}: text")
        else:
            right = type(part) in (int, float) and abs(part) < 1e300
            _need(right, f"formula {k}: {clean(repr(part), 30)}")
    return item
