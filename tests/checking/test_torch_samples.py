"""PyTorch's own samples of its operators, put to those that we share (nightly).

The samples are what PyTorch tests itself with: odd shapes, empty tensors, broadcasting,
negative axes, repeated operands. Values and gradients are compared in float64.
"""

import numpy as np
import pytest

import minigrad as mg
from minigrad import losses

pytestmark = [
    pytest.mark.nightly,  # to import the samples takes longer than to compare them
    pytest.mark.filterwarnings("ignore"),  # PyTorch's own, about its test library
]


def along(function):
    """With PyTorch's dim= and keepdim= as NumPy's axis= and keepdims=."""

    def call(x, dim=None, keepdim=False):
        dim = tuple(dim) if isinstance(dim, tuple | list) else dim
        if x.ndim == 0 and dim is not None:
            return None  # NumPy has no axis 0 of a number
        return function(x, axis=dim or None if dim == () else dim, keepdims=keepdim)

    return call


def one_axis(function):
    def call(x, dim, **named):
        return None if named or x.ndim == 0 else function(x, dim)

    return call


def deviation(function):
    def call(x, dim=None, correction=1, unbiased=None, keepdim=False):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        ddof = (
            (1 if correction is None else correction) if unbiased is None else unbiased
        )
        ddof = int(ddof) if isinstance(ddof, bool) else ddof
        return along(lambda a, **named: function(a, ddof=ddof, **named))(
            x, dim, keepdim
        )

    return call


def parts(x, sizes, dim=0):
    whole = x.shape[dim]
    if isinstance(sizes, int):
        cuts = list(range(sizes, whole, sizes))
    else:
        cuts = [int(k) for k in np.cumsum(sizes)[:-1]]
    return mg.split(x, cuts, dim)[0]


def squeezed(x, dim=None):
    if dim is None:
        return x.squeeze()
    axes = dim if isinstance(dim, tuple) else (dim,)
    if x.ndim == 0 or any(x.shape[k] != 1 for k in axes):
        return None  # an error in NumPy and here; PyTorch passes over it
    return x.squeeze(dim)


def clamped(x, low=None, high=None):
    whole = [a for a in (low, high) if a is not None]
    if not all(np.isscalar(a) for a in whole):
        return None
    return mg.clip(x, low, high)


def norm(x, ord=2, dim=None, keepdim=False):
    return along(mg.norm)(x, dim, keepdim) if ord == 2 else None


def loss(function):
    def call(x, target, weight=None, pos_weight=None, reduction="mean", **named):
        if named or weight is not None or pos_weight is not None or x.ndim == 0:
            return None
        return function(x, target, reduction=reduction)

    return call


OURS = {
    **{
        name: getattr(mg, name)
        for name in "exp log log1p expm1 sqrt tanh sigmoid sin cos abs maximum minimum "
        "matmul broadcast_to".split()
    },
    "nn.functional.relu": lambda x, inplace=False: None if inplace else mg.relu(x),
    "nn.functional.linear": lambda x, w, b=None: (
        x @ w.T if b is None else x @ w.T + b if w.ndim == 2 else None
    ),
    "add": lambda x, y, alpha=1: x + alpha * y,
    "sub": lambda x, y, alpha=1: x - alpha * y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y, rounding_mode=None: None if rounding_mode else x / y,
    "pow": lambda x, y: x**y,
    "neg": lambda x: -x,
    "mm": mg.matmul, "bmm": mg.matmul, "mv": mg.matmul, "dot": mg.matmul,
    "where": lambda x, mask, y: mg.where(mask, x, y),
    "clamp": clamped,
    "softmax": one_axis(mg.softmax),
    "log_softmax": one_axis(mg.log_softmax),
    "logsumexp": lambda x, dim, keepdim=False: along(mg.logsumexp)(x, dim, keepdim),
    "cumsum": one_axis(mg.cumsum),
    "sum": along(lambda x, **named: x.sum(**named)),
    "mean": along(lambda x, **named: x.mean(**named)),
    "amax": along(lambda x, **named: x.max(**named)),
    "amin": along(lambda x, **named: x.min(**named)),
    "prod": lambda x, dim=None, keepdim=False, **named: (
        None if named else along(lambda a, **more: a.prod(**more))(x, dim, keepdim)
    ),
    "var": deviation(mg.var),
    "std": deviation(mg.std),
    "linalg.vector_norm": norm,
    "cat": lambda xs, dim=0: (
        mg.concatenate(xs, dim) if len({x.ndim for x in xs}) == 1 else None
    ),
    "stack": lambda xs, dim=0: mg.stack(xs, dim),
    "split": parts,
    "reshape": lambda x, shape: x.reshape(shape),
    "permute": lambda x, dims: x.transpose(dims),
    "transpose": lambda x, one, two: x.swapaxes(one, two) if x.ndim else None,
    "squeeze": squeezed,
    "unsqueeze": lambda x, dim: x.expand_dims(dim),
    "index_select": lambda x, dim, index: (
        x[(slice(None),) * dim + (index,)] if x.ndim and dim >= 0 else None
    ),
    "einsum": lambda xs, notation: mg.einsum(notation, *xs),
    "nn.functional.mse_loss": loss(losses.mse),
    "nn.functional.l1_loss": loss(losses.mae),
    "nn.functional.binary_cross_entropy_with_logits": loss(losses.binary_cross_entropy),
}  # fmt: skip


def compared(torch, op, sample):
    """Compare one sample; False where we do not have what it asks for."""
    theirs = op(sample.input, *sample.args, **sample.kwargs)
    theirs = theirs[0] if isinstance(theirs, tuple | list) else theirs
    leaves = []

    def ours(x):
        if isinstance(x, torch.Tensor):
            array = x.detach().numpy()
            if not x.requires_grad:
                return array if array.ndim else array.item()
            leaves.append((x, mg.tensor(array, requires_grad=True)))
            return leaves[-1][1]
        if isinstance(x, list | tuple):
            return type(x)(ours(y) for y in x) if type(x) in (list, tuple) else tuple(x)
        return x

    if op.name == "nn.functional.cross_entropy":
        return False
    given = [ours(sample.input), *[ours(a) for a in sample.args]]
    made = OURS[op.name](*given, **{k: ours(v) for k, v in sample.kwargs.items()})
    if made is None:
        return False
    np.testing.assert_allclose(
        made.data, theirs.detach().numpy(), rtol=1e-12, atol=1e-14
    )
    if not leaves or not theirs.requires_grad:
        return True
    u = np.random.default_rng(0).standard_normal(theirs.shape)
    inputs = [x for x, _ in leaves]
    expected = torch.autograd.grad(theirs, inputs, torch.tensor(u), allow_unused=True)
    found = mg.grad(made, [y for _, y in leaves], u, allow_unused=True)
    for g, h in zip(found, expected, strict=True):
        reference = 0.0 if h is None else h.numpy()
        np.testing.assert_allclose(g.data, reference, rtol=1e-10, atol=1e-13)
    return True


def test_samples_of_pytorch(proof):
    torch = pytest.importorskip("torch", reason="needs torch")
    pytest.importorskip("expecttest", reason="needs expecttest")
    from torch.testing._internal.common_methods_invocations import op_db

    count, wrong, left = 0, [], {}
    for op in op_db:
        if op.name not in OURS:
            continue
        for k, sample in enumerate(op.sample_inputs("cpu", torch.float64, True)):
            try:
                same = compared(torch, op, sample)
            except Exception as error:
                wrong.append(f"{op.name} {k}: {type(error).__name__}: {error}")
            else:
                count += same
                left[op.name] = left.get(op.name, 0) + (not same)
    print(f"{count} samples agree; left out:", {k: n for k, n in left.items() if n})
    row = proof("other libraries", "PyTorch's samples of its operators, with gradients")
    row.tried, row.wrong = count, wrong
    assert not wrong, "\n".join(wrong[:20])
    assert count > 300
