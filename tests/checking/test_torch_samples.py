"""PyTorch's own samples of its operators, put to those that we share (nightly).

The samples are what PyTorch tests itself with: odd shapes, empty tensors, broadcasting,
negative axes, repeated operands. Values and gradients are compared in float64.
"""

import numpy as np
import pytest
from checking.torch_operators import OURS

import minigrad as mg

pytestmark = [
    pytest.mark.nightly,  # to import the samples takes longer than to compare them
    pytest.mark.filterwarnings("ignore"),  # PyTorch's own, about its test library
]


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
    assert count > 900
