"""What the loops of a graph are called, where there are several: "encoder", "GRU 2".

A *call* is one run through a network: a model called once, `models.unroll` called once,
or a loop of one's own. Its loops (layers, directions) share its name.

Read next: `whole_loops.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from minigrad.engine.graph import Node
from minigrad.engine.scope import Scope, path
from minigrad.reading.levels import innermost

KINDS = (({"r", "z"}, "GRU"), ({"i", "g"}, "LSTM"), ({"f"}, "LSTM"), ({"h"}, "RNN"))


@dataclass(eq=False)
class Call:
    """One run through a network.

    number  in order of time, from 0
    base    the user's scopes or the model's attribute ("encoder"), else its kind
    label   the base; with a number, where several calls have the same
    alone   is it the graph's only one?
    """

    number: int
    base: str
    label: str = ""
    alone: bool = True


def bare(scope: Iterable[Scope]) -> tuple[Scope, ...]:
    """A scope without the records that only tell loops apart."""
    return tuple([level for level in scope if level.kind != "loop"])


def record_of(scope: Sequence[Scope]) -> Scope | None:
    """The record of the loop that a scope is in, before any step."""
    for level in scope:
        if level.kind in ("loop", "step"):
            return level if level.kind == "loop" else None
    return None


def number(calls: Sequence[Call]) -> None:
    """Give every call its label."""
    count = Counter(call.base for call in calls)
    seen: Counter[str] = Counter()
    for call in calls:
        seen[call.base] += 1
        again = f" {seen[call.base]}" if count[call.base] > 1 else ""
        call.label = call.base + again
        call.alone = len(calls) == 1


def base_of(loop: Any) -> str:
    """What a loop's call is called, before it is numbered."""
    own = path(loop.around)
    if own:
        return own
    record = record_of(loop.scopes)
    if record is not None and record.name:
        return record.name
    return kind_of(loop)


def kind_of(loop: Any) -> str:
    """The kind of a loop's cell, by its scope or by its gates: "GRU"; else "loop"."""
    nodes: list[Node] = next(iter(loop.nodes.values()), [])
    cell = next((c for n in nodes if (c := innermost(n.scope, "cell"))), None)
    if cell is not None:
        return cell.name.upper() if len(cell.name) < 5 else cell.name
    found = {level.index for n in nodes for level in n.scope if level.kind == "gate"}
    return next((word for letters, word in KINDS if letters <= found), "loop")
