"""Why does my network not learn, asked of a PyTorch network.

Read next: `minigrad/tasks/` (real work on real data).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.errors import ArgumentError, DTypeError
from minigrad.engine.tensor import Tensor
from minigrad.flow import diagnose as diagnose_loss
from minigrad.interop.named_arrays import plain
from minigrad.interop.refusals import few
from minigrad.interop.torch_modules import from_torch
from minigrad.models import Recurrent


def diagnose(
    module: Any,
    x: Any,
    loss: Callable[[Tensor], Tensor],
    *,
    layer: str = "",
    **options: Any,
) -> Any:
    """What `mg.diagnose` says of a PyTorch network, on a batch of yours.

    module  an nn.RNN, nn.LSTM or nn.GRU, or a module that holds one
    x       what that recurrent part is given: a tensor or array, (T, B, D), or (B, T,
            D) if it has batch_first=True
    loss    a function of its outputs (T, B, directions*H), written with minigrad's or
            NumPy's functions, that gives one number: lambda out: mg.losses.mse(
            out[-1], target)
    layer   which one, by its name, if the module holds several
    options lag, sample, words ... of `mg.diagnose`

    Returns what `mg.diagnose` returns. The module itself is not run and not changed.
    Raises ArgumentError if there is no recurrent layer, or several and none is named;
    what `from_torch` and `mg.diagnose` raise otherwise.
    """
    model = _recurrent(module, layer)
    array = x if isinstance(x, Tensor) else Tensor(plain(x, "x"))
    trace_input = Tensor(array.data, requires_grad=True, name="x")
    output, _ = model(trace_input)
    value = loss(output)
    if not isinstance(value, Tensor):
        raise DTypeError(
            "diagnose(module, x, loss): the loss is no tensor of minigrad's",
            expect="a function of the outputs, written with minigrad's functions",
            actual=type(value).__name__,
            hint="lambda out: mg.losses.mse(out[-1], target)",
        )
    return diagnose_loss(value, model.parameters(), **options)


def _recurrent(module: Any, layer: str) -> Recurrent:
    """The recurrent part of a module, as a model here."""
    names = [
        name
        for name, part in getattr(module, "named_modules", lambda: [])()
        if type(part).__name__ in ("RNN", "LSTM", "GRU")
    ]
    if layer:
        names = [name for name in names if name == layer]
    if len(names) != 1:
        raise ArgumentError(
            "diagnose: which recurrent layer?"
            if names
            else "diagnose: no recurrent layer",
            expect="a torch.nn.RNN, LSTM or GRU, or a module that holds one",
            actual=f"{type(module).__name__} with {few(names)}",
            hint="diagnose(module, x, loss, layer='encoder')",
        )
    return from_torch(module, prefix=names[0])
