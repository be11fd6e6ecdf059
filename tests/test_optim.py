"""Optimisers: the papers' formulas step by step, PyTorch, saving, bad input."""

import gc
import inspect
import math
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    CheckpointError,
    DTypeError,
    GraphError,
    MinigradWarning,
)
from minigrad.engine.kernels import jit
from minigrad.nn import optim

SETTINGS = [
    ("SGD", {}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.5, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.8}),
    ("RMSprop", {"centered": True, "momentum": 0.8}),
    ("Adam", {}),
    ("Adam", {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-3, "weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("AdamW", {"weight_decay": 0.3, "amsgrad": True}),
]
SHAPES = [(3, 4), (), (0, 2), (200, 300)]  # the last takes more than one block


def parameters(rng, dtype="float64"):
    return [mg.nn.Parameter(rng.normal(size=s), dtype=dtype) for s in SHAPES]


def give_gradients(ps, rng):
    for p in ps:
        p.grad = mg.tensor(rng.normal(size=p.shape), dtype=p.dtype)


def formula(name, p, gs, lr=None, **s):
    """The value after the gradients gs, by the paper's loop, entry by entry."""
    lr = lr or {"SGD": 1e-3, "RMSprop": 1e-2}.get(name, 1e-3)
    decay = s.get("weight_decay", 1e-2 if name == "AdamW" else 0.0)
    eps, b1, b2 = s.get("eps", 1e-8), *s.get("betas", (0.9, 0.999))
    m = v = largest = velocity = mean = 0.0
    for t, g in enumerate(gs, start=1):
        if name == "AdamW":
            p = p - lr * decay * p
        else:
            g = g + decay * p
        if name == "SGD":
            mu = s.get("momentum", 0.0)
            velocity = g if t == 1 else mu * velocity + (1 - s.get("dampening", 0)) * g
            p = p - lr * (g + mu * velocity if s.get("nesterov") else velocity)
        elif name == "RMSprop":
            a = s.get("alpha", 0.99)
            v, mean = a * v + (1 - a) * g * g, a * mean + (1 - a) * g
            size = np.sqrt(v - mean * mean if s.get("centered") else v) + eps
            velocity = s.get("momentum", 0.0) * velocity + g / size
            p = p - lr * velocity
        else:
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            largest = np.maximum(largest, v) if s.get("amsgrad") else v
            size = np.sqrt(largest / (1 - b2**t)) + eps
            p = p - lr * m / (1 - b1**t) / size
    return p


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_the_paper_s_formula(name, settings, rng):
    ps = parameters(rng)
    start = [p.data for p in ps]
    optimizer = getattr(optim, name)(ps, **settings)
    gs = [[] for _ in ps]
    for _ in range(6):
        give_gradients(ps, rng)
        for p, g in zip(ps, gs, strict=True):
            g.append(p.grad.data)
        optimizer.step()
    for p, before, g in zip(ps, start, gs, strict=True):
        moved = formula(name, before, g, **settings) - before
        size = abs(moved).max(initial=0.0)
        assert abs(p.data - before - moved).max(initial=0.0) <= 1e-12 * (1 + size)
        assert p.size == 0 or size > 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_step_by_step_as_in_torch(name, settings, dtype, rng):
    torch = pytest.importorskip("torch", reason="needs torch")
    ps = parameters(rng, dtype)
    theirs = [torch.tensor(p.data, requires_grad=True) for p in ps]
    optimizer = getattr(optim, name)(ps, **settings)
    other = getattr(torch.optim, name)(theirs, **settings)
    # RMSprop's first steps are g / |g| * sqrt(1 / (1 - alpha)): roundings are as large
    close = 64 * np.finfo(dtype).eps
    for step in range(12):
        give_gradients(ps, rng)
        for p, q in zip(ps, theirs, strict=True):
            q.grad = torch.tensor(p.grad.data)
        optimizer.lr = other.param_groups[0]["lr"] = 0.05 / (1 + step)
        optimizer.step()
        other.step()
        for p, q in zip(ps, theirs, strict=True):
            size = 1 + abs(p.data).max(initial=0.0)
            far = abs(p.data - q.detach().numpy()).max(initial=0.0)
            assert far <= close * size, (step, p.shape)


@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW"])
def test_arguments_and_defaults_are_torch_s(name):
    torch = pytest.importorskip("torch", reason="needs torch")
    ours = inspect.signature(getattr(optim, name)).parameters
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    for argument in list(ours)[1:]:
        assert ours[argument].default == theirs[argument].default, argument


@pytest.mark.parametrize("lr", [0.1, np.float64(0.1), np.float32(0.1)])
@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_float32_stays_float32(name, settings, lr, rng):
    ps = parameters(rng, "float32")
    optimizer = getattr(optim, name)(ps, **settings)
    optimizer.lr = lr
    for _ in range(2):
        give_gradients(ps, rng)
        optimizer.step()
    assert {p.dtype for p in ps} == {np.dtype("float32")}
    assert type(optimizer.lr) is float


def test_parameters_are_rebound_not_written(rng):
    [p] = ps = [mg.nn.Parameter(rng.normal(size=3), name="p")]
    before, leaf = p.data, p._edge.source
    copy = before.copy()
    loss = (p * p).sum()
    loss.backward()
    optim.Adam(ps).step()
    assert np.array_equal(before, copy)
    assert not np.shares_memory(before, p.data)
    assert not p.data.flags.writeable
    assert p._edge.source is leaf
    assert p.name == "p"
    assert p.requires_grad
    assert p.node is None
    assert np.array_equal(mg.grad(loss, [p])[0].data, 2 * copy)  # of what ran


def test_a_transposed_parameter_and_its_gradient(rng):
    p = mg.nn.Parameter(rng.normal(size=(3, 4)).T)
    q = mg.nn.Parameter(p.data.copy(order="C"))
    g = rng.normal(size=(3, 4)).T
    for one in (p, q):
        one.grad = mg.tensor(g)
        optimizer = optim.Adam([one], lr=0.1)
        optimizer.step()
    assert np.array_equal(p.data, q.data)


def test_what_has_no_gradient_is_passed_over(rng):
    p, q = mg.nn.Parameter([1.0]), mg.nn.Parameter([2.0], requires_grad=False)
    optimizer = optim.Adam([p, q], lr=0.1)
    with pytest.warns(MinigradWarning, match="no parameter has a gradient"):
        optimizer.step()
    assert (p.item(), q.item()) == (1.0, 2.0)
    assert optimizer.state == [{}, {}]
    p.grad = mg.tensor([1.0])
    optimizer.step()
    assert p.item() == pytest.approx(0.9)  # the first of its steps, whenever it comes
    assert q.item() == 2.0


def test_zero_grad():
    p = mg.nn.Parameter([1.0])
    optimizer = optim.SGD([p])
    (p * 2.0).backward()
    optimizer.zero_grad()
    assert p.grad is None


def test_a_step_records_nothing_and_the_graph_is_freed_by_reference_counting(rng):
    model = mg.nn.Linear(3, 2, rng=0)
    optimizer = optim.Adam(model.parameters())
    gc.disable()
    try:
        loss = mg.losses.mse(model(rng.normal(size=(4, 3))), np.zeros((4, 2)))
        loss.backward()
        mg.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        gone = [weakref.ref(x) for x in (loss, loss.node.edges[0].array)]
        del loss
        optimizer.zero_grad()
        assert [x() for x in gone] == [None, None]
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("name", "settings"), [*SETTINGS, ("Adam", {"lr": 0.03}), ("SGD", {"lr": 1e-2})]
)
def test_training_fits_a_real_problem(name, settings):
    """Tomorrow's temperature in Seattle, from today's weather."""
    weather = mg.data.seattle_weather()
    columns = [weather.precipitation, weather.temp_max, weather.temp_min, weather.wind]
    table = np.stack([np.asarray(c, "float64") for c in columns], 1)
    table = (table - table.mean(0)) / table.std(0)
    x, y = table[:-1], table[1:, 1:2]
    model = mg.nn.Sequential(
        mg.nn.Linear(4, 8, rng=0), mg.tanh, mg.nn.Linear(8, 1, rng=1)
    )
    optimizer = getattr(optim, name)(model.parameters(), **settings)
    optimizer.lr = max(optimizer.lr, 0.01)

    def run():
        for xs, ys in mg.data.batches(x, y, batch_size=64, rng=0):
            optimizer.zero_grad()
            mg.losses.mse(model(xs), ys).backward()
            mg.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        return mg.losses.mse(model(x), y).item()

    first = mg.losses.mse(model(x), y).item()
    last = [run() for _ in range(6)][-1]
    assert last < 0.6 * first
    assert last < 0.6  # of a variance of 1


def test_the_same_seed_gives_the_same_bits():
    def run():
        mg.manual_seed(1)
        model = mg.nn.Sequential(
            mg.nn.Embedding(9, 4), mg.nn.Dropout(0.3), mg.nn.Linear(4, 3)
        )
        optimizer = optim.Adam(model.parameters())
        for words in mg.data.batches(np.arange(9), batch_size=2):
            optimizer.zero_grad()
            mg.losses.cross_entropy(model(words), words % 3).backward()
            optimizer.step()
        return model.state_dict()

    one, two = run(), run()
    assert all(np.array_equal(one[name], two[name]) for name in one)


# saving


@pytest.mark.parametrize(("name", "settings"), SETTINGS)
def test_a_resumed_run_goes_on_as_if_nothing_had_been(name, settings, rng, tmp_path):
    seed = rng.integers(1000)
    ps = parameters(np.random.default_rng(seed))
    qs = parameters(np.random.default_rng(seed))
    one = getattr(optim, name)(ps, **settings)
    one.lr = 0.02
    for _ in range(3):
        give_gradients(ps[:3], rng)  # one parameter has no state yet
        one.step()
    state = one.state_dict()
    assert all(isinstance(value, np.ndarray) for value in state.values())
    mg.save(tmp_path / "a", one)
    two = getattr(optim, name)(qs, **{**settings, "lr": 0.5})
    two.load_state_dict(mg.load(tmp_path / "a"))
    for p, q in zip(ps, qs, strict=True):
        q.data = p.data
    for _ in range(2):
        give_gradients(ps, rng)
        for p, q in zip(ps, qs, strict=True):
            q.grad = p.grad
        one.step()
        two.step()
    for p, q in zip(ps, qs, strict=True):
        assert np.array_equal(p.data, q.data)
    assert {k: type(v) for k, v in vars(two).items()} == {
        k: type(v) for k, v in vars(one).items()
    }


def test_state_is_a_copy(rng):
    ps = parameters(rng)
    optimizer = optim.Adam(ps)
    give_gradients(ps, rng)
    optimizer.step()
    state = optimizer.state_dict()
    before = {name: value.copy() for name, value in state.items()}
    optimizer.load_state_dict(state)
    give_gradients(ps, rng)
    optimizer.step()
    assert all(np.array_equal(state[name], before[name]) for name in state)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("lr"), "'lr' does not fit\n.*\n  actual  missing"),
        (lambda s: s.pop("0.mean"), "'0.mean' does not fit\n.*\n  actual  missing"),
        (lambda s: s.update({"0.mean": np.ones(3)}), r"shape \(3, 4\)\n.*\(3,\)"),
        (lambda s: s.update({"9.mean": np.ones(3)}), "'9.mean'.*\n  expect  no such"),
        (lambda s: s.update(momentum=0.9), "'momentum'"),
        (lambda s: s.update(lr=np.array(np.nan)), "'lr'.*\n  expect  finite numbers"),
    ],
)
def test_a_state_that_does_not_fit_changes_nothing(change, message, rng):
    ps = parameters(rng)
    optimizer = optim.Adam(ps)
    give_gradients(ps, rng)
    optimizer.step()
    before = optimizer.state_dict()
    state = {name: value + 1 for name, value in before.items()}
    change(state)
    with pytest.raises(CheckpointError, match=message):
        optimizer.load_state_dict(state)
    after = optimizer.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


# bad input


def test_an_optimiser_of_one_s_own():
    class Sign(optim.Optimizer):
        def update(self, p, g, kept, step):
            return p - self.lr * np.sign(g)

    p = mg.nn.Parameter([1.0, 2.0])
    p.grad = mg.tensor([3.0, -4.0])
    Sign([p], lr=0.5).step()
    assert np.array_equal(p.data, [0.5, 2.5])


P = mg.nn.Parameter([1.0], name="P")
BAD = [
    (lambda: optim.SGD([]), ArgumentError, r"SGD\(parameters\): there are none"),
    (lambda: optim.SGD(P), DTypeError, r"pass a list of one: \[p\]"),
    (lambda: optim.SGD(mg.nn.Linear(2, 1)), DTypeError, r"pass model.parameters\(\)"),
    (lambda: optim.SGD(3), DTypeError, "several parameters are wanted"),
    (
        lambda: optim.SGD(mg.nn.Linear(2, 1).named_parameters()),
        DTypeError,
        "number 0 is not a tensor",
    ),
    (lambda: optim.Adam([P, np.ones(2)]), DTypeError, "Adam.*number 1 is not a tensor"),
    (lambda: optim.Adam([P, P * 2.0]), GraphError, "number 1 is computed"),
    (
        lambda: optim.Adam([P, P]),
        ArgumentError,
        r"given twice\n.*\n  actual  'P' \(1,\)",
    ),
    (lambda: optim.SGD([P], lr=-0.1), ArgumentError, r"SGD\(lr=-0.1\): out of range"),
    (lambda: optim.SGD([P], lr=math.nan), ArgumentError, r"lr=nan"),
    (lambda: optim.SGD([P], lr=math.inf), ArgumentError, r"lr=inf"),
    (lambda: optim.SGD([P], lr="fast"), ArgumentError, r"lr='fast'"),
    (lambda: setattr(optim.SGD([P]), "lr", -1), ArgumentError, r"lr=-1"),
    (lambda: optim.SGD([P], momentum=-1), ArgumentError, "momentum=-1"),
    (lambda: optim.SGD([P], weight_decay=-1), ArgumentError, "weight_decay=-1"),
    (lambda: optim.SGD([P], nesterov=True), ArgumentError, "it needs momentum"),
    (lambda: optim.RMSprop([P], alpha=1.0), ArgumentError, "alpha=1.0.*\n.*alpha < 1"),
    (lambda: optim.RMSprop([P], eps=-1), ArgumentError, "eps=-1"),
    (lambda: optim.Adam([P], betas=(1.0, 0.9)), ArgumentError, r"betas\[0\]=1.0"),
    (lambda: optim.AdamW([P], betas=(0.9, -1)), ArgumentError, r"AdamW\(betas\[1\]=-1"),
    (lambda: optim.AdamW([P], betas=0.9), ArgumentError, "betas=0.9"),
    (
        lambda: with_gradient(optim.Optimizer([P], 0.1)).step(),
        ArgumentError,
        "no update",
    ),
]


def with_gradient(optimizer):
    for p in optimizer.parameters:
        p.grad = mg.tensor(np.ones(p.shape))
    return optimizer


@pytest.mark.parametrize(("call", "error", "message"), BAD)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message) as caught:
        call()
    text = str(caught.value)
    assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))


# one pass over a big parameter

FORMULAS = [
    (optim.SGD, {}),
    (optim.SGD, {"momentum": 0.9, "weight_decay": 0.1}),
    (optim.SGD, {"momentum": 0.9, "nesterov": True}),
    (optim.RMSprop, {}),
    (optim.RMSprop, {"centered": True, "momentum": 0.5, "weight_decay": 0.1}),
    (optim.Adam, {"weight_decay": 0.1}),
    (optim.Adam, {"amsgrad": True}),
    (optim.AdamW, {}),
]


@pytest.mark.parametrize("kind, settings", FORMULAS)
def test_the_kernel_of_a_formula_computes_what_numpy_does(kind, settings):
    if not jit.enabled:
        pytest.skip("only with numba, and with kernels switched on")
    rng = np.random.default_rng(0)
    start = rng.standard_normal((130, 127)).astype("float32")
    gradients = [rng.standard_normal(start.shape).astype("float32") for _ in range(4)]

    def trained(on):
        p = mg.nn.Parameter(start)
        optimizer = kind([p], lr=0.01, **settings)
        with jit.use_kernels(on):
            for number, g in enumerate(gradients):
                optimizer.lr = 0.01 / (1 + number)
                p.grad = mg.tensor(g)
                before = p._edge.array
                kept = before.copy()
                optimizer.step()
                assert np.array_equal(before, kept)  # rebound, never written to
        assert bool(optimizer._kernels) == on
        return p.data, optimizer.state_dict()

    (p, state), (expected, other) = trained(True), trained(False)
    np.testing.assert_allclose(p, expected, rtol=1e-5, atol=1e-6)
    for name, values in other.items():
        np.testing.assert_allclose(state[name], values, rtol=1e-5, atol=1e-6)


def test_no_kernel_for_a_small_parameter_or_a_formula_of_one_s_own():
    class Sign(optim.SGD):
        def update(self, p, g, kept, step):
            return p - self.lr * np.sign(g)

    for optimizer in (
        optim.Adam([mg.nn.Parameter(np.ones(100))]),
        Sign([mg.nn.Parameter(np.ones(20_000))]),
    ):
        [p] = optimizer.parameters
        p.grad = mg.tensor(np.full(p.shape, 2.0))
        optimizer.step()
        assert not optimizer._kernels
    np.testing.assert_allclose(p.data, 1.0 - 1e-3)


def test_slots_are_only_what_is_needed():
    """Without momentum nothing is kept, with it one array of the parameter's size."""
    for momentum, count in ((0.0, 1), (0.5, 2)):
        p = mg.nn.Parameter(np.ones(3))
        optimizer = mg.optim.SGD([p], lr=0.1, momentum=momentum)
        p.grad = mg.ones(3)
        optimizer.step()
        assert len(optimizer.state[0]) == count  # the step's number among them


def test_a_variance_that_rounding_makes_negative_is_zero(rng):
    """A gradient that stays: the square's mean less the mean's square is rounding."""
    g = rng.standard_normal(500).astype("float32")
    p = mg.nn.Parameter(np.zeros(500, "float32"))
    optimizer = mg.optim.RMSprop([p], lr=0.01, alpha=0.5, centered=True)
    for _ in range(60):
        p.grad = mg.tensor(g)
        optimizer.step()
    assert np.isfinite(p.data).all() and (p.data * g < 0).all()


def test_strided_parameters_and_gradients(rng):
    """They may lie in memory as they like: transposed, every other row."""
    start, g = rng.standard_normal((2, 6, 4))
    found = []
    for change in (lambda a: a, lambda a: a.T.copy().T, lambda a: a.repeat(2, 0)[::2]):
        p = mg.nn.Parameter(change(start))
        optimizer = mg.optim.Adam([p], lr=0.1)
        for _ in range(3):
            p.grad = mg.tensor(change(g))
            optimizer.step()
        found.append(p.data)
    assert np.array_equal(found[0], found[1]) and np.array_equal(found[0], found[2])
