"""Sums of products over named axes: `einsum("btd,bsd->bts", queries, keys)`.

Before anything is recorded the call is brought into one form: every letter stands once
in an operand, in another operand or in the result, and has one length. Then the rule is
an einsum too, with the letters of the result and of an input exchanged.

Read next: `messages.py`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from minigrad.engine.aliases import Operand, Shape, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, DTypeError, ShapeError
from minigrad.engine.primitives.base import primitive
from minigrad.engine.primitives.index import getitem
from minigrad.engine.primitives.operands import operand
from minigrad.engine.primitives.reduce import sum_over
from minigrad.engine.primitives.shape import broadcast_to, transpose

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


@primitive(name="einsum", expect="a letter per axis, of one length wherever it stands")
def _einsum(*operands, subscripts):
    """y = the products of entries with equal letters, summed over those not in y."""
    if len(operands) == 1:
        return np.einsum(subscripts, *operands)
    path = _path(subscripts, tuple([x.shape for x in operands]))
    return np.einsum(subscripts, *operands, optimize=path)


@_einsum.defvjp
def einsum_vjp(g, y, *operands, subscripts, needs):
    """dL/dx_k = the sum with g in the place of x_k, and their letters exchanged."""
    inputs, out = _parts(subscripts)
    found: list[Any] = [None] * len(operands)
    for k, wanted in enumerate(needs):
        if wanted:
            others = [operands[j] for j in range(len(operands)) if j != k]
            letters = [out, *(inputs[j] for j in range(len(operands)) if j != k)]
            swapped = f"{','.join(letters)}->{inputs[k]}"
            found[k] = _einsum(g, *others, subscripts=swapped)
    return tuple(found)


def _parts(subscripts: str) -> tuple[list[str], str]:
    inputs, out = subscripts.split("->")
    return inputs.split(","), out


@lru_cache(maxsize=256)
def _path(subscripts: str, shapes: tuple[Shape, ...]) -> Any:
    """In which order NumPy should multiply the operands."""
    blank = [np.broadcast_to(0.0, shape) for shape in shapes]
    return np.einsum_path(subscripts, *blank, optimize="greedy")[0]


# ------------------------------------------------------------- as NumPy writes it


@checked_call
def einsum(subscripts: str, *operands: Operand) -> Value:
    """Einstein's sums, in NumPy's notation: "ij,jk->ik" is a matrix product.

    A letter names an axis; letters missing after "->" are summed over. Without "->" the
    result has the letters that stand once, in alphabetical order. A letter twice in one
    operand takes its diagonal; "..." stands for the axes not named.
    Raises ArgumentError for a text that is no such notation, ShapeError where it does
    not fit the operands.
    """
    if not isinstance(subscripts, str):
        raise DTypeError(
            "einsum(subscripts, ...): the letters come first, as a text",
            expect='einsum("ij,jk->ik", a, b)',
            actual=f"{subscripts!r:.60} ({type(subscripts).__name__})",
            hint="NumPy's other form, with lists of numbers for axes, is not offered",
        )
    items = [operand(x) for x in operands]
    call = f"einsum({subscripts!r})"
    inputs, out = _letters(call, subscripts, items)
    for k, letters in enumerate(inputs):
        items[k], inputs[k] = _once_each(items[k], letters)
    items = _one_length(call, items, inputs)
    for k, letters in enumerate(inputs):
        elsewhere = set(out).union(*inputs[:k], *inputs[k + 1 :])
        alone = tuple(j for j, letter in enumerate(letters) if letter not in elsewhere)
        if alone:
            items[k] = sum_over(items[k], alone)
            inputs[k] = "".join(c for c in letters if c in elsewhere)
    return _einsum(*items, subscripts=f"{','.join(inputs)}->{out}")


def _letters(call: str, subscripts: str, items: list[Any]) -> tuple[list[str], str]:
    """The letters of each operand and of the result, "..." written out."""
    text = subscripts.replace(" ", "")
    left, arrow, out = text.partition("->")
    inputs = left.split(",")
    named = set((left + out).replace("...", ""))
    if named - {*LETTERS, ","} or "," in out:
        raise ArgumentError(
            f"{call}: not in the notation",
            expect='letters, "," between operands, "..." and one "->"',
            actual=repr(subscripts),
            hint='for example "bij,bjk->bik"',
        )
    if len(inputs) != len(items):
        raise ArgumentError(
            f"{call}: another number of operands than of groups of letters",
            expect=f"{len(inputs)} operands",
            actual=f"{len(items)}",
            hint='"," stands between the letters of one operand and the next',
        )
    spare = "".join(c for c in LETTERS if c not in text)
    unnamed = ""  # what the longest "..." stands for
    for k, letters in enumerate(inputs):
        shape = tuple(items[k].shape)
        count = len(shape) - len(letters.replace("...", ""))
        if count < 0 or (count and "..." not in letters) or letters.count(".") > 3:
            raise ShapeError(
                f"{call}: another number of letters than of axes",
                expect=f"{len(shape)} letters for operand {k}",
                actual=f"{letters!r} for shape {shape}",
                hint='"..." stands for the axes that are not named',
            )
        inputs[k] = letters.replace("...", spare[:count][::-1])
        unnamed = max(unnamed, spare[:count][::-1], key=len)
    if not arrow:
        once = [c for c in sorted(set(left) - set(".,")) if left.count(c) == 1]
        return inputs, unnamed + "".join(once)
    out = out.replace("...", unnamed)
    wrong = [c for c in out if out.count(c) > 1 or c not in "".join(inputs)]
    if wrong:
        raise ArgumentError(
            f"{call}: the result cannot have these letters",
            expect="each letter once, and one that an operand has",
            actual=f"{wrong[0]!r} in {out!r}",
            hint="an axis of the result comes from an operand",
        )
    return inputs, out


def _once_each(x: Any, letters: str) -> tuple[Any, str]:
    """x with its diagonal taken over each letter that it has more than once."""
    for letter in dict.fromkeys(letters):
        places = [k for k, c in enumerate(letters) if c == letter]
        if len(places) == 1:
            continue
        rest = [k for k in range(len(letters)) if k not in places]
        length = max(x.shape[k] for k in places)
        if any(x.shape[k] != length for k in places):
            raise ShapeError(
                f"einsum: no diagonal over {letter!r}",
                expect=f"axes {places} of one length",
                actual=f"{letters!r} for shape {tuple(x.shape)}",
                hint="a letter that stands twice in an operand takes its diagonal",
            )
        along = (np.arange(length),) * len(places)
        x = getitem(transpose(x, *places, *rest), along)
        letters = letter + "".join(letters[k] for k in rest)
    return x, letters


def _one_length(call: str, items: list[Any], inputs: list[str]) -> list[Any]:
    """The operands, axes of length 1 repeated to the length their letter has."""
    lengths: dict[str, int] = {}
    for x, letters in zip(items, inputs, strict=True):
        for letter, n in zip(letters, x.shape, strict=True):
            known = lengths.setdefault(letter, n)
            if known == 1:
                lengths[letter] = n
            elif n not in (1, known):
                raise ShapeError(
                    f"{call}: {letter!r} has two lengths",
                    expect="one length for a letter wherever it stands, or 1",
                    actual=f"{known} != {n}        "
                    + "     ".join(str(tuple(item.shape)) for item in items),
                    hint="print the operands' .shape where you make them",
                )
    wanted = [tuple(lengths[c] for c in letters) for letters in inputs]
    return [
        x if tuple(x.shape) == shape else broadcast_to(x, shape)
        for x, shape in zip(items, wanted, strict=True)
    ]
