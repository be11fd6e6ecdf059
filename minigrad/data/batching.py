"""Rows in portions: `split` into training and held-out parts, `batches` for training.

Rows are what axis 0 of an array counts, or the items of a list. A NamedTuple of columns
(`movie_reviews()` is one) counts as one table: its columns are cut together.

Read next: `arrays.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.data.argument_checks import generator, number_array, whole_number
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, DataError, DTypeError, ShapeError


@checked_call
def batches(
    *columns: Any,
    batch_size: int,
    shuffle: bool = True,
    rng: int | np.random.Generator | None = None,
    drop_last: bool = False,
    lengths: Sequence[int] | np.ndarray | None = None,
) -> Batches:
    """Rows in portions of `batch_size`, to loop over once per epoch.

        training = batches(encoded, ratings, batch_size=32, rng=0)
        for epoch in range(5):                     # another order in each epoch
            for sequences, targets in training:    # len(training) batches
                x, mask = pad_sequences(sequences, return_mask=True)

    One column gives its batches bare, several give tuples. Arrays give arrays, lists
    lists, tables (NamedTuples) tables; what is given is copied, never a view.

    Args:
        columns: arrays, lists, tuples or tables, all with the same number of rows.
            Rows are counted along axis 0: a mask (T, B) has to come as `mask.T`.
        batch_size: rows per batch; the last batch may have fewer.
        shuffle: draw a new order of the rows for each epoch.
        rng: None (the generator that `mg.manual_seed` sets), a seed, or a numpy
            Generator. The same seed gives the same epochs, the first, the second ...
        drop_last: leave out rows, at random if shuffled, so that every batch is full.
        lengths: one length per row: rows of similar length share a batch, which saves
            padding. Rows are sorted by length (shuffled among equals) and the batches
            come in random order, the short one too; without `shuffle` in rising length.

    Errors:  ShapeError for columns of unequal length; ArgumentError for batch_size < 1
             or an `rng` of another kind; DataError if there are no rows, or none left
             by `drop_last`; DTypeError for strings, dicts and generators.
    """
    return Batches(columns, batch_size, shuffle, rng, drop_last, lengths)


class Batches:
    """What `batches` returns: an epoch per loop; len() is the batches in an epoch.

    taken  the numbers of the rows in the batch that was handed out last; None before
    """

    def __init__(
        self,
        columns: tuple[Any, ...],
        batch_size: int,
        shuffle: bool,
        rng: int | np.random.Generator | None,
        drop_last: bool,
        lengths: Sequence[int] | np.ndarray | None,
    ) -> None:
        self.batch_size = whole_number("batches", "batch_size", batch_size, least=1)
        if not columns:
            raise ArgumentError(
                "batches(): nothing to cut into batches",
                expect="at least one array, list or table",
                actual="none",
                hint="batches(x, y, batch_size=32)",
            )
        self.taken: np.ndarray | None = None
        self._columns = columns
        self._rows = _common_rows("batches", columns)
        self._shuffle, self._drop_last = shuffle, drop_last
        self._rng = generator("batches", rng)
        self._lengths = None if lengths is None else _lengths(lengths, self._rows)
        if len(self) == 0:
            raise DataError(
                f"batches(drop_last=True): {self._rows} rows make no full batch",
                expect=f"at least batch_size = {batch_size} rows",
                actual=f"{self._rows} rows",
                hint="a smaller batch_size, or drop_last=False",
            )

    def __len__(self) -> int:
        full, rest = divmod(self._rows, self.batch_size)
        return full if self._drop_last or not rest else full + 1

    def __iter__(self) -> Iterator[Any]:
        order = np.arange(self._rows)
        if self._shuffle:
            order = self._rng.permutation(order)
        if self._drop_last:
            # before sorting by length: else it were always the longest that go
            order = order[: len(self) * self.batch_size]
        if self._lengths is not None:
            order = order[np.argsort(self._lengths[order], kind="stable")]
        starts = np.arange(0, len(order), self.batch_size)
        if self._shuffle and self._lengths is not None:
            starts = self._rng.permutation(starts)
        for start in starts:
            chosen = self.taken = order[start : start + self.batch_size]
            parts = tuple(_take(column, chosen) for column in self._columns)
            yield parts[0] if len(parts) == 1 else parts

    def __repr__(self) -> str:
        return f"Batches({self._rows} rows, {len(self)} of size {self.batch_size})"


@checked_call
def split(
    data: Any,
    fractions: float | Sequence[float] = (0.8, 0.2),
    *,
    rng: int | np.random.Generator | None = 0,
    shuffle: bool = True,
) -> tuple[Any, ...]:
    """Parts of the data that share no row: for training, validation, testing.

        train, test = split(movie_reviews(), (0.8, 0.2))       # tables again
        rows, held_out = split(len(x), (0.8, 0.2))             # row numbers, for many
        past, future = split(series, (0.75, 0.25), shuffle=False)

    Rows keep their order within each part. The seed is 0 unless told otherwise, so
    that a held-out part stays held out when the program runs again.

    Args:
        data: an array, list, tuple or table; or a number of rows n, which gives arrays
            of row numbers; or, with shuffle=False, a str.
        fractions: of the rows, one per part, adding up to 1; 0.8 means (0.8, 0.2).
        rng: a seed, a numpy Generator, or None for another split each time (drawn
            from the generator that `mg.manual_seed` sets).
        shuffle: False cuts at the borders: for series, where the future is held out.

    Errors:  ArgumentError for fractions that are not positive or do not add up to 1,
             and for a str to be shuffled; DataError if a part would be empty.
    """
    if isinstance(data, str) and shuffle:
        raise ArgumentError(
            "split(data): the letters of a text would be shuffled",
            expect="shuffle=False for a str",
            actual="str with shuffle=True",
            hint="split(text, fractions, shuffle=False)",
        )
    shares = _shares(fractions)
    if isinstance(data, int | np.integer):
        data = np.arange(whole_number("split", "data", data, least=1))
    count = len(data) if isinstance(data, str) else _common_rows("split", (data,))
    borders = [0, *np.rint(np.cumsum(shares) * count).astype(int).tolist()]
    order = generator("split", rng).permutation(count) if shuffle else np.arange(count)
    parts = []
    for k, (start, stop) in enumerate(pairwise(borders)):
        if start == stop:
            raise DataError(
                f"split(fractions={fractions!r}): part {k} would be empty",
                expect="at least one row in each part",
                actual=f"{shares[k]:g} of {count} rows",
                hint="larger fractions, or more data",
            )
        parts.append(_take(data, np.sort(order[start:stop])))
    return tuple(parts)


def _shares(fractions: Any) -> np.ndarray:
    shares = np.atleast_1d(number_array("split", "fractions", fractions, "(0.8, 0.2)"))
    if shares.size == 1 and 0 < shares[0] < 1:
        shares = np.array([shares[0], 1 - shares[0]])
    # Written so that a NaN fails it too.
    if shares.ndim == 1 and np.all(shares > 0) and abs(shares.sum() - 1) < 1e-6:
        return shares
    raise ArgumentError(
        f"split(fractions={fractions!r}): these are not parts of a whole",
        expect="positive fractions that add up to 1",
        actual=f"sum {shares.sum():g}",
        hint="fractions=(0.8, 0.1, 0.1)",
    )


def _lengths(lengths: Any, rows: int) -> np.ndarray:
    array = number_array("batches", "lengths", lengths, "[len(s) for s in sequences]")
    if array.shape != (rows,):
        raise ShapeError(
            "batches(lengths): not one length per row",
            expect=f"shape ({rows},)",
            actual=f"shape {array.shape}",
            hint="lengths=[len(sequence) for sequence in sequences]",
        )
    return array


def _common_rows(call: str, columns: tuple[Any, ...]) -> int:
    """The number of rows that all columns have; ShapeError if they differ."""
    counts = [_rows(call, k, column) for k, column in enumerate(columns)]
    for k, count in enumerate(counts):
        if count != counts[0]:
            turned = any(
                getattr(column, "shape", (0,))[1:2] == (other,)
                for column in columns
                for other in counts
            )
            raise ShapeError(
                f"{call}: columns 0 and {k} do not have the same number of rows",
                expect=f"{counts[0]} rows in each",
                actual=f"{', '.join(map(str, counts))} rows",
                hint="rows are counted along axis 0: a mask or sequence that is time "
                "first, (T, B), has to be turned: mask.T"
                if turned
                else "was one of them filtered, or cut, without the other?",
            )
    if counts[0] == 0:
        raise DataError(
            f"{call}: there are no rows",
            expect="at least one row",
            actual="0 rows",
            hint="is the file, or the part of the data, empty?",
        )
    return counts[0]


def _rows(call: str, k: int, column: Any) -> int:
    if _is_table(column):
        return _common_rows(call, tuple(column))
    shape = getattr(column, "shape", None)
    if shape:
        return int(shape[0])
    unfit = shape == () or isinstance(column, str | bytes | Mapping)
    if unfit or not (hasattr(column, "__len__") and hasattr(column, "__getitem__")):
        raise DTypeError(
            f"{call}: column {k} has no rows to pick",
            expect="an array, list, tuple or NamedTuple of columns",
            actual=type(column).__name__,
            hint="list(...) of a generator; list(d.items()) of a dict; [text] of a str",
        )
    return len(column)


def _is_table(column: Any) -> bool:
    return isinstance(column, tuple) and hasattr(column, "_fields")


def _take(column: Any, rows: np.ndarray) -> Any:
    """These rows of a column, in a container of the column's kind."""
    if _is_table(column):
        return type(column)(*(_take(part, rows) for part in column))
    if hasattr(column, "shape"):
        return column[rows]
    if isinstance(column, str):
        return column[rows[0] : rows[-1] + 1]
    picked = [column[row] for row in rows.tolist()]
    return tuple(picked) if isinstance(column, tuple) else picked
