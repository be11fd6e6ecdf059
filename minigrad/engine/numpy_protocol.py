"""NumPy's functions on tensors: recorded, or refused with what to write instead.

    np.concatenate([h, x], axis=1)        # the same as mg.concatenate: a Tensor
    np.median(h)                          # GraphError, if h needs a gradient
    np.asarray(h)                         # GraphError too; h.numpy() says it on purpose

NumPy asks a tensor that it meets what to do: `__array_ufunc__` for np.exp, array + x
and their like, `__array_function__` for its other functions, and `__array__` where it
wants the numbers alone. A tensor that needs no gradient gives them to any function.

Read next: `numpy_table.py` (which of ours for which of NumPy's).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from minigrad.engine.aliases import Array, Attrs
from minigrad.engine.calls import checked_methods
from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    GraphError,
    IndexingError,
    MinigradError,
    ShapeError,
    warn,
)
from minigrad.engine.graph import Variable
from minigrad.engine.primitives.base import Primitive, apply
from minigrad.engine.primitives.messages import describe
from minigrad.engine.recorder import thread
from minigrad.engine.tracing import leaving
from minigrad.engine.user_code import calling, storing

ON_PURPOSE = "x.detach() or x.numpy() leaves the graph on purpose"


@cache
def _table() -> Any:
    """`numpy_table.py`, imported when NumPy first asks: many programs never do."""
    from minigrad.engine import numpy_table

    return numpy_table


@checked_methods
class NumpyProtocol(Variable):
    """What a tensor answers to NumPy."""

    __slots__ = ()

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any
    ) -> Any:
        if not options and method == "__call__":
            ours = _table().UFUNCS.get(ufunc)
            if isinstance(ours, Primitive):  # array + x comes here: it has to be fast
                return apply(ours, inputs)
        return _other_ufunc(ufunc, method, inputs, options)

    def __array_function__(
        self, function: Callable[..., Any], types: Any, inputs: Any, options: Any
    ) -> Any:
        ours = _table().FUNCTIONS.get(function)
        name = f"{function.__module__}.{function.__name__}".replace("numpy.", "np.")
        if ours is not None:
            try:
                return ours(*inputs, **options)
            except MinigradError:
                raise
            except (TypeError, ValueError, IndexError) as error:
                if _takes(ours, inputs, options):
                    raise _wrong_value(name, error, inputs, options) from error
        if function in _table().NO_SLOPE or not _needing((inputs, options)):
            return _on_arrays(name, function, inputs, options)
        if ours is None:
            raise _refused(name, (inputs, options))
        raise _refused_options(name, _not_taken(ours, options), (inputs, options))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        edge = self._edge
        leaving(self, "np.asarray(x)")
        if edge.requires_grad and thread.recorder.recording:
            raise GraphError(
                "NumPy wants the numbers of a tensor that needs a gradient: what it "
                "makes of them would be cut from the graph",
                expect="a tensor that needs no gradient, or a function of minigrad's",
                actual=describe(edge),
                hint=f"{_table().INSTEAD['array']}; {ON_PURPOSE}",
            )
        if copy is False:
            raise ValueError("the array of a tensor is not shared: it is copied")
        return np.array(edge.array, dtype=dtype)

    def __float__(self) -> float:
        if self._edge.requires_grad:
            if storing():
                self._stored()
            elif getattr(calling(), "__module__", None) == "math":
                self._left(calling().__name__)
        return float(self.item())

    def __int__(self) -> int:
        if self._edge.requires_grad and storing():
            self._stored()
        return int(self.item())

    def item(self) -> Any:
        """The one entry as a Python number. ShapeError if there are more."""
        leaving(self, "x.item()")
        array = self._edge.array
        if array.size != 1:
            raise ShapeError(
                "item(): more or fewer than one entry",
                expect="size 1",
                actual=describe(self._edge),
                hint="index one entry, or reduce with .sum() or .mean()",
            )
        return array.item()

    def _left(self, name: str) -> None:
        """Say that a function of Python's math gives a plain number."""
        if thread.recorder.recording:
            known = getattr(np, name, None) in _table().UFUNCS
            ours = f"np.{name}(t)" if known else "a function of minigrad's"
            warn(
                f"math.{name}(t), of a tensor t that needs a gradient, gives a plain "
                "number: no gradient will come back from it",
                expect=f"{ours}, which stays in the graph",
                actual=describe(self._edge),
                hint=f"math.{name}(t.item()) says on purpose that it is a number",
            )

    def _stored(self) -> None:
        """Say that `array[k] = t` keeps the number only; an error would be replaced by
        NumPy's own, which speaks of sequences."""
        if thread.recorder.recording:
            warn(
                "array[k] = t, of a tensor t that needs a gradient, stores its number "
                "alone: no gradient will come back from the array",
                expect="array[k] = t.item(), to keep a number for a plot or a table",
                actual=describe(self._edge),
                hint="mg.stack([...]) of the tensors stays in the graph",
            )


def _other_ufunc(ufunc: np.ufunc, method: str, inputs: Any, options: Attrs) -> Any:
    """What is no plain call of a ufunc that is ours: np.add.reduce(x), np.arctan(x)."""
    called = method == "__call__"
    name = ufunc.__name__
    if getattr(np, name, None) is ufunc:  # else it is another library's
        name = f"np.{name}"
    if not called:
        name = f"{name}.{method}"
    table: Any = _table().UFUNCS if called else _table().REDUCTIONS
    ours = table.get(ufunc if called else (ufunc, method))
    extra = [key for key in options if called or key not in ("axis", "keepdims")]
    if ours is not None and not extra:
        return ours(*inputs) if called else ours(*inputs, **{"axis": 0, **options})
    if ufunc in _table().NO_SLOPE or not _needing(inputs):
        function = ufunc if called else getattr(ufunc, method)
        return _on_arrays(name, function, inputs, options)
    if ours is None:
        raise _refused(name, inputs)
    raise _refused_options(name, extra, inputs)


# ------------------------------------------------------------- what is among the inputs


def _tensors(given: Any) -> list[Variable]:
    """The tensors within lists, tuples and dicts."""
    found, todo = [], [given]
    while todo:
        part = todo.pop()
        if isinstance(part, Variable):
            found.append(part)
        elif isinstance(part, dict):
            todo.extend(part.values())
        elif isinstance(part, list | tuple):
            todo.extend(part)
    return found


def _needing(given: Any) -> bool:
    """Would a gradient be lost, were a tensor within given as an array?"""
    return thread.recorder.recording and any(
        tensor._edge.requires_grad for tensor in _tensors(given)
    )


def _arrays(given: Any) -> Any:
    """The same with arrays in the place of tensors."""
    if isinstance(given, Variable):
        leaving(given, "a function of NumPy's that minigrad does not have")
        return given._edge.array
    if isinstance(given, dict):
        return {key: _arrays(value) for key, value in given.items()}
    if isinstance(given, tuple):
        return tuple([_arrays(part) for part in given])
    return [_arrays(part) for part in given] if isinstance(given, list) else given


def _on_arrays(
    name: str, function: Callable[..., Any], inputs: Any, options: Attrs
) -> Any:
    """NumPy's own function on the numbers."""
    if _tensors(options.get("out")):
        raise ArgumentError(
            f"{name}(out=tensor): tensors are not written to",
            expect="an array that can be written to, or no out=",
            actual=f"out: {describe(_tensors(options['out'])[0]._edge)}",
            hint="p.data = array rebinds a leaf",
        )
    return function(*_arrays(inputs), **_arrays(options))


def _takes(ours: Callable[..., Any], inputs: Any, options: Attrs) -> bool:
    """Has our function these arguments? (Then what went wrong is something else.)"""
    import inspect

    try:
        inspect.signature(ours).bind(*inputs, **options)
    except TypeError:
        return False
    return True


def _not_taken(ours: Callable[..., Any], options: Attrs) -> list[str]:
    """The options that our function does not have."""
    import inspect

    return [key for key in options if key not in inspect.signature(ours).parameters]


# ------------------------------------------------------------- what is refused


def _refused(name: str, given: Any) -> MinigradError:
    short = name.removeprefix("np.")
    instead = _table().INSTEAD.get(short, "compose it of minigrad's own functions")
    tensor = next(t for t in _tensors(given) if t._edge.requires_grad)
    return GraphError(
        f"{name} of a tensor that needs a gradient is not recorded",
        expect="a function that minigrad has: its result stays in the graph",
        actual=describe(tensor._edge),
        hint=f"{instead}; {ON_PURPOSE}",
    )


def _wrong_value(
    name: str, error: Exception, inputs: Any, options: Attrs
) -> MinigradError:
    """The error for an argument that a function of ours has, with a wrong value."""
    others = [f"{x!r:.30}" for x in inputs if not _tensors([x])]
    others += [f"{key}={x!r:.30}" for key, x in options.items() if not _tensors([x])]
    kind: type[MinigradError] = ArgumentError
    if isinstance(error, TypeError | IndexError):  # it stays what NumPy raised
        kind = DTypeError if isinstance(error, TypeError) else IndexingError
    return kind(
        f"{name} of a tensor: {error}",
        expect=f"arguments as {name} takes them for an array",
        actual=f"beside the tensor: {', '.join(others) or 'nothing'}",
        hint=f"help({name}) says what each argument is",
    )


def _refused_options(name: str, options: list[str], given: Any) -> MinigradError:
    tensor = next(t for t in _tensors(given) if t._edge.requires_grad)
    names = ", ".join(f"{key}=" for key in options) or "an argument more"
    hint = "leave it out"
    if "out" in options:
        hint = "the result is a new tensor: y = a + x instead of a += x, for an array a"
    elif "dtype" in options:
        hint = "x.astype(...) before or after"
    elif "where" in options:
        hint = "mg.where(mask, x, 0.0) before"
    return ArgumentError(
        f"{name} of a tensor that needs a gradient cannot be recorded with {names}",
        expect="the arguments that minigrad's own function has",
        actual=f"{names}     tensor: {describe(tensor._edge)}",
        hint=f"{hint}; {ON_PURPOSE}",
    )
