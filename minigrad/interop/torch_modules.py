"""Models from PyTorch, and their weights back to it.

    lstm = mg.interop.from_torch(module)                        # an nn.LSTM
    lstm = mg.interop.from_torch(state, prefix="encoder.lstm.")
    module.load_state_dict(mg.interop.to_torch_state_dict(lstm))

Read next: `torch_ready.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, one_of
from minigrad.engine.primitives.elementwise import relu, sigmoid, tanh
from minigrad.interop.finite_weights import finite
from minigrad.interop.named_arrays import below, plain
from minigrad.interop.recurrent_groups import is_part, read_group, write_group
from minigrad.interop.refusals import does_not_fit, few, no_counterpart
from minigrad.interop.torch_ready import TorchReady
from minigrad.models import Cell, Recurrent
from minigrad.nn import Dropout, Embedding, Linear, Module, Parameter
from minigrad.nn.module_lists import ModuleList, Sequential

RECURRENT = ("RNN", "LSTM", "GRU", "RNNCell", "LSTMCell", "GRUCell")
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "Tanh": tanh,
    "Sigmoid": sigmoid,
    "ReLU": relu,
    "Identity": lambda x: x,
}


class Parts(Module):
    """The parts of a model from elsewhere, by the names that they had there.

    What happens between them is code, in the `forward` of its class there, and code
    is not taken over: write it anew with `parts.embedding`, `parts.lstm` and so on.
    """

    def forward(self, *inputs: Any, **options: Any) -> Any:
        """Raises ArgumentError: see the class."""
        names = [name for name, _ in self.named_modules() if name and "." not in name]
        raise ArgumentError(
            "the parts of a model cannot be called as a whole",
            expect="a forward of your own, which calls the parts",
            actual=f"parts: {few(names)}",
            hint="for example: output, state = parts.lstm(parts.embedding(words))",
        )


@checked_call
def from_torch(
    module_or_state_dict: Any,
    prefix: str = "",
    *,
    activation: str = "tanh",
    batch_first: bool = False,
    dropout: float = 0.0,
    embeddings: Iterable[str] = (),
) -> Any:
    """A model of ours with the weights of a PyTorch module, or of a state dict.

    module_or_state_dict  an nn.RNN, nn.LSTM, nn.GRU or one of their cells, nn.Linear,
                nn.Embedding, nn.Dropout, or a module that holds such; or a dict of
                tensors or arrays by PyTorch's names
    prefix      the part of it that is meant: "encoder." or "encoder.lstm."
    activation, batch_first, dropout  what a state dict does not say of a recurrent
                layer; a module says it itself
    embeddings  names in a state dict that are tables of word vectors. A matrix alone
                could also be a Linear without bias; only names with "emb" are clear

    Returns an RNN, LSTM or GRU (of a cell: a cell), Linear, Embedding or Dropout; of a
    whole model a Module that holds these under their names (of nn.Sequential: one that
    can be called). Weights are copied; biases that add up are added, and go back as
    they were with `to_torch_state_dict`. A layer with bias=False has a b of zeros that
    is not trained. Dtypes stay: float32 or float64.
    Raises CheckpointError for missing, extra and unfitting weights; ArgumentError, by
    name, for what has no counterpart here (proj_size, LayerNorm, ...); DTypeError for
    half floats.
    """
    one_of("activation", activation, ("tanh", "relu"))
    if isinstance(module_or_state_dict, Mapping):
        options = {
            "activation": activation,
            "batch_first": batch_first,
            "dropout": dropout,
        }
        state = below(module_or_state_dict, prefix)
        made = _from_state(state, prefix, options, set(embeddings))
        return finite("from_torch", made)
    module = module_or_state_dict
    if not hasattr(module, "named_children") or not hasattr(module, "state_dict"):
        raise ArgumentError(
            "from_torch: neither a module of PyTorch's nor a state dict",
            expect="a torch.nn.Module, or a dict of its weights by name",
            actual=f"{type(module).__name__}",
            hint="of a file: mg.interop.open(path)",
        )
    for name in filter(None, prefix.split(".")):
        children = dict(module.named_children())
        if name not in children:
            raise does_not_fit(
                f"prefix={prefix!r}: there is no module of this name",
                expect=f"one of {few(children)}",
                actual=repr(name),
                hint="prefix is the way to the module: 'encoder.lstm.'",
            )
        module = children[name]
    return finite("from_torch", _from_module(module, prefix))


# ------------------------------------------------------------- a module


def _from_module(module: Any, where: str) -> Any:
    """The counterpart of one module; of one with children, theirs under their names."""
    # A list of what is still to do, since modules may lie deep within each other.
    made: dict[int, Any] = {}
    todo = [(where.rstrip("."), module, False)]
    while todo:
        name, found, children_done = todo.pop()
        kind = _torch_kind(found)
        children = dict(found.named_children())
        if id(found) in made:
            continue
        if not children_done and children and kind not in RECURRENT:
            todo.append((name, found, True))
            dot = "." if name else ""
            todo += [(f"{name}{dot}{k}", child, False) for k, child in children.items()]
            continue
        inside = {
            k: made[id(child)] for k, child in children.items() if id(child) in made
        }
        made[id(found)] = _counterpart(found, kind, inside, name)
    return made[id(module)]


def _torch_kind(module: Any) -> str:
    """The name of the class of torch.nn that a module is of; "" for a user's own."""
    for base in type(module).__mro__:
        if base.__module__.startswith("torch.nn.modules") and base.__name__ != "Module":
            return base.__name__
    return ""


def _counterpart(module: Any, kind: str, inside: dict[str, Any], where: str) -> Any:
    where = where or kind or type(module).__name__
    state = {k: v for k, v in module.state_dict().items()}
    if kind in RECURRENT:
        options = {
            "activation": getattr(module, "nonlinearity", "tanh"),
            "batch_first": getattr(module, "batch_first", False),
            "dropout": getattr(module, "dropout", 0.0),
        }
        made = read_group(state, f"{where}.", options)
    elif kind == "Linear":
        made = _linear(state, where)
    elif kind == "Embedding":
        made = _embedding(module, state, where)
    elif kind == "Dropout":
        made = Dropout(module.p)
    elif kind in FUNCTIONS:
        return FUNCTIONS[kind]
    elif kind == "Sequential":
        made = Sequential(*inside.values())
    elif kind == "ModuleList":
        made = ModuleList(inside.values())
    elif kind in ("", "ModuleDict"):
        made = _own_class(module, inside, where)
    else:
        raise no_counterpart(
            kind,
            where,
            f"one of {', '.join((*RECURRENT, 'Linear', 'Embedding', 'Dropout'))} or "
            f"{', '.join(FUNCTIONS)}",
            "prefix= takes over a part without it: prefix='encoder.lstm.'",
        )
    made.train(module.training)
    return made


def _own_class(module: Any, inside: dict[str, Any], where: str) -> Parts:
    """A user's own module: its parts, and the parameters that it holds itself."""
    kept = {name for name, _ in module.named_parameters(recurse=False)}
    buffers = [k for k in module.state_dict() if "." not in k and k not in kept]
    if buffers:
        raise no_counterpart(
            f"buffer {few(buffers)}",
            where,
            "parameters alone: there are no arrays that are saved and not trained",
            "prefix= takes over a part without it",
        )
    parts = Parts()
    for name, parameter in module.named_parameters(recurse=False):
        setattr(parts, name, Parameter(plain(parameter, f"{where}.{name}")))
    for name, part in inside.items():
        setattr(parts, name, part)
    return parts


def _embedding(module: Any, state: dict[str, Any], where: str) -> Embedding:
    for name in ("max_norm", "scale_grad_by_freq"):
        if getattr(module, name, None):
            raise no_counterpart(
                f"Embedding({name}=...)",
                where,
                "an Embedding without it",
                "it changes how vectors are trained, not what they are: load the "
                "state dict instead",
            )
    weight = plain(state["weight"], f"{where}.weight")
    return _table(weight, where, module.padding_idx)


def _table(weight: np.ndarray, where: str, padding: int | None = None) -> Embedding:
    if weight.ndim != 2:
        raise does_not_fit(
            f"{where}: weight is not a table of word vectors",
            expect="weight (words, numbers per word)",
            actual=f"{weight.shape}",
            hint="prefix= takes over a part without it",
        )
    words, size = weight.shape
    made = Embedding(words, size, padding, dtype=weight.dtype, rng=0)
    made.weight.data = weight
    return made


def _linear(state: dict[str, Any], where: str) -> Linear:
    weight = plain(state["weight"], f"{where}.weight")
    bias = plain(state["bias"], f"{where}.bias") if "bias" in state else None
    if weight.ndim != 2 or (
        bias is not None
        and (bias.shape != weight.shape[:1] or bias.dtype != weight.dtype)
    ):
        raise does_not_fit(
            f"{where}: weight and bias are not of a Linear layer",
            expect="weight (out, in), bias (out,), of one dtype",
            actual=f"weight {weight.shape} {weight.dtype}"
            + (f", bias {bias.shape} {bias.dtype}" if bias is not None else ""),
            hint="prefix= takes over a part without it",
        )
    outputs, inputs = weight.shape
    made = Linear(inputs, outputs, bias is not None, dtype=weight.dtype, rng=0)
    made.weight.data = weight.T.copy()
    if bias is not None and made.bias is not None:
        made.bias.data = bias
    return made


# ------------------------------------------------------------- a state dict


def _from_state(
    state: dict[str, Any], where: str, options: dict[str, Any], embeddings: set[str]
) -> Any:
    """One part, or several under their names."""
    where = where if not where or where.endswith(".") else f"{where}."
    groups: dict[str, dict[str, Any]] = {}
    for name, value in state.items():
        owner, _, own = name.rpartition(".")
        groups.setdefault(owner, {})[own] = value
    made = {
        owner: _from_group(
            group, owner, f"{where}{owner}." if owner else where, options, embeddings
        )
        for owner, group in groups.items()
    }
    if list(made) == [""]:
        return made[""]
    if "" in made:
        raise does_not_fit(
            f"{where or 'the state dict'} has weights of its own and parts besides",
            expect="weights of one layer, or of layers under their names",
            actual=f"own: {few(groups[''])}     parts: {few(k for k in made if k)}",
            hint="prefix= names one layer: prefix='encoder.lstm.'",
        )
    whole = Parts()
    for owner, part in made.items():
        holder: Any = whole
        *way, last = owner.split(".")
        for step in way:
            if not isinstance(getattr(holder, step, None), Parts):
                setattr(holder, step, Parts())
            holder = getattr(holder, step)
        setattr(holder, last, part)
    return whole


def _from_group(
    group: dict[str, Any],
    owner: str,
    where: str,
    options: dict[str, Any],
    embeddings: set[str],
) -> Any:
    """The layer that weights of these names belong to."""
    if any(is_part(name) for name in group):
        return read_group(group, where, options)
    called = where.rstrip(".")
    known = set(group) <= {"weight", "bias"} and "weight" in group
    weight = plain(group["weight"], f"{where}weight") if known else np.zeros(0)
    if known and weight.ndim == 2 and "bias" in group:
        return _linear(group, called)
    if known and weight.ndim == 2:
        last = called.rpartition(".")[2]
        if "emb" in last.lower() or embeddings & {owner, called}:
            return _table(weight, called)
        raise ArgumentError(
            f"{where}weight: a table of word vectors, or a Linear without bias?",
            expect="a name with 'emb' in it, or a word on what it is",
            actual=f"{where}weight {weight.shape} without a bias",
            hint=f"from_torch(..., embeddings=[{owner or called!r}]), or pass the "
            "module itself",
        )
    raise no_counterpart(
        f"the layer with {few(group)}",
        called or "the state dict",
        "weights of a recurrent layer, of Linear or of Embedding",
        "prefix= takes over a part without it: prefix='encoder.lstm.'",
    )


# ------------------------------------------------------------- out again


@checked_call
def to_torch_state_dict(model: Any) -> dict[str, np.ndarray]:
    """The weights of a model, or of anything that holds models, by PyTorch's names.

    Returns arrays that `module.load_state_dict(...)` takes as they are. Names are
    those of the attributes here, then PyTorch's: "lstm.weight_ih_l0". Linear weights
    are transposed, gates and biases as PyTorch has them; PyTorch need not be there.
    Raises ArgumentError, by name, for variants that PyTorch has no layer for:
    peepholes, coupled gates, no forget gate, reset="before", cells of your own. A GRU
    with update="take" goes out with z negated, which is the same function.
    """
    if not isinstance(model, Module):
        raise ArgumentError(
            "to_torch_state_dict: not a model",
            expect="an RNN, LSTM or GRU, or a Module that holds one",
            actual=type(model).__name__,
            hint="to_torch_state_dict(lstm)",
        )
    found: dict[str, np.ndarray] = {}
    done: list[str] = []
    for name, part in model.named_modules():
        dot = f"{name}." if name else ""
        if any(dot.startswith(above) for above in done):
            continue
        if isinstance(part, Recurrent | Cell):
            arrays = write_group(part, name)
            done.append(dot)
        elif isinstance(part, Linear):
            arrays = {"weight": part.weight.data.T}
            if part.bias is not None:
                arrays["bias"] = part.bias.data
        else:
            own = {k: v for k, v in part.members() if isinstance(v, Parameter)}
            arrays = {k: v.data for k, v in own.items()}
        found |= {f"{dot}{key}": array for key, array in arrays.items()}
    return {k: np.array(a, order="C").view(TorchReady) for k, a in found.items()}
