"""The promises of this library, tried on the machine at hand: `minigrad check`.

    from minigrad.checking import check
    for outcome in check(seconds=60):
        print(outcome)

`operations.py` and `expressions.py` draw random programs; from `gradients.py` on each
file tries one promise; `promises.py` runs them all within a given time.

Read next: `outcome.py`.
"""

from minigrad.checking.outcome import Outcome
from minigrad.checking.promises import check

__all__ = ["Outcome", "check"]
