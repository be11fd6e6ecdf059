"""Why a loss is NaN or infinite: the data, the weights, or an operation.

Asked only when it has happened. The numbers of the batch are looked at one by one, and
the graph from its beginning: what is not finite first is the cause.

Read next: `reports.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.errors import NonFiniteError
from minigrad.engine.graph import Node, ancestors
from minigrad.engine.primitives.messages import describe
from minigrad.engine.tensor import Tensor
from minigrad.engine.user_code import place
from minigrad.nn.parameters import label

HUGE = 1e8  # a number of the data beyond it is mentioned
NO_CURE = (
    "clean the data: fill these numbers in, or leave their rows out; no learning rate "
    "helps. Padding may hold anything where lengths= or mask= name it"
)


class Place(NamedTuple):
    """A number of a batch: "x[3, 1] is nan", and where in the data set that is."""

    name: str
    words: str


def not_finite(trainer: Any, loss: Tensor, batch: Any) -> NonFiniteError:
    """The error for a loss that is NaN or infinite, with its cause.

    trainer  has model, optimizer, batches, step, epoch and batch
    batch    what the loss was computed from
    """
    value = loss.item()
    kind = "nan" if np.isnan(value) else "infinite"
    what = f"the loss is {kind} at {_when(trainer)}"
    bad = first_not_finite(batch, trainer.batches)
    weights = [p for p in trainer.model.parameters() if not _finite(p.data)]
    node = _first_bad_node(loss)
    if weights:
        at = _index(weights[0].data)
        return NonFiniteError(
            f"{what}: the step before it made a parameter {weights[0].data[at]}",
            expect="parameters that stay finite",
            actual=f"{label(weights[0])} has {weights[0].data[at]} at {at}; "
            f"learning rate {trainer.optimizer.lr:g}",
            hint="a smaller learning rate, or clip_norm=1.0",
        )
    inputs = [edge.array for edge in node.edges] if node else []
    if node is not None and all(map(_finite, inputs)):
        return _made(what, node, batch, trainer)
    if bad is not None:
        return NonFiniteError(
            f"{what}: {bad.name} of this batch is not finite",
            expect="data without NaN and infinity",
            actual=bad.words,
            hint=NO_CURE,
        )
    wrong = [edge for edge in node.edges if not _finite(edge.array)] if node else []
    edge = wrong[0] if wrong else loss._edge
    at = _index(edge.array)
    return NonFiniteError(
        f"{what}: it was computed from a number that is not finite",
        expect="finite numbers, in the loss function too",
        actual=f"{edge.array[at]} at {at} of {describe(edge)}"
        + (f", used in {_operation(node)}" if node else ""),
        hint="look at what the loss function makes of the batch for the model",
    )


def with_batch(error: NonFiniteError, trainer: Any, batch: Any) -> NonFiniteError:
    """A gradient was not finite, though the loss was: the error, and the data if they
    are not finite either."""
    bad = first_not_finite(batch, trainer.batches)
    if bad is None:
        return error
    return NonFiniteError(
        f"{error.what}, at {_when(trainer)}: {bad.name} of this batch is not finite",
        expect=error.expect,
        actual=f"{error.actual}     {bad.words}",
        hint=NO_CURE,
    )


def _when(trainer: Any) -> str:
    """In the message of an error: "step 7 (epoch 2, batch 3)"."""
    return f"step {trainer.step} (epoch {trainer.epoch + 1}, batch {trainer.batch + 1})"


def _made(what: str, node: Node, batch: Any, trainer: Any) -> NonFiniteError:
    """The error for an operation that made it of finite numbers."""
    output = next(a for a in node.outputs if not _finite(a))
    at = _index(output)
    actual = f"{output[at]} at {at} from {', '.join(map(describe, node.edges[:3]))}"
    weights = ((label(p), p.data) for p in trainer.model.parameters())
    hint = "exp overflows, log and / need care at 0; if the loss grew before, a "
    hint += "smaller learning rate, or clip_norm=1.0"
    if large := _largest(weights):
        actual += f"     the parameters have grown: {large}"
        hint = "a smaller learning rate, or clip_norm=1.0"
    elif large := _largest((name, array) for name, array, _ in arrays_of(batch)):
        actual += f"     the data: {large}"
        hint = "scale the data: a network learns from numbers near 1"
    return NonFiniteError(
        f"{what}: it arose in {_operation(node)}",
        expect="finite results of finite numbers",
        actual=f"{actual}; learning rate {trainer.optimizer.lr:g}",
        hint=hint,
    )


def _operation(node: Node) -> str:
    where = place(node.scope, node.where)
    return f"{node.primitive.name}{where and f', {where}'}"


def _first_bad_node(loss: Tensor) -> Node | None:
    """The first operation of the graph whose result is not finite."""
    nodes = ancestors([loss._edge.source])
    return next((n for n in nodes if not all(map(_finite, n.outputs))), None)


# ------------------------------------------------------------- the numbers of a batch


def first_not_finite(batch: Any, batches: Any = None) -> Place | None:
    """The first array of a batch that has a NaN or an infinity, and where.

    batches  what the batch came from: if it says which rows it gave (`taken`), so does
             the place
    """
    for name, array, rows in arrays_of(batch):
        if not _finite(array):
            bad = np.argwhere(~np.isfinite(array))
            at = tuple(map(int, bad[0]))
            spot = f"{name}[{', '.join(map(str, at))}]" if at else name
            words = f"{spot} is {array[at]}"
            words += _row((*rows, *at), batches)
            if len(bad) > 1:
                words += f"; {len(bad):,} of {array.size:,} numbers of {name}"
            return Place(name.partition("[")[0], words)
    return None


def _row(at: tuple[int, ...], batches: Any) -> str:
    """In words: ": row 4 of the batch, column 1, row 20 of the data set"."""
    if not at:
        return ""
    taken = getattr(batches, "taken", None)
    if taken is None and len(at) > 2:  # time may come first
        return ""
    words = f": row {at[0]} of the batch"
    if len(at) > 1:
        words += f", column {at[-1]}"
    if taken is not None and at[0] < len(taken):
        words += f", row {int(taken[at[0]])} of the data set"
    return words


def _largest(arrays: Iterable[tuple[str, np.ndarray]]) -> str | None:
    """The largest number of the first array that has a huge one, in words."""
    for name, array in arrays:
        if array.dtype.kind in "fiu" and array.size and _finite(array):
            size = np.abs(array.astype(float))
            at = tuple(map(int, np.unravel_index(size.argmax(), size.shape)))
            if size[at] > HUGE:
                return f"{name} has {array[at]:g} at {at}"
    return None


def arrays_of(batch: Any) -> Iterator[tuple[str, np.ndarray, tuple[int, ...]]]:
    """Every array of numbers in a batch: (name, array, numbers of lists' items).

    A pair is (x, y), one array is x; fields and keys have their names. A list of arrays
    or numbers is a column, whose items are rows.
    """
    todo: list[tuple[str, Any, tuple[int, ...]]] = [("x", batch, ())]
    if isinstance(batch, tuple) or (isinstance(batch, list) and _is_pair(batch)):
        names = list(getattr(batch, "_fields", ()))
        if not names:
            names = [f"array {k}" for k in range(len(batch))]
            if len(batch) == 2:
                names = ["x", "y"]
        todo = []
        for n, part in zip(names[::-1], batch[::-1], strict=True):
            todo.append((n, part, ()))
    while todo:
        name, part, rows = todo.pop()
        if isinstance(part, Tensor):
            part = part.data
        if isinstance(part, Mapping):
            todo += [(str(k), item, ()) for k, item in part.items()][::-1]
        elif isinstance(part, tuple) and hasattr(part, "_fields"):
            pairs = zip(part._fields, part, strict=True)
            todo += [(field, item, ()) for field, item in pairs][::-1]
        elif isinstance(part, list | tuple) and not _numbers(part):
            items = enumerate(part)
            todo += [(f"{name}[{k}]", item, (*rows, k)) for k, item in items][::-1]
        else:
            array = np.asarray(part)
            if array.dtype.kind in "fiuc":
                yield name, array, rows


def _is_pair(batch: list[Any]) -> bool:
    """Is a list (x, y), and not a column of two rows?"""
    return len(batch) == 2 and not _numbers(batch)


def _numbers(part: Any) -> bool:
    return all(isinstance(item, int | float | np.number) for item in part)


def _finite(array: Any) -> bool:
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())


def _index(array: np.ndarray) -> tuple[int, ...]:
    """The first entry that is not finite."""
    return tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
