"""One long text in rows that are read side by side, stretch by stretch.

A `Trainer` with `carry` hands the state on from each stretch to the next.

Read next: `files.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.data.argument_checks import number_array, whole_number
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import DataError, ShapeError


class Streams:
    """A sequence of tokens, cut into rows and stretches for truncated BPTT.

        chunks = Streams(tokens, batch_size=32, steps=50)
        for x, y in chunks:                    # (T, B) each; y is one token later
            logits, state = model(x, state)    # row b goes on where it stopped

    The sequence is cut into `batch_size` rows of equal length, which are read side by
    side; a stretch is `steps` tokens of each. Row b of a stretch continues row b of the
    one before, so the state is carried along. The last stretch may be shorter; fewer
    than `batch_size` tokens at the end are left out.

    Args:
        tokens: whole numbers (n,).
        batch_size: B, rows.
        steps: T, tokens of a row in a stretch: gradients reach no further back.

    Shapes:  each stretch x, y (T, B), of the tokens' dtype; len() stretches
    Errors:  DataError if there are too few tokens for one step of each row; ShapeError
             for tokens that are not flat; DTypeError for what is no number.
    """

    @checked_call
    def __init__(self, tokens: Any, batch_size: int, steps: int) -> None:
        self.batch_size = whole_number("Streams", "batch_size", batch_size, least=1)
        self.steps = whole_number("Streams", "steps", steps, least=1)
        array = number_array("Streams", "tokens", tokens, "vocabulary.encode(text)")
        if array.ndim != 1:
            raise ShapeError(
                "Streams(tokens): not one sequence",
                expect="shape (n,)",
                actual=f"shape {array.shape}",
                hint="np.concatenate(list_of_sequences)",
            )
        length = (len(array) - 1) // self.batch_size  # of a row, its last target aside
        if length < 1:
            raise DataError(
                f"Streams(batch_size={batch_size}): too few tokens",
                expect=f"at least {batch_size + 1}: one and its successor in each row",
                actual=f"{len(array)} tokens",
                hint="a smaller batch_size, or more text",
            )
        kept = self.batch_size * length
        self._x = array[:kept].reshape(self.batch_size, length).T.copy()
        self._y = array[1 : kept + 1].reshape(self.batch_size, length).T.copy()

    def __len__(self) -> int:
        return -(-len(self._x) // self.steps)

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for start in range(0, len(self._x), self.steps):
            stretch = slice(start, start + self.steps)
            yield self._x[stretch], self._y[stretch]

    def __repr__(self) -> str:
        rows = f"{self.batch_size} rows of {len(self._x)}"
        return f"Streams({rows}, {len(self)} stretches of {self.steps})"
