"""What trying one promise gave: how many cases, how many wrong, the worst figure.

Read next: `operations.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """One row of the report.

    promise  which promise it belongs to, in a word or two
    what     what was tried
    limit    the largest figure that keeps the promise (a relative error, or units in
             the last place, as `unit` says), None where a case is right or wrong
    tried    number of cases
    worst    the largest figure seen
    wrong    what broke the promise, one text each
    note     what the user should know though nothing is wrong
    """

    promise: str
    what: str
    limit: float | None = None
    unit: str = ""
    tried: int = 0
    worst: float = 0.0
    wrong: list[str] = field(default_factory=list)
    note: str = ""
    seconds: float = 0.0

    @property
    def kept(self) -> bool:
        """Was the promise kept in every case, and was there a case?"""
        return self.tried > 0 and not self.wrong

    def measure(self, figure: float, case: str) -> None:
        """Count one case with its figure; NaN is wrong."""
        self.tried += 1
        self.worst = figure if not figure <= self.worst else self.worst
        if self.limit is not None and not figure <= self.limit:
            self.wrong.append(f"{figure:.3g} {self.unit}".strip() + f": {case}")

    def expect(self, right: bool, case: str) -> None:
        """Count one case that is right or wrong."""
        self.tried += 1
        if not right:
            self.wrong.append(case)

    def __str__(self) -> str:
        verdict = "kept" if self.kept else "BROKEN" if self.wrong else "not tried"
        figure = f", worst {self.worst:.2g} {self.unit}" if self.limit else ""
        return f"{self.promise}: {verdict} ({self.what}: {self.tried}{figure})"


@dataclass(frozen=True)
class Effort:
    """How much may be tried: a seed, a time and a number of cases."""

    seconds: float
    seed: int = 0
    cases: int = 1_000_000

    def rounds(self, least: int = 1) -> Iterator[int]:
        """0, 1, 2, ... until the time or the cases are used up; `least` in any case."""
        began, worked = time.monotonic(), time.thread_time()
        for number in range(self.cases):
            # The second is what ends it where the machine's clock stands still.
            gone = max(time.monotonic() - began, time.thread_time() - worked)
            if number >= least and gone > self.seconds:
                return
            yield number
