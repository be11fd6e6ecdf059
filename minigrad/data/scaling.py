"""Numbers of any size brought to mean 0 and deviation 1, and back.

Read next: `streams.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from minigrad.data.argument_checks import number_array
from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import DataError, ShapeError
from minigrad.engine.known_names import KnownNames


@checked_methods
class Scaling(KnownNames):
    """(x - mean) / deviation, one mean and one deviation per feature.

        scaling = Scaling(train)               # the training part only
        x = scaling(held_out)                  # scaled by what training knows
        celsius = scaling.back(y)

    Made from the held-out part too, it would tell the model of the future.

    Args:
        values: numbers (n,) for one feature, or (..., features). A feature that never
            changes gets deviation 1: it becomes zeros.

    Shapes:  values (..., F) -> mean, deviation (F,); for values (n,) both are ()
    Units:   mean and deviation those of the values; results have none.
    Errors:  DataError if there are no values, a NaN or infinity among them, or numbers
             too large to have a standard deviation; ShapeError for an array of another
             number of features.
    """

    @checked_call
    def __init__(self, values: ArrayLike) -> None:
        array: Any = number_array("Scaling", "values", values, "one number per entry")
        array = array.astype(float)
        if array.size == 0 or array.ndim == 0:
            raise DataError(
                "Scaling(values): no values to learn from",
                expect="at least one row",
                actual=f"shape {array.shape}",
                hint="is the training part empty?",
            )
        _finite("Scaling(values)", array)
        axes = (0,) if array.ndim == 1 else tuple(range(array.ndim - 1))
        with np.errstate(over="ignore", invalid="ignore"):
            self.mean = array.mean(axes)
            deviation = array.std(axes)
        if not (np.isfinite(self.mean).all() and np.isfinite(deviation).all()):
            raise DataError(
                "Scaling(values): too large to be squared and added up",
                expect="numbers whose squares are finite, up to 1e150 or so",
                actual=f"up to {np.abs(array).max():.3g}",
                hint="give them in another unit, or look for a slip among them",
            )
        self.deviation = np.where(deviation > 0, deviation, 1.0)

    def __call__(self, values: ArrayLike) -> np.ndarray:
        """The values scaled, float64, in their shape."""
        array = self._fitting(values)
        _finite("Scaling", array)
        return (array - self.mean) / self.deviation

    def back(self, scaled: ArrayLike) -> np.ndarray:
        """Scaled values in their own units again."""
        return self._fitting(scaled) * self.deviation + self.mean

    def feature(self, number: int) -> Scaling:
        """The scaling of one feature alone."""
        one = object.__new__(Scaling)
        one.mean = np.asarray(self.mean[number])
        one.deviation = np.asarray(self.deviation[number])
        return one

    def _fitting(self, values: ArrayLike) -> np.ndarray:
        array = number_array("Scaling", "values", values, "numbers").astype(float)
        if self.mean.ndim and array.shape[-1:] != self.mean.shape:
            raise ShapeError(
                "Scaling: another number of features than it was made from",
                expect=f"shape (..., {len(self.mean)})",
                actual=f"shape {array.shape}",
                hint="the same columns, in the same order",
            )
        return array

    def to_dict(self) -> dict[str, Any]:
        """A plain dict, ready for JSON, from which `from_dict` makes this again."""
        return {"mean": self.mean.tolist(), "deviation": self.deviation.tolist()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Scaling:
        """The scaling that `to_dict` wrote; DataError if `data` is not one."""
        made = object.__new__(cls)
        try:
            made.mean = np.array(data["mean"], float)
            made.deviation = np.array(data["deviation"], float)
            fits = made.mean.shape == made.deviation.shape and made.mean.ndim < 2
            fits = fits and bool((made.deviation > 0).all())
        except (KeyError, TypeError, ValueError):
            fits = False
        if not fits:
            raise DataError(
                "Scaling.from_dict(data): this is not a saved scaling",
                expect='{"mean": numbers, "deviation": as many positive numbers}',
                actual=repr(data)[:60],
                hint="pass what Scaling.to_dict() returned",
            )
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scaling) and self.to_dict() == other.to_dict()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Scaling({self.mean.size} features)"


def _finite(call: str, array: np.ndarray) -> None:
    wrong = np.argwhere(~np.isfinite(array))
    if len(wrong):
        at = tuple(int(k) for k in wrong[0])
        raise DataError(
            f"{call}: values{list(at)} is {array[at]}",
            expect="finite numbers",
            actual=f"{len(wrong)} of {array.size} are not",
            hint="fill gaps first, for instance with the value before",
        )
