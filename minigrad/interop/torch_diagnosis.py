"""Why does my network not learn, asked of a PyTorch network.

Read next: `minigrad/tasks/` (real work on real data).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import ArgumentError, DTypeError
from minigrad.engine.tensor import Tensor
from minigrad.flow import diagnose as diagnose_loss
from minigrad.interop.named_arrays import plain
from minigrad.interop.refusals import few
from minigrad.interop.torch_modules import from_torch
from minigrad.models import Recurrent

# What functions of PyTorch raise of tensors that are not theirs, and the other way.
FOREIGN = (TypeError, AttributeError, ValueError, RuntimeError)


@checked_call
def diagnose(
    module: Any,
    x: Any,
    loss: Callable[[Any], Any],
    *,
    layer: str = "",
    **options: Any,
) -> Any:
    """What `mg.diagnose` says of a PyTorch network, on a batch of yours.

    module  an nn.RNN, nn.LSTM or nn.GRU, or a module that holds one
    x       what that recurrent part is given: a tensor or array, (T, B, D), or (B, T,
            D) if it has batch_first=True; or a PackedSequence
    loss    a function of its outputs (T, B, directions*H) that gives one number, in
            PyTorch: lambda out: F.mse_loss(head(out[-1]), target); or written with
            minigrad's or NumPy's functions. The outputs of a PackedSequence come padded
            with zeros
    layer   which one, by its name, if the module holds several
    options lag, sample, words ... of `mg.diagnose`

    Returns what `mg.diagnose` returns. The module itself is not run and not changed.
    Of a loss in PyTorch only its gradient for the outputs is known here, so that its
    targets are not looked at.
    Raises ArgumentError if there is no recurrent layer, or several and none is named;
    what `from_torch` and `mg.diagnose` raise otherwise, and what the loss raises.
    """
    model = _recurrent(module, layer)
    lengths = None
    if type(x).__name__ == "PackedSequence":
        x, lengths = _padded(x, model.batch_first)
    array = x if isinstance(x, Tensor) else Tensor(plain(x, "x"))
    trace_input = Tensor(array.data, requires_grad=True, name="x")
    output, _ = model(trace_input, lengths=lengths)
    return diagnose_loss(_value(loss, output), model.parameters(), **options)


def _padded(packed: Any, batch_first: bool) -> tuple[Any, list[int]]:
    """The padded sequences of a PackedSequence, and their lengths."""
    from torch.nn.utils.rnn import pad_packed_sequence

    padded, lengths = pad_packed_sequence(packed, batch_first=batch_first)
    return padded, [int(n) for n in lengths]


def _value(loss: Callable[[Any], Any], output: Tensor) -> Tensor:
    """The loss of these outputs; of one in PyTorch a sum with the same gradient."""
    try:
        value = loss(output)
    except FOREIGN:
        value = _in_torch(loss, output)  # PyTorch's functions refuse other tensors
        if value is None:
            raise
    else:
        if not isinstance(value, Tensor):
            value = _in_torch(loss, output) or value
    if not isinstance(value, Tensor):
        raise DTypeError(
            "diagnose(module, x, loss): the loss is no tensor",
            expect="a function of the outputs that gives one number with its graph",
            actual=type(value).__name__,
            hint="lambda out: torch.nn.functional.mse_loss(out[-1], target), or "
            "mg.losses.mse(out[-1], target)",
        )
    return value


def _in_torch(loss: Callable[[Any], Any], output: Tensor) -> Tensor | None:
    """The sum of the outputs times PyTorch's gradient of the loss for them; None if it
    is no loss of PyTorch's tensors either."""
    import torch

    leaf = torch.tensor(output.data, requires_grad=True)
    try:
        value = loss(leaf)
    except FOREIGN:
        return None
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return None
    (slope,) = torch.autograd.grad(value.sum(), leaf)
    return (output * Tensor(slope.numpy())).sum()


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
