"""Eager against compiled: models, variants, losses and optimisers, random shapes."""

from __future__ import annotations

import numpy as np
import pytest

import minigrad as mg
from compiler.steps import VARIANTS, Net, same_state, training_step
from minigrad.compiler import plan
from minigrad.engine.errors import NonFiniteError

LOSSES = {
    "mse": lambda z, y: mg.losses.mse(z, y),
    "mae": lambda z, y: mg.losses.mae(z, y, reduction="sum"),
    "rmse": lambda z, y: mg.losses.rmse(z, y),
    "binary": lambda z, y: mg.losses.binary_cross_entropy(z, y),
    "classes": lambda z, y: mg.losses.cross_entropy(z, y, label_smoothing=0.1),
}
OPTIMIZERS = {
    "SGD": lambda ps: mg.optim.SGD(ps, lr=0.05, momentum=0.9, nesterov=True),
    "RMSprop": lambda ps: mg.optim.RMSprop(ps, lr=0.01, centered=True),
    "Adam": lambda ps: mg.optim.Adam(ps, lr=0.01, weight_decay=0.01),
    "AdamW": lambda ps: mg.optim.AdamW(ps, lr=0.01, amsgrad=True),
}


# A kernel takes most of a second to compile. These variants are run with kernels, the
# others with NumPy in their place: the passes and the plan are the same.
WITH_KERNELS = (0, 3, 6, 11)


@pytest.fixture
def by_numpy(monkeypatch):
    """Elementwise groups are computed by NumPy, whatever their size."""
    monkeypatch.setattr(plan, "FEW", 10_000)


def _targets(loss, rng, shape):
    if loss == "classes":
        return rng.integers(0, shape[-1], shape[:-1])
    if loss == "binary":
        return rng.random(shape)
    return rng.standard_normal(shape)


def _both(kind, options, loss, optimizer, dtype="float64", clip=0.5, sizes=(3, 5, 4)):
    """An eager and a compiled training step of equal networks."""
    found = []
    for _ in range(2):
        inputs, hidden, outputs = sizes
        net = Net(kind, inputs, hidden, outputs, dtype=dtype, **options)
        made = OPTIMIZERS[optimizer](net.parameters())
        found.append(((net, made), training_step(net, LOSSES[loss], made, clip)))
    (first, eager), (second, step) = found
    return first, eager, second, mg.compile(step)


@pytest.mark.parametrize("number", range(len(VARIANTS)))
def test_a_variant_trains_as_it_does_eagerly(number, monkeypatch):
    if number not in WITH_KERNELS:
        monkeypatch.setattr(plan, "FEW", 10_000)
    kind, options = VARIANTS[number]
    rng = np.random.default_rng(number)
    loss = list(LOSSES)[number % len(LOSSES)]
    optimizer = list(OPTIMIZERS)[number % len(OPTIMIZERS)]
    sizes = tuple(int(n) for n in rng.integers(2, 6, 3))
    first, eager, second, compiled = _both(kind, options, loss, optimizer, sizes=sizes)
    T, B = (int(n) for n in rng.integers(2, 6, 2))
    front = (B, T) if options.get("batch_first") else (T, B)
    for _ in range(4):
        x = rng.standard_normal((*front, sizes[0]))
        y = _targets(loss, rng, (*front, sizes[2]))
        (a, norm), (b, other) = eager(x, y), compiled(x, y)
        assert b.item() == pytest.approx(a.item(), rel=1e-13)
        assert type(other) is float
        assert other == pytest.approx(norm, rel=1e-12)
        same_state(first, second, 1e-10)
    assert all(r.trouble is None for r in compiled.explain())
    assert compiled.replays == 2


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_losses_and_optimizers_in_float32(loss, optimizer, by_numpy):
    rng = np.random.default_rng(1)
    first, eager, second, compiled = _both("LSTM", {}, loss, optimizer, "float32", None)
    for _ in range(3):
        x = rng.standard_normal((4, 3, 3)).astype("float32")
        y = _targets(loss, rng, (4, 3, 4))
        a, b = eager(x, y)[0], compiled(x, y)[0]
        assert a.dtype == b.dtype == np.float32
        assert b.item() == pytest.approx(a.item(), rel=1e-5)
        same_state(first, second, 2e-3 if optimizer == "RMSprop" else 3e-4)


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@pytest.mark.parametrize("by", ["lengths", "mask"])
def test_padding_is_an_argument_like_others(kind, by, request):
    if (kind, by) != ("LSTM", "lengths"):
        request.getfixturevalue("by_numpy")
    rng = np.random.default_rng(2)
    first, eager, second, compiled = _both(kind, {}, "mse", "SGD")
    for _ in range(4):
        x, y = rng.standard_normal((5, 4, 3)), rng.standard_normal((5, 4, 4))
        lengths = rng.integers(1, 6, 4)
        real = np.arange(5)[:, None] < lengths
        given = {"lengths": lengths} if by == "lengths" else {"mask": real}
        a, b = eager(x, y, **given)[0], compiled(x, y, **given)[0]
        assert b.item() == pytest.approx(a.item(), rel=1e-13)
        same_state(first, second, 1e-11)
    if by == "lengths":
        with pytest.raises(mg.errors.ArgumentError, match=r"lengths\[0\] = 9"):
            compiled(x, y, lengths=np.array([9, 1, 1, 1]))


def test_words_go_through_an_embedding(by_numpy):
    rng = np.random.default_rng(3)

    def make():
        model = mg.nn.Module()
        model.embed = mg.nn.Embedding(11, 3, padding_idx=0, rng=0)
        model.net = Net("GRU", 3, 4, 2)
        optimizer = mg.optim.Adam(model.parameters())

        def step(words, y):
            optimizer.zero_grad()
            loss = mg.losses.cross_entropy(model.net(model.embed(words)), y)
            loss.backward()
            optimizer.step()
            return loss

        return (model, optimizer), step

    (first, eager), (second, step) = make(), make()
    compiled = mg.compile(step)
    for _ in range(4):
        words, y = rng.integers(0, 11, (4, 3)), rng.integers(0, 2, (4, 3))
        assert compiled(words, y).item() == pytest.approx(eager(words, y).item())
        same_state(first, second, 1e-12)
    before = [p.data.copy() for p in second[0].parameters()]
    with pytest.raises(mg.errors.IndexingError, match="out of range"):
        compiled(np.full((4, 3), 11), y)
    for p, old in zip(second[0].parameters(), before, strict=True):
        assert np.array_equal(p.data, old)


@pytest.mark.parametrize("bound", [0.01, 1e6])
@pytest.mark.parametrize("how", ["norm", "value"])
def test_clipping_is_part_of_the_plan_and_has_eager_bits(how, bound):
    clip = {"norm": mg.clip_grad_norm_, "value": mg.clip_grad_value_}[how]
    rng = np.random.default_rng(0)
    ps = [mg.tensor(rng.standard_normal(n), requires_grad=True) for n in ((3, 4), 5)]
    ps.append(mg.tensor(np.float32(rng.standard_normal(6)), requires_grad=True))

    def step(*gs):
        for p, g in zip(ps, gs, strict=True):
            p.grad = None
            (p * g).sum().backward()
        return clip(ps, bound)

    compiled = mg.compile(step)
    for _ in range(4):
        gs = [mg.tensor(rng.standard_normal(p.shape).astype(p.dtype)) for p in ps]
        found = compiled(*gs), [p.grad.data.tobytes() for p in ps]
        assert found == (step(*gs), [p.grad.data.tobytes() for p in ps])
    [report] = compiled.explain()
    assert report.calls == 1  # the norm, or the look for what is not finite

    with pytest.raises(NonFiniteError, match="parameter 1"):
        compiled(gs[0], mg.full((5,), np.nan), gs[2])
    assert [p.grad.data.tobytes() for p in ps] == found[1]
