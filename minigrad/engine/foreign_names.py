"""Names of other libraries that tensors and minigrad do not have: what to write here.

    x.view(2, 3)      # UnknownNameError: ... x.reshape(2, 3)

Read next: `known_names.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from functools import cache, lru_cache
from typing import Any

import numpy as np

from minigrad.engine.errors import DTypeError, UnknownNameError, meant
from minigrad.engine.graph import Variable
from minigrad.engine.primitives.messages import describe
from minigrad.engine.tracing import leaving, values_within

# Each line can be run, for a tensor x of shape (2, 3); the tests do.

# Of a tensor x.
TENSOR = {
    "view": "x.reshape(3, 2)",
    "view_as": "x.reshape(y.shape)",
    "flatten": "x.reshape(-1)",
    "ravel": "x.reshape(-1)",
    "permute": "x.transpose(1, 0)",
    "t": "x.T",
    "unsqueeze": "x.expand_dims(0)",
    "expand": "x.broadcast_to((4, 2, 3))",
    "repeat": "np.tile(x, (2, 1))  # NumPy's np.repeat(x, 2, 0) repeats entry by entry",
    "flip": "np.flip(x, 0)",
    "roll": "np.roll(x, 1, 0)",
    "chunk": "mg.split(x, 2)",
    "unbind": "mg.unstack(x)",
    "gather": "np.take_along_axis(x, np.array([[0], [2]]), 1)",
    "index_select": "mg.take(x, [0, 1])",
    "masked_fill": "mg.where(x > 0, 0.0, x)",
    "dim": "x.ndim",
    "numel": "x.size",
    "clamp": "x.clip(0.0, 1.0)",
    "pow": "x ** 2",
    "square": "x * x",
    "sign": "np.sign(x)",
    "round": "np.round(x)",
    "norm": "mg.norm(x)",
    "softmax": "mg.softmax(x)",
    "log_softmax": "mg.log_softmax(x)",
    "logsumexp": "mg.logsumexp(x)",
    "dot": "x @ x.T  # any two: a @ b",
    "mm": "x @ x.T",
    "bmm": "x @ x.T",
    "matmul": "x @ x.T",
    "argsort": "np.argsort(x)",
    "any": "np.any(x)",
    "all": "np.all(x)",
    "isnan": "np.isnan(x)",
    "eq": "x == x",
    "float": "x.astype('float32')",
    "double": "x.astype('float64')",
    "long": "x.astype('int64')",
    "to": "x.astype('float32')  # there are no devices: all is on the CPU",
    "cpu": "x  # as it is: there are no devices",
    "cuda": "x  # as it is: there are no devices",
    "contiguous": "x  # as it is",
    "clone": "x.detach()  # a leaf of the same values; a computed x never changes",
    "copy": "x.detach()  # a leaf of the same values; x.data.copy() is an array",
    "tolist": "x.data.tolist()",
    "requires_grad_": "x.requires_grad = True",
    "zero_": "with mg.no_grad(): x *= 0.0  # a gradient: p.grad = None",
    "add_": "with mg.no_grad(): x += 1.0",
    "sub_": "with mg.no_grad(): x -= 1.0",
    "mul_": "with mg.no_grad(): x *= 2.0",
    "div_": "with mg.no_grad(): x /= 2.0",
    "fill_": "with mg.no_grad(): x[...] = 1.0",
    "copy_": "with mg.no_grad(): x[...] = 1.0",
    "clamp_": "x.data = np.clip(x.data, 0.0, 1.0)",
    "grad_fn": "x.node",
    "is_leaf": "x.node is None",
    "at": "mg.where(x > 0, 0.0, x)  # a new tensor; inside mg.no_grad(): x[0] = 1.0",
    "register_hook": "y = (2 * x).retain_grad()  # y.grad, after backward",
}

# Of the module mg.
MODULE = {
    "cat": "mg.concatenate([x, x])",
    "array": "mg.tensor([1.0, 2.0])",
    "from_numpy": "mg.tensor(np.ones(3))",
    "as_tensor": "mg.tensor(np.ones(3))",
    "Parameter": "mg.nn.Parameter(np.ones(3))",
    "randn": "mg.tensor(np.random.default_rng(0).standard_normal((2, 3)))",
    "rand": "mg.tensor(np.random.default_rng(0).random((2, 3)))",
    "clamp": "mg.clip(x, 0.0, 1.0)",
    "mm": "mg.matmul(x, x.T)",
    "bmm": "mg.matmul(x, x.T)",
    "chunk": "mg.split(x, 2)",
    "unbind": "mg.unstack(x)",
    "unsqueeze": "x.expand_dims(0)",
    "permute": "x.transpose(1, 0)",
    "pow": "x ** 2",
    "set_grad_enabled": "mg.no_grad(), mg.enable_grad()",
    "autograd": "mg.grad(x.sum(), [x])  # and mg.jacobian",
    "float32": "mg.zeros(3, dtype='float32')",
    "float64": "mg.zeros(3, dtype='float64')",
    "long": "mg.zeros(3, dtype='int64')",
    "LSTM": "from minigrad.models import LSTM",
    "GRU": "from minigrad.models import GRU",
    "RNN": "from minigrad.models import RNN",
    "inference_mode": "mg.no_grad()",
    "value_and_grad": "mg.grad(x.sum(), [x])  # after y = f(x): of tensors",
    "elementwise_grad": "mg.grad(x.sum(), [x])",
    "hessian": "g = mg.grad((x**3).sum(), x, create_graph=True)[0]; mg.jacobian(g, x)",
    "vmap": "2 * x  # operations take whole batches: rows of x",
    "scan": "from minigrad.models import unroll",
    "np": "np.exp(x)  # NumPy's own functions are recorded",
    "numpy": "np.exp(x)  # NumPy's own functions are recorded",
}

# Of the module mg.nn.
NN = {
    "LSTM": "from minigrad.models import LSTM",
    "GRU": "from minigrad.models import GRU",
    "RNN": "from minigrad.models import RNN",
    "SimpleRNN": "from minigrad.models import RNN",
    "LSTMCell": "from minigrad.models import LSTMCell",
    "GRUCell": "from minigrad.models import GRUCell",
    "RNNCell": "from minigrad.models import RNNCell",
    "Dense": "mg.nn.Linear(3, 2)  # and mg.tanh(...) of its result",
    "functional": "mg.relu(x), mg.softmax(x), mg.losses.mse(x, x)",
    "utils": "mg.clip_grad_norm_, mg.data.pad_sequences",
    "CrossEntropyLoss": "mg.losses.cross_entropy",
    "NLLLoss": "mg.losses.cross_entropy  # of the logits, without log_softmax",
    "BCELoss": "mg.losses.binary_cross_entropy  # of the logits, without sigmoid",
    "BCEWithLogitsLoss": "mg.losses.binary_cross_entropy",
    "MSELoss": "mg.losses.mse",
    "L1Loss": "mg.losses.mae",
    "Tanh": "mg.tanh(x)",
    "ReLU": "mg.relu(x)",
    "Sigmoid": "mg.sigmoid(x)",
    "Softmax": "mg.softmax(x)",
}

# Of the module mg.losses.
LOSSES = {
    "mse_loss": "mg.losses.mse",
    "l1_loss": "mg.losses.mae",
    "nll_loss": "mg.losses.cross_entropy  # of the logits, without log_softmax",
    "categorical_crossentropy": "mg.losses.cross_entropy  # of logits, class numbers",
    "sparse_categorical_crossentropy": "mg.losses.cross_entropy  # of logits",
    "binary_crossentropy": "mg.losses.binary_cross_entropy  # of logits",
    "CrossEntropyLoss": "mg.losses.cross_entropy",
    "MSELoss": "mg.losses.mse",
}

# Of a model.
MODEL = {
    "to": "model  # as it is: there are no devices; dtype='float32' when it is made",
    "cpu": "model  # as it is: there are no devices",
    "cuda": "model  # as it is: there are no devices",
    "float": "LSTM(2, 3, dtype='float32')  # a dtype is chosen when a model is made",
    "double": "LSTM(2, 3, dtype='float64')  # a dtype is chosen when a model is made",
    "children": "model.modules()  # with all that is within, and itself first",
    "named_children": "model.named_modules()",
    "register_buffer": "model.steps = mg.zeros(3)  # an attribute like any other",
    "register_parameter": "model.scale = mg.nn.Parameter(np.ones(3))",
    "apply": "for module in model.modules(): module.training = False",
    "fit": "mg.training.Trainer  # and the loop of the first lesson",
    "summary": "print(model)",
    "get_weights": "model.state_dict()",
    "set_weights": "model.load_state_dict(model.state_dict())",
    "trainable_variables": "model.parameters()",
}


class ForeignNames(Variable):
    """What a tensor says when asked for something that it does not have."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name[:1] == "_":  # what Python and NumPy look for
            raise AttributeError(name)
        if hasattr(np.ndarray, name) and values_within(self._edge) is not None:
            if name == "copy":  # x.data of a trace is a tensor: nobody writes to it
                return lambda: self
            leaving(self, f"x.data.{name}")
        raise unknown("a tensor", "x", name, TENSOR, public(type(self)))  # type: ignore

    def __delitem__(self, key: Any) -> None:
        raise DTypeError(
            "del x[key]: a tensor keeps its shape",
            expect="a new tensor of the entries to keep",
            actual=f"x: {describe(self._edge)}",
            hint="mg.concatenate([x[:k], x[k + 1 :]])",
        )

    def __invert__(self) -> Any:
        raise _no_operator("~x", "np.logical_not(mask)", self)


def _refusing(sign: str, instead: str, swapped: bool) -> Any:
    """The method of an operator that tensors do not have."""

    def refuse(self: Any, other: Any) -> Any:
        operands = (other, self) if swapped else (self, other)
        raise _no_operator(f"a {sign} b", instead, *operands)

    return refuse


def _no_operator(call: str, instead: str, *operands: Any) -> DTypeError:
    shown = [
        describe(x._edge) if isinstance(x, Variable) else f"{x!r:.40}" for x in operands
    ]
    return DTypeError(
        f"{call}: tensors do not have this operator",
        expect="+ - * / ** @, comparisons, and functions",
        actual="     ".join(shown),
        hint=f"write {instead}",
    )


for _name, _sign, _instead in (
    ("floordiv", "//", "np.floor_divide(a.data, b), a constant: its slope is 0"),
    ("mod", "%", "a - b * np.floor(a / b)"),
    ("divmod", "divmod", "np.divmod(a.data, b), constants"),
    ("lshift", "<<", "a * 2**k"),
    ("rshift", ">>", "a / 2**k"),
    ("and", "&", "np.logical_and(a, b) for masks"),
    ("or", "|", "np.logical_or(a, b) for masks"),
    ("xor", "^", "np.logical_xor(a, b) for masks; a ** b is the power"),
):
    setattr(ForeignNames, f"__{_name}__", _refusing(_sign, _instead, swapped=False))
    setattr(ForeignNames, f"__r{_name}__", _refusing(_sign, _instead, swapped=True))


def unknown(
    what: str,
    short: str,
    name: str,
    table: dict[str, str],
    names: Iterable[str] = (),
) -> Exception:
    """The error for a name that `what`, written `short`, does not have.

    table  names of other libraries: what to write instead
    names  those that it has, among which may be the one that was meant
    """
    near = _near(name, tuple(names))
    hint = near or f"help({'mg.Tensor' if short == 'x' else short}) lists what there is"
    if name in table:
        hint = f"write {table[name]}"
    elif name in _numpys():
        hint = f"np.{name}({'x' if short == 'x' else '...'}) is recorded"
    return UnknownNameError(
        f"{what} has no {name!r}",
        expect=f"a name of minigrad's: help({'mg.Tensor' if short == 'x' else 'mg'})",
        actual=f"{short}.{name}",
        hint=hint,
    )


@lru_cache(maxsize=128)
def public(kind: type) -> tuple[str, ...]:
    """The names of a class that are for users."""
    return tuple([one for one in dir(kind) if one[:1] != "_"])


@lru_cache(maxsize=256)  # hasattr asks for the same few names again and again
def _near(name: str, names: tuple[str, ...]) -> str | None:
    return meant(name, names)


def nothing_else(module: str, short: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module of ours: for names that there are not."""

    def __getattr__(name: str) -> Any:
        if name[:1] == "_":
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        raise unknown(module, short, name, {}, names_of(module))

    return __getattr__


def names_of(module: str) -> list[str]:
    """The public names of a module: those of its `__all__`, or all without a `_`."""
    found = vars(sys.modules[module])
    return found.get("__all__") or [name for name in found if name[:1] != "_"]


@cache
def _numpys() -> set[str]:
    """The names of NumPy's functions that are recorded."""
    from minigrad.engine import numpy_table

    known = [*numpy_table.FUNCTIONS, *numpy_table.UFUNCS]
    return {function.__name__ for function in known}
