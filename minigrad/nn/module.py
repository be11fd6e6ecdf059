"""What a model is: an object whose attributes are parameters and other modules.

    class Tagger(Module):
        def __init__(self, size):
            self.hidden = Linear(2, size)
            self.out = Linear(size, 1)

        def forward(self, x):
            return self.out(mg.tanh(self.hidden(x)))

Nothing is registered: a module's parts are found by looking at its attributes when they
are asked for, through lists, tuples and dicts too. A part's name is the way to it:
"hidden.weight", "layers.0.bias". A tensor made with requires_grad=True that is set as
an attribute is a parameter, too.

Read next: `module_lists.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Self

import numpy as np

from minigrad.engine.calls import called, checked_call, checked_methods
from minigrad.engine.errors import ArgumentError, CheckpointError, DTypeError, flag
from minigrad.engine.foreign_names import MODEL
from minigrad.engine.graph import Leaf
from minigrad.engine.known_names import KnownNames, expect_settable
from minigrad.engine.tensor import Tensor


class Parameter(Tensor):
    """A tensor that is trained: modules find it, optimisers change it.

    Like `mg.tensor(data, dtype, requires_grad, name)`, with requires_grad=True unless
    told otherwise; the data are copied. Results of operations are plain Tensors. The
    name, unless given, is that of the attribute it is first assigned to.
    """

    __slots__ = ()

    @checked_call
    def __init__(
        self,
        data: Any,
        requires_grad: bool = True,
        *,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(data, dtype, requires_grad, name)

    def __repr__(self) -> str:
        return f"Parameter({super().__repr__()[len('tensor(') :]}"


class Keys(NamedTuple):
    """What `load_state_dict(strict=False)` left out: names, as lists."""

    missing: list[str]
    unexpected: list[str]


@checked_methods
class Module(KnownNames):
    """A part of a model: parameters, other modules, and `forward`.

    training   is it being trained? Dropout asks; `train()` and `eval()` set it.
    called     the name of the attribute that it was first assigned to: "encoder"
    """

    training: bool = True
    called: str = ""
    _foreign = MODEL

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):  # Linear(3) is told what it lacks
            cls.__init__ = checked_call(cls.__init__)  # type: ignore[method-assign]

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """What the module computes. A module of your own defines it."""
        raise ArgumentError(
            f"{type(self).__name__} cannot be called: it has no forward",
            expect="a method forward(self, x)",
            actual=f"class {type(self).__name__} without one",
            hint="def forward(self, x): return ...",
        )

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        return called(self.forward, inputs, options)

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(value, Parameter):
            if value.name is None:
                value.name = name
        elif isinstance(vars(self).get(name), Parameter):
            self._expect_none(name, value)
        elif _is_trained(value):
            self._remember(name, value)
            if value.name is None:
                value.name = name
        elif isinstance(value, Module) and not value.called:
            vars(value)["called"] = name
        elif name == "training":
            value = flag("training", value)
        elif hasattr(type(self), name):
            expect_settable(self, name, value)
        super().__setattr__(name, value)

    def _expect_none(self, name: str, value: Any) -> None:
        """Raise DTypeError for what would take a parameter's place and is none."""
        if value is None or isinstance(value, Module):
            return
        array = isinstance(value, Tensor | np.ndarray)
        raise DTypeError(
            f"self.{name} = {'tensor' if array else 'value'}: the parameter would be "
            "lost",
            expect=f"a Parameter, or new data for the one that {name!r} is",
            actual=f"{type(value).__name__} {value.shape} {value.dtype}"
            if array
            else f"{value!r:.40} ({type(value).__name__})",
            hint=f"self.{name}.data = array keeps the parameter",
        )

    def _remember(self, name: str, leaf: Tensor) -> None:
        """A plain tensor that is trained stays a parameter where it is frozen."""
        vars(self).setdefault("_leaves", {})[name] = leaf

    # --------------------------------------------------------- what it is made of

    def members(self) -> Iterable[tuple[str, Any]]:
        """What to look at for parts, with names: the attributes."""
        return [(k, x) for k, x in vars(self).items() if k != "_leaves"]

    def parts(self) -> Iterator[tuple[str, Tensor | Module]]:
        """Every parameter and module within, by dotted name, itself first as "".

        In the order of assignment, depth first; what has two names comes once.
        """
        todo: list[tuple[str, Any]] = [("", self)]
        seen = set()
        leaves: set[int] = set()  # tensors that were parameters when they were set
        while todo:
            name, found = todo.pop()
            if id(found) in seen:
                continue
            seen.add(id(found))
            if isinstance(found, Module):
                leaves |= {id(x) for x in vars(found).get("_leaves", {}).values()}
                yield name, found
            elif isinstance(found, Tensor):
                if id(found) in leaves or _is_trained(found):
                    yield name, found
                continue
            inside = [(k, x) for k, x in _members(found) if isinstance(x, _LOOK_INTO)]
            dot = "." if name else ""
            todo.extend((f"{name}{dot}{k}", x) for k, x in reversed(inside))

    def named_parameters(self) -> Iterator[tuple[str, Tensor]]:
        """("layer.weight", Parameter) for each parameter within."""
        return ((name, p) for name, p in self.parts() if isinstance(p, Tensor))

    def parameters(self) -> list[Tensor]:
        """Each parameter within, once."""
        return [p for _, p in self.named_parameters()]

    def named_modules(self) -> Iterator[tuple[str, Module]]:
        """("layer", Module) for each module within, itself first as ""."""
        return ((name, m) for name, m in self.parts() if isinstance(m, Module))

    def modules(self) -> Iterator[Module]:
        """Each module within, itself first."""
        return (m for _, m in self.named_modules())

    # --------------------------------------------------------- training

    def train(self, mode: bool = True) -> Self:
        """Set `training` here and in every module within. Returns self."""
        mode = flag("mode", mode)
        for module in self.modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set `training` to False here and in every module within. Returns self."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget all gradients: they are None, as before the first backward; or zeros.

        set_to_none  False: zeros
        """
        for p in self.parameters():
            p.grad = None if set_to_none else np.zeros(p.shape, p.dtype)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Freeze (False) or unfreeze all parameters within. Returns self."""
        for name, p in self.named_parameters():
            if not isinstance(p, Parameter):
                self._remember(name, p)
            p.requires_grad = requires_grad
        return self

    # --------------------------------------------------------- saving and loading

    def state_dict(self) -> dict[str, np.ndarray]:
        """The parameters' values by name: copies, which no later step changes."""
        return {name: p.data.copy() for name, p in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> Keys:
        """Set the parameters to the arrays of a `state_dict`, all of them or none.

        strict=False leaves out names that only one side has, and returns them.
        Raises CheckpointError, before anything is changed, if names (with strict),
        shapes or dtypes differ.
        """
        if not isinstance(state, Mapping):
            raise CheckpointError(
                f"load_state_dict into {type(self).__name__}: the state is no dict",
                expect="a dict of arrays by name",
                actual=f"{state!r:.60} ({type(state).__name__})",
                hint="model.state_dict() makes one, and mg.load reads one",
            )
        own = dict(self.named_parameters())
        keys = Keys(
            [k for k in own if k not in state], [k for k in state if k not in own]
        )
        if strict and (keys.missing or keys.unexpected):
            raise CheckpointError(
                f"load_state_dict into {type(self).__name__}: the names differ",
                expect=f"the {len(own)} names of {type(self).__name__}.state_dict()",
                actual=f"missing: {_few(keys.missing)}     "
                f"unexpected: {_few(keys.unexpected)}",
                hint=_other_names(keys.unexpected)
                or "build the model with the arguments it was saved with; "
                "strict=False loads what fits",
            )
        arrays = {name: _array(state[name]) for name in own if name in state}
        for name, array in arrays.items():
            wanted = own[name]
            if array.shape != wanted.shape or array.dtype != wanted.dtype:
                raise CheckpointError(
                    f"load_state_dict into {type(self).__name__}: {name!r} differs",
                    expect=f"{wanted.shape} {wanted.dtype}",
                    actual=f"{array.shape} {array.dtype}; nothing was loaded",
                    hint=_other_kind(array, wanted),
                )
            if self._turned(name, state[name]):
                raise CheckpointError(
                    f"load_state_dict into {type(self).__name__}: {name!r} is "
                    "PyTorch's, and square: it fits both ways round",
                    expect="a weight (inputs, outputs), as an array",
                    actual=f"{array.shape}, a torch tensor (outputs, inputs); nothing "
                    "was loaded",
                    hint="pass value.T.numpy(): PyTorch's Linear computes x @ weight.T",
                )
        for name, array in arrays.items():
            own[name].data = array
        return keys

    def _turned(self, name: str, value: Any) -> bool:
        """Is it PyTorch's weight of a Linear, square, and so not seen to be turned?"""
        owner, _, last = name.rpartition(".")
        layer = dict(self.named_modules()).get(owner)
        foreign = type(value).__module__.partition(".")[0] == "torch"
        square = foreign and value.ndim == 2 and value.shape[0] == value.shape[1]
        return square and last == "weight" and hasattr(layer, "in_features")

    # --------------------------------------------------------- how it is shown

    def extra_repr(self) -> str:
        """The words in brackets after the class's name: sizes and switches."""
        return ""

    def __repr__(self) -> str:
        inside = list(self.named_modules())
        width = max(len(name) for name, _ in inside)
        lines = [
            f"  {name:<{width}}  {type(m).__name__}({m.extra_repr()})"
            for name, m in inside[1:]
        ]
        count = sum(p.size for p in self.parameters())
        first = f"{type(self).__name__}({self.extra_repr()})  {count:,} parameters"
        return "\n".join([first, *lines])


_LOOK_INTO = (Tensor, Module, list, tuple, dict)


def _is_trained(value: Any) -> bool:
    """Is it a parameter, or a leaf with a gradient, which is trained like one?"""
    if isinstance(value, Parameter):
        return True
    if not isinstance(value, Tensor) or not value.requires_grad:
        return False
    return isinstance(value._edge.source, Leaf)


def _members(found: Any) -> Iterable[tuple[Any, Any]]:
    """What lies directly within a module or a container, with names."""
    if isinstance(found, Module):
        return found.members()
    if isinstance(found, dict):
        return found.items()
    return enumerate(found) if isinstance(found, list | tuple) else ()


def _other_names(names: list[str]) -> str | None:
    """How to load weights that have PyTorch's names; None if they have not."""
    if not any("weight_ih_l" in name or "weight_hh_l" in name for name in names):
        return None
    return (
        "these are PyTorch's names: mg.interop.from_torch(weights) makes a model of "
        "them. By hand, for each cell of model.cells: W_x.data = "
        "weight_ih_l0.T, W_h.data = weight_hh_l0.T, b.data = bias_ih_l0 + bias_hh_l0 "
        "(of a GRU, the last third of bias_hh_l0 is b_h instead)"
    )


def _other_kind(array: np.ndarray, wanted: Tensor) -> str:
    """How to make an array fit the parameter that it was saved for."""
    if array.shape == wanted.shape:
        return f"array.astype('{wanted.dtype}') converts it"
    if array.shape == wanted.shape[::-1]:
        return "pass array.T: minigrad stores weights as (inputs, outputs), PyTorch not"
    return "build the model with the sizes it was saved with"


def _array(value: Any) -> np.ndarray:
    """A copy of an array, or of a tensor's values."""
    return np.array(value.data if isinstance(value, Tensor) else np.asarray(value))


def _few(names: list[str]) -> str:
    """Some names, for a message: those that fit."""
    shown = ", ".join(map(repr, names[:4])) or "none"
    return f"{shown} and {len(names) - 4} more" if len(names) > 4 else shown
