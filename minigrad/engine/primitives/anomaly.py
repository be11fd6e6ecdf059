"""Anomaly mode: raise where the first NaN or infinity arises (`detect_anomaly`).

Forward, each operation's outputs are looked at as they are recorded; backward, what
each rule makes. What comes of numbers that were not finite before is passed over.

Read next: `functions.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Needs, Value
from minigrad.engine.errors import NonFiniteError
from minigrad.engine.graph import Node, Pull, Variable
from minigrad.engine.primitives.messages import describe
from minigrad.engine.user_code import place


def check_outputs(node: Node) -> None:
    """Raise NonFiniteError if finite inputs gave an output that is not finite."""
    bad = _first_bad(node.outputs)
    if bad and not _first_bad([edge.array for edge in node.edges]):
        raise NonFiniteError(
            f"{node.primitive.name}: the first value that is not finite arose here",
            expect="finite outputs from finite inputs",
            actual="     ".join([bad, *map(describe, node.edges[:4])]),
            hint="look at the inputs' sizes: exp overflows, log and / need care at 0",
        )


def checked(pull: Pull) -> Pull:
    """The pull that raises NonFiniteError for what a rule made of a finite gradient."""

    def pull_and_check(node: Node, needs: Needs, g: Value) -> Sequence[Value]:
        values = pull(node, needs, g)
        if not _first_bad(g if isinstance(g, list) else [g]):
            for k, value in enumerate(values):
                bad = _first_bad([value]) if needs[k] else None
                if bad:
                    raise NonFiniteError(
                        f"backward of {node.primitive.name}: the first gradient that "
                        "is not finite arose here",
                        expect="finite contributions from a finite gradient",
                        actual=f"{bad} of the gradient to input {k}     "
                        + describe(node.edges[k]),
                        where=place(node.scope, node.where),
                        hint="the slope is infinite or undefined at this input",
                    )
        return values

    return pull_and_check


def _first_bad(values: Iterable[Any]) -> str | None:
    """The first entry that is not finite, as words: "nan at (0, 3)"; None if none."""
    for value in values:
        if value is None:
            continue
        array: Array = value._edge.array if isinstance(value, Variable) else value
        finite = np.isfinite(array)
        if not finite.all():
            at = tuple(map(int, np.argwhere(~finite)[0]))
            return f"{array[at]} at {at}"
    return None
