"""Names that our objects have: an error in the usual form for any other.

    x.shape = (4,)       # UnknownNameError: ... x.reshape(...) makes another tensor
    optimizer.rate       # UnknownNameError: an SGD has no 'rate' ...

Read next: `foreign_arguments.py`.
"""

from __future__ import annotations

from inspect import getattr_static
from types import FunctionType
from typing import Any, ClassVar

from minigrad.engine.errors import DTypeError, UnknownNameError, meant
from minigrad.engine.foreign_names import TENSOR, public, unknown
from minigrad.engine.graph import Variable
from minigrad.engine.primitives.messages import describe

SET = ("data", "grad", "name", "requires_grad")  # what a user sets of a tensor

# What a tensor tells and does not let itself be told: what to write instead.
TOLD = {
    "shape": "x.reshape(...) makes another tensor",
    "dtype": "x.astype(...) makes another tensor",
    "ndim": "x.reshape(...) or x.expand_dims(...) makes another tensor",
    "size": "x[:n] and x.reshape(...) make other tensors",
    "T": "x.data = array.T changes a leaf's values",
    "node": "the graph is recorded as it was computed; x.detach() leaves it",
}

# Of what a tensor always has: what to write instead of `del x.grad`.
KEPT = {
    "data": "del x lets go of the tensor, and of its array with it",
    "grad": "x.grad = None clears it",
    "name": "x.name = None takes it away",
    "requires_grad": "x.requires_grad = False; x.detach() is a constant",
    "node": "x.detach() is cut off from the graph",
}


class SetNames(Variable):
    """What a tensor says when a name is set or deleted that cannot be.

    Python calls these for every attribute that is set, which takes longer than an
    operation can afford: so operations fill the slots by `set_edge` and `set_grad`.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: Any) -> None:
        try:
            object.__setattr__(self, name, value)
        except AttributeError:
            setter = getattr(getattr(type(self), name, None), "fset", None)
            if name[:1] == "_" or setter is not None:
                raise  # of what the value is, not of the name
            there = hasattr(type(self), name)
            raise UnknownNameError(
                f"x.{name} = ...: a tensor's {name} cannot be set"
                if there
                else f"x.{name} = ...: a tensor has no {name!r}",
                expect="x.data, x.grad, x.name or x.requires_grad",
                actual=f"x.{name} = {value!r:.40}     x: {describe(self._edge)}",
                hint=TOLD.get(name) or _instead(name, there),
            ) from None

    def __delattr__(self, name: str) -> None:
        try:
            object.__delattr__(self, name)
        except AttributeError:
            deleter = getattr(getattr(type(self), name, None), "fdel", None)
            if name[:1] == "_" or deleter is not None:
                raise
            there = hasattr(type(self), name)
            raise UnknownNameError(
                f"del x.{name}: a tensor keeps its {name}"
                if there
                else f"del x.{name}: a tensor has no {name!r}",
                expect="a tensor as it is, or none",
                actual=f"x: {describe(self._edge)}",
                hint=KEPT.get(name, "del x lets go of the whole tensor"),
            ) from None


def _instead(name: str, there: bool) -> str:
    """What to write instead of setting a name that is none, or is a method."""
    if there:
        return f"give the result a name of its own: {name}_of_x = ..."
    if name in TENSOR:
        return f"write {TENSOR[name]}"
    return meant(name, SET) or "keep it in a variable or a dict of your own"


class KnownNames:
    """An object whose unknown names are an error in the usual form."""

    __slots__ = ()
    _foreign: ClassVar[dict[str, str]] = {}  # other libraries' names: what to write

    def __getattr__(self, name: str) -> Any:
        if name[:1] != "_" and hasattr(type(self), name):
            return object.__getattribute__(self, name)  # a property's own error
        raise no_such(self, name, self._foreign)

    def __delattr__(self, name: str) -> None:
        deleter = getattr(getattr(type(self), name, None), "fdel", None)
        if name not in vars(self) and deleter is None:
            raise _not_deleted(self, name)
        super().__delattr__(name)


def no_such(owner: Any, name: str, table: dict[str, str]) -> Exception:
    """The error for a name that an object does not have; a plain AttributeError for
    those with a leading `_`, which Python and NumPy look for.

    table  names of other libraries: what to write instead
    """
    kind = type(owner).__name__
    if name[:1] == "_":
        return AttributeError(f"{kind!r} object has no attribute {name!r}")
    own = [one for one in getattr(owner, "__dict__", ()) if one[:1] != "_"]
    of_all = public(type(owner))  # type: ignore[arg-type]
    return unknown(_an(kind), kind, name, table, (*own, *of_all))


def expect_settable(owner: Any, name: str, value: Any) -> None:
    """Raise where a name of the owner's class cannot be set to a value: what follows
    from other things (UnknownNameError), and a method, to what cannot be called
    (DTypeError)."""
    kind, there = type(owner).__name__, getattr_static(type(owner), name)
    if isinstance(there, property):
        if there.fset is None:
            raise UnknownNameError(
                f"{kind}.{name} = ...: it cannot be set",
                expect="a name that can be set",
                actual=f"{kind}.{name} = {value!r:.40}",
                hint=f"it follows from what the {kind} was made with: make another",
            )
    elif isinstance(there, FunctionType) and not callable(value):
        raise DTypeError(
            f"{kind}.{name} = ...: the method would be lost",
            expect=f"another name; {name} is a method",
            actual=f"{kind}.{name} = {value!r:.40} ({type(value).__name__})",
            hint=f"choose a name that is free: self.{name}_of_mine = ...",
        )


def _not_deleted(owner: Any, name: str) -> Exception:
    """The error for `del owner.name`, where the object itself has no such name."""
    kind = type(owner).__name__
    if not hasattr(type(owner), name):
        return no_such(owner, name, {})
    return UnknownNameError(
        f"del {kind}.{name}: it belongs to every {kind}",
        expect="a name that was set on this object",
        actual=f"del {kind}.{name}",
        hint=f"set it to what you want: ... .{name} = ...",
    )


def _an(kind: str) -> str:
    """The word with its article: a Linear, an LSTM."""
    spelled = kind[:2].isupper() and kind[0] in "AEFHILMNORSX"
    return f"{'an' if spelled or kind[0] in 'AEIO' else 'a'} {kind}"
