"""Keeps what a function returned, each array, line of a picture and result once.

Numbers are kept as the eight bytes of a float64: the page shows exactly them.

Read next: `explore_page.py`.
"""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np

from minigrad.engine.errors import DTypeError
from minigrad.exploring.result_kinds import (
    Figure,
    Grid,
    Lines,
    Picture,
    Result,
    Text,
)
from minigrad.pages.themed_svg import Colours

KINDS = {float: "number", bool: "truth", Text: "text", Lines: "lines", Grid: "grid",
         Picture: "picture", Figure: "figure"}  # fmt: skip


class Packed:
    """The results of all settings.

    results   by name: kind, labels of axes, and `at`: per setting the number of the
              record that it shows, or None where it has none
    size      of what is kept, as it will be written into the page, in bytes
    colours   of the drawings, light and dark
    """

    def __init__(self, settings: int) -> None:
        self.settings = settings
        self.results: dict[str, dict[str, Any]] = {}
        self.size = 0
        self.colours = Colours()
        self._done = 0
        self._arrays: dict[bytes, int] = {}  # bytes -> offset, in numbers
        self._length = 0
        self._lines: dict[str, int] = {}  # of SVG, in the order of their numbers
        self._records: dict[str, dict[str, int]] = {}

    def add(self, found: dict[str, Result]) -> None:
        """The results of the next setting. DTypeError if one has changed its kind."""
        for name, value in found.items():
            kind = KINDS[type(value)]
            entry = self.results.get(name)
            if entry is None:
                entry = {"kind": kind, "at": [None] * self._done, "records": []}
                entry |= _labels(value)
                self.results[name] = entry
                self._records[name] = {}
            elif entry["kind"] != kind:
                raise DTypeError(
                    f"explore: the result {name!r} is not always of one kind",
                    expect=entry["kind"],
                    actual=kind,
                    hint="return results of different kinds under different names",
                )
            record = self._record(value)
            text = json.dumps(record)
            known = self._records[name]
            if text not in known:
                known[text] = len(known)
                entry["records"].append(record)
                self.size += len(text)
            entry["at"].append(known[text])
            self.size += 5
        self._done += 1
        for entry in self.results.values():
            entry["at"] += [None] * (self._done - len(entry["at"]))

    def data(self) -> dict[str, Any]:
        """For the page's JSON."""
        raw = b"".join(self._arrays)
        return {
            "results": [{"name": n, **entry} for n, entry in self.results.items()],
            "numbers": base64.b64encode(raw).decode(),
            "svg": list(self._lines),
        }

    def read(self, number: int) -> dict[str, Any]:
        """The results of one setting, from what the page is made of."""
        raw = np.frombuffer(b"".join(self._arrays), "<f8")
        lines = list(self._lines)

        def array(place: list[int]) -> np.ndarray:
            return raw[place[0] : place[0] + place[1]].copy()

        found: dict[str, Any] = {}
        for name, entry in self.results.items():
            if entry["at"][number] is None:
                continue
            record, kind = entry["records"][entry["at"][number]], entry["kind"]
            if kind == "number":
                found[name] = float(raw[record])
            elif kind == "lines":
                if entry["plain"]:
                    found[name] = array(record["curves"][0][2])
                    continue
                series = {
                    label: array(y) if x is None else (array(x), array(y))
                    for label, x, y in record["curves"]
                }
                found[name] = Lines(
                    series,
                    record["labels"],
                    xlabel=entry["x"],
                    ylabel=entry["y"],
                    xlim=entry["xlim"],
                    log=entry["log"],
                )
            elif kind == "grid":
                place, n, m, rows, columns, shape = record
                cells = array([place, n * m]).reshape(shape or (n, m))
                found[name] = cells if shape else Grid(cells, rows, columns)
            elif kind in ("picture", "figure"):
                found[name] = "\n".join(lines[k] for k in record)
            else:
                found[name] = record
        return found

    def _record(self, value: Result) -> Any:
        """A result as JSON: numbers by their place, lines of SVG by their number."""
        if isinstance(value, bool):
            return value
        if isinstance(value, float):
            return self._array(np.float64(value))[0]
        if isinstance(value, Text):
            return value.words
        if isinstance(value, Lines):
            curves = [
                [name, None if x is None else self._array(x), self._array(y)]
                for name, (x, y) in value.series.items()
            ]
            return {"curves": curves, "labels": value.labels}
        if isinstance(value, Grid):
            place, _ = self._array(value.values)
            names = value.rows, value.columns
            return [place, *value.values.shape, *names, value.shape]
        if isinstance(value, Picture):
            merged = self.colours.merge(value.light, value.dark)
            return self._svg(merged)
        return self._svg(value.svg)

    def _array(self, array: Any) -> list[int]:
        """Where an array is kept: its first number, and how many there are."""
        raw = np.ascontiguousarray(array, "<f8").tobytes()
        count = len(raw) // 8
        if raw not in self._arrays:
            self._arrays[raw] = self._length
            self._length += count
            self.size += 4 * len(raw) // 3
        return [self._arrays[raw], count]

    def _svg(self, text: str) -> list[int]:
        """The lines of an SVG, from its first element on."""
        numbers = []
        for line in text[text.index("<svg") :].split("\n"):
            if line not in self._lines:
                self._lines[line] = len(self._lines)
                self.size += len(line) + 3
            numbers.append(self._lines[line])
        return numbers


def _labels(value: Result) -> dict[str, Any]:
    """What a plot's axes are called; taken from the first setting."""
    if isinstance(value, Lines):
        plain = value.shape is not None
        labels = {"x": value.xlabel, "y": value.ylabel, "xlim": value.xlim}
        return {**labels, "log": value.log, "plain": plain}
    return {}
