"""Writes an explanation as plain text for a terminal, 80 columns wide or more.

Every number of a sum is written with all its digits (the shortest decimals that give
the same floating-point number again), so that the lines can be added up by anyone.

Read next: `typeset.py`.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.engine.errors import MinigradError
from minigrad.explaining.path_listing import Path
from minigrad.explaining.step_chain import Product
from minigrad.explaining.step_cuts import Stretch
from minigrad.explaining.terms import Explained, Term, closing
from minigrad.reading.formula_printers import text as written
from minigrad.reading.text import number

NAMELESS = re.compile(r"s\d")  # a part of a state that has no letter of its own
FULL = 16  # entries: a matrix of more is shown by its shape


def text(e: Explained, max_terms: int, max_paths: int, width: int) -> str:
    """The whole explanation; see `Explanation.text`."""
    name = e.parameter
    lines = [f"dL/d{name} = {e.value}", _summary(e), ""]
    lines += _terms(e, max_terms, width)
    if np.isfinite(e.value):
        lines += _notes(e, width)
        if _listed(e, max_paths):
            lines += _paths(e, width)
        lines += _formula(e, width)
    return "\n".join(lines)


def _summary(e: Explained) -> str:
    count = len(e.terms)
    words = f"the sum of {count} {'term' if count == 1 else 'terms'}, "
    try:
        paths = e.paths.count
    except MinigradError:
        return words + f"of paths through {e.paths.entries:,} entries (not counted)"
    size = f"{paths:,}" if paths < 10**15 else f"about 10^{len(str(paths)) - 1}"
    return words + f"of {size} {'path' if paths == 1 else 'paths'} from it to the loss"


# ------------------------------------------------------------- a term per step


def _terms(e: Explained, most: int, width: int) -> list[str]:
    """The terms, latest first, and their sum; the middle of many is summed up."""
    lines = ["Step by step, in the order in which backward adds:", ""]
    values: list[Any] = []
    shown = e.terms
    first, rest = len(shown), 0
    if len(shown) > max(most, 2):
        first, rest = most - most // 2, most // 2
    for term in shown[:first]:
        lines += _term(term, width)
        values.append(term.value)
    hidden = shown[first : len(shown) - rest]
    if hidden:
        between = hidden[0].value
        for term in hidden[1:]:
            between = between + term.value
        words = f"... {len(hidden)} terms between, together"
        lines.append(_row(words, between, width))
        values.append(between)
    for term in shown[len(shown) - rest :] if rest else []:
        lines += _term(term, width)
        values.append(term.value)
    for more in closing(values, e.value):
        lines.append(
            _row("rounding: floating-point sums depend on the order", more, width)
        )
    lines.append("─" * width)
    lines.append(_row(f"dL/d{e.parameter}, added from the top", e.value, width))
    if not np.isfinite(e.value):
        bad = next(t for t in shown if not np.isfinite(t.value))
        lines.append(f"The first term that is not finite is the one of {bad.place}.")
    return [*lines, ""]


def _row(words: str, value: Any, width: int) -> str:
    """Words on the left, a number on the right."""
    shown = str(value)
    return f"{words:<{width - len(shown) - 2}}  {shown}"


def _term(term: Term, width: int) -> Iterator[str]:
    yield _row(term.place, term.value, width)
    if not np.isfinite(term.value):
        return  # products would only say NaN: 0 times infinity
    if term.reads > 3:
        loss, local = map(written, term.symbols)
        yield f"  {loss} · {local}"
        norm = number(np.linalg.norm(term.signal.astype(np.float64)))
        yield f"    ‖{loss}‖ = {norm}, the sum of {term.reads} products of Jacobians:"
        yield "    one for each later step that the loss reads"
        return
    products = term.products
    for product in products:
        lead = "  " if product is products[0] else "  + "
        yield from _filled(_elided(product), width, lead, "      ")
        yield from _numbers(product, width)
    if not products:
        yield "  the loss does not depend on it"


def _filled(factors: list[str], width: int, first: str, other: str) -> Iterator[str]:
    """A product over as many lines as it takes, broken between factors only."""
    line = first
    for number_, factor in enumerate(factors):
        last = number_ == len(factors) - 1
        piece = factor if last else factor + " ·"
        if len(line) + len(piece) > width and line.strip():
            yield line.rstrip()
            line = other
        line += piece + " "
    yield line.rstrip()


def _elided(product: Product) -> list[str]:
    factors = [factor.symbol for factor in product.factors]
    if len(factors) <= 7:
        return factors
    return [*factors[:3], f"({len(factors) - 5} more Jacobians)", *factors[-2:]]


def _numbers(product: Product, width: int) -> Iterator[str]:
    """The factors' values, in full where they are small, else how the norm goes."""
    sizes = [rows * columns for rows, columns in (f.shape for f in product.factors)]
    parts: list[str] = []
    if max(sizes) <= FULL and len(sizes) <= (12 if max(sizes) == 1 else 5):
        parts = [_matrix(factor.array) for factor in product.factors]
    if parts and max(map(len, parts)) <= width - 8:
        yield from _filled(parts, width, "    = ", "      ")
        return
    shapes = sorted({f.shape for f in product.factors[1:-1]})
    words = ", ".join(f"{r}×{c}" for r, c in shapes)
    count = len(product.factors) - 2
    yield f"    ‖{product.factors[0].symbol}‖ = {number(product.norms[0])}"
    if count:
        of = f"{count} Jacobian{'s' if count > 1 else ''} ({words})"
        yield f"    ‖the same after {of}‖ = {number(product.norms[-1])}"


def _matrix(array: np.ndarray) -> str:
    """A scalar with all its digits, a small matrix on one line, rows in brackets."""
    if array.size == 1:
        return str(array[0, 0])
    return "[" + "; ".join(" ".join(number(v) for v in row) for row in array) + "]"


def _notes(e: Explained, width: int) -> list[str]:
    """What the letters stand for."""
    lines = []
    if e.names.full:
        lines.append(e.names.full)
    if e.names.parts:
        for name, parts in e.names.examples:
            what = "gradients" if name[0] == "δ" else "values"
            words = f"{name} = ({', '.join(parts)}): the {what} that a step passes on."
            lines += textwrap.wrap(words, width, break_on_hyphens=False)
        lines.append("Matrices: spaces separate columns, semicolons separate rows.")
    row = e.stretches.of.get(e.terms[0].uses[0][0])
    if row is not None and row.step is not None and not row.reverse:
        lines.append(_indices(row))
    return [*lines, ""] if lines else []


def _indices(row: Stretch) -> str:
    """Which time index a step's state has, and which its other values."""
    states, gates = "the state", "its other values"
    if row.loop is not None:
        named = row.loop.state_names
        if named and not any(NAMELESS.fullmatch(name) for name in named):
            states += f"{'s' * (len(named) > 1)} {', '.join(named)}"
        if row.loop.gates:
            gates = "its gates"
    return f"Step t computes {states} of t + 1; {gates} have index t."


# ------------------------------------------------------------- path by path


def _listed(e: Explained, most: int) -> bool:
    try:
        return e.paths.entries <= 5_000 and e.paths.count <= most
    except MinigradError:
        return False


def _paths(e: Explained, width: int) -> list[str]:
    """Every path with its local derivatives; the paths of a step add up to its term."""
    lines = ["Path by path: local derivatives from the loss back to the parameter", ""]
    for term in e.terms:
        paths = term.paths
        lines.append(_row(term.place, term.value, width))
        zeros = [path for path in paths if path.value == 0]
        if len(zeros) < 2:  # else they are told together: they add nothing
            zeros = []
        lead = "    "
        for path in paths:
            if path not in zeros:
                lines += _path(path, width, lead)
                lead = "  + "
        if zeros:
            lines.append(f"{lead}{len(zeros)} paths whose product is 0")
        for more in closing([path.value for path in paths], term.value):
            lines.append(_row("  + rounding", more, width))
    lines += ["", "Each path is multiplied from the left. The paths of a step are"]
    return [
        *lines,
        "added from the top: this gives the numbers above, to the last digit.",
        "",
    ]


def _path(path: Path, width: int, lead: str) -> Iterator[str]:
    yield from _filled([s for s, _ in path.factors] or ["1"], width, lead, "      ")
    if len(path.factors) > 1:
        values = [str(value) for _, value in path.factors]
        yield from _filled(values, width, "      = ", "        ")
    yield f"      = {path.value}"


def _formula(e: Explained, width: int) -> list[str]:
    """The formula in the parameters, where there is a short one."""
    if not e.readable:
        return []
    shown = str(e.formula).replace("**", "^").replace("*", "·")
    lines = ["In the parameters and inputs:", ""]
    lines += textwrap.wrap(
        f"dL/d{e.parameter} = {shown}",
        width,
        initial_indent="  ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return [*lines, ""]
