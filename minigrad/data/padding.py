"""Sequences of unequal length as one array, and the mask that says what is real.

Read next: `batching.py` (which picks the sequences to pad).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, TypeVar, overload

import numpy as np
from numpy.typing import DTypeLike, NDArray

from minigrad.data.argument_checks import (
    cast_exactly,
    is_sequence,
    number_array,
    number_dtype,
    shortened,
    whole_number,
)
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import (
    ArgumentError,
    DataError,
    DTypeError,
    ShapeError,
    flag,
)

Token = TypeVar("Token")
Side = Literal["pre", "post"]

_ENCODE = "encode words first: vocabulary.encode(text); or dtype=object to pad words"


@overload
def pad_sequences(
    sequences: Iterable[Any],
    maxlen: int | None = ...,
    dtype: DTypeLike = ...,
    padding: Side = ...,
    truncating: Side = ...,
    value: Any = ...,
    return_mask: Literal[False] = ...,
) -> NDArray[Any]: ...
@overload
def pad_sequences(
    sequences: Iterable[Any],
    maxlen: int | None = ...,
    dtype: DTypeLike = ...,
    padding: Side = ...,
    truncating: Side = ...,
    value: Any = ...,
    *,
    return_mask: Literal[True],
) -> tuple[NDArray[Any], NDArray[np.bool_]]: ...
@checked_call
def pad_sequences(
    sequences: Iterable[Any],
    maxlen: int | None = None,
    dtype: DTypeLike = "int32",
    padding: Side = "pre",
    truncating: Side = "pre",
    value: Any = 0,
    return_mask: bool = False,
) -> NDArray[Any] | tuple[NDArray[Any], NDArray[np.bool_]]:
    """Make sequences equally long: pad the short ones, cut the long ones.

        pad_sequences([[1], [2, 3], [4, 5, 6]])
        -> [[0, 0, 1], [0, 2, 3], [4, 5, 6]]
        pad_sequences([[1], [2, 3], [4, 5, 6]], maxlen=2)
        -> [[0, 1], [2, 3], [5, 6]]

    Names, defaults and results are those of Keras' function of this name, but that a
    value which an integer `dtype` would cut off (1.5, or 300 for int8) is an error, and
    that words want dtype=object; `return_mask` is new.

    **The array is (B, T), the mask is (T, B).** The array keeps Keras' layout, one row
    per sequence; the mask has the layout of the recurrent models, time first. So they
    go together as `x.T` and `mask`:

        x, mask = pad_sequences(sequences, return_mask=True)   # (B, T) and (T, B)
        output, state = lstm(embed(x.T), mask=mask)

    Args:
        sequences: B sequences of numbers, each of any length (0 gives a row of padding
            alone), or each of shape (t, *features).
        maxlen: length T of the result; None is the longest sequence's.
        dtype: dtype of the array; `object` pads anything, words too.
        padding: "pre" puts the padding before a short sequence, "post" after it.
        truncating: "pre" drops the start of a long sequence, "post" its end.
        value: what the padding is filled with.
        return_mask: return (array, mask), mask True where a step is real. The mask is
            made from the lengths, so a real step that equals `value` counts as real.

    Shapes:  B sequences (t_b, *features) -> array (B, T, *features); mask (T, B) bool
    Units:   those of the sequences.
    Errors:  ArgumentError for maxlen < 1 and other words than "pre" and "post";
             DataError if there is no sequence at all; ShapeError for numbers where
             sequences are wanted, and for uneven nesting; DTypeError for words (unless
             dtype is object) and for values that `dtype` does not hold.
    Note:    next-word training takes x = padded[:, :-1] and y = padded[:, -1]. That is
             right only with padding="pre": with "post" the last column is padding, and
             the network learns to predict nothing at all.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ArgumentError(
                f"pad_sequences({name}={side!r}): there is no such side",
                expect=f'{name}="pre" or {name}="post"',
                actual=repr(side),
                hint='"pre" is the start of each sequence, "post" its end',
            )
    if maxlen is not None:
        maxlen = whole_number("pad_sequences", "maxlen", maxlen, least=1)
    wanted = number_dtype("pad_sequences", dtype, or_object=True)
    rows = [_row(k, row, wanted) for k, row in enumerate(_list(sequences))]
    if not rows:
        raise DataError(
            "pad_sequences(sequences): there are no sequences",
            expect="at least one sequence",
            actual="none",
            hint="is the part of the data empty, or a generator already used up?",
        )
    features = next((row.shape[1:] for row in rows if len(row)), ())
    steps = max(map(len, rows)) if maxlen is None else maxlen
    padded = np.full((len(rows), steps, *features), _fill(value, wanted), wanted)
    mask = np.zeros((steps, len(rows)), dtype=bool)
    for k, row in enumerate(rows):
        if not len(row):  # its feature shape is unknown, and nothing is to be put
            continue
        if row.shape[1:] != features:
            raise ShapeError(
                f"pad_sequences(sequences): sequences[{k}] has other features",
                expect=f"a step of shape {features}, as in the sequences before",
                actual=f"a step of shape {row.shape[1:]}",
                hint="every step of every sequence needs the same shape",
            )
        kept = row[max(0, len(row) - steps) :] if truncating == "pre" else row[:steps]
        first = steps - len(kept) if padding == "pre" else 0
        padded[k, first : first + len(kept)] = kept
        mask[first : first + len(kept), k] = True
    return (padded, mask) if flag("return_mask", return_mask) else padded


@checked_call
def ngram_prefixes(sequence: Sequence[Token] | np.ndarray) -> list[list[Token]]:
    """Every beginning of a sequence that has a word to predict, the shortest first.

        ngram_prefixes([4, 7, 2]) -> [[4, 7], [4, 7, 2]]

    In each, all but the last word are the input and the last word is the answer. Pad
    them at the front (`pad_sequences` does unless told otherwise) and split off the
    last column. A sequence of fewer than two tokens has nothing to predict: [].

    Errors: DTypeError for a bare string or what is no sequence; ShapeError for an array
    that is not flat.
    """
    if not is_sequence(sequence):
        raise DTypeError(
            "ngram_prefixes(sequence): not a list of tokens",
            expect="a flat list of words or numbers",
            actual=type(sequence).__name__,
            hint="ngram_prefixes(vocabulary.encode(text)); letters: [*text]",
        )
    if isinstance(sequence, np.ndarray) and sequence.ndim != 1:
        raise ShapeError(
            "ngram_prefixes(sequence): not one flat sequence",
            expect="shape (T,)",
            actual=f"shape {sequence.shape}",
            hint="[prefix for row in rows for prefix in ngram_prefixes(row)]",
        )
    tokens = sequence.tolist() if isinstance(sequence, np.ndarray) else [*sequence]
    return [tokens[:end] for end in range(2, len(tokens) + 1)]


def _list(sequences: Any) -> list[Any]:
    if is_sequence(sequences):
        return list(sequences)
    raise DTypeError(
        "pad_sequences(sequences): not a list of sequences",
        expect="a list of lists of numbers",
        actual=type(sequences).__name__,
        hint="pad_sequences([sequence]) for one sequence",
    )


def _row(k: int, row: Any, wanted: np.dtype) -> np.ndarray:
    """Sequence `k` as an array (t, *features) of dtype `wanted`."""
    name = f"sequences[{k}]"
    if not is_sequence(row):
        word = isinstance(row, str)
        raise (DTypeError if word else ShapeError)(
            f"pad_sequences(sequences): {name} is no sequence",
            expect="a list of lists of numbers",
            actual=f"{name} is {shortened(row)} ({type(row).__name__})",
            hint=_ENCODE if word else "pad_sequences([sequence]) for one sequence",
        )
    items = row if isinstance(row, np.ndarray) else list(row)
    if wanted.kind == "O":
        cells = np.empty(len(items), dtype=object)  # flat, whatever the items are
        for t, item in enumerate(items):
            cells[t] = item
        return cells
    numbers = number_array("pad_sequences", name, items, _ENCODE)
    return cast_exactly("pad_sequences", name, numbers, wanted)


def _fill(value: Any, wanted: np.dtype) -> Any:
    if wanted.kind == "O":
        return value
    number = number_array("pad_sequences", "value", value, _ENCODE)
    if number.ndim:
        raise ShapeError(
            "pad_sequences(value): not one number",
            expect="a number",
            actual=f"shape {number.shape}",
            hint="all padding holds the same number",
        )
    return cast_exactly("pad_sequences", "value", number, wanted)
