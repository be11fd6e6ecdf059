"""Compiled is eager: right gradients, no silent change, the same bits, long chains.

The promises of `docs/trust.rst` once more, for functions that are replayed.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minigrad as mg
from minigrad import models
from minigrad.checking.expressions import draw, run
from minigrad.checking.operations import MINIGRAD
from minigrad.compiler import plan
from minigrad.engine.errors import CompileError
from minigrad.engine.kernels import jit

LIMIT = 1e-10  # relative to the largest entry
PER_PUSH, PER_PART, PARTS = 120, 2000, 50
WITH_KERNELS = 2  # of them per push: each has kernels of its own to be compiled
KERNELS_PER_PART = 50


def differences(seed):
    """A random program's value and gradients, eager and replayed: the largest."""
    rng = np.random.default_rng((seed, 9))
    made = draw(rng, int(rng.integers(2, 9 if seed % 50 else 40)))

    def program(*inputs):
        given = iter(inputs)
        output = run(made, MINIGRAD, lambda _: next(given))[0]
        return output, mg.grad(output, list(inputs), allow_unused=True)

    compiled, worst = mg.compile(program), 0.0
    for _ in range(3):  # two calls are traced, the third is replayed
        arrays = [rng.standard_normal(a.shape) for a in made.inputs]
        found = [
            (value, *gradients)
            for value, gradients in (
                function(*[mg.tensor(a, requires_grad=True) for a in arrays])
                for function in (program, compiled)
            )
        ]
        for eager, replayed in zip(*found, strict=True):
            scale = float(np.abs(eager.data).max(initial=0.0)) or 1.0
            error = float(np.abs(eager.data - replayed.data).max(initial=0.0)) / scale
            worst = max(worst, error if error == error else np.inf)
    assert compiled.replays == 1
    assert all(report.trouble is None for report in compiled.explain())
    return worst, str(made)


def compare(proof, what, seeds):
    row = proof("compiled", f"random graphs, {what}", LIMIT, "relative", 9)
    for seed in seeds:
        worst, made = differences(seed)
        row.measure(worst, f"seed {seed}:\n{made}" if worst > LIMIT else "")


@pytest.fixture
def by_numpy(monkeypatch):
    """All passes and the plan, but NumPy computes the kernels: it need not compile."""
    monkeypatch.setattr(plan, "FEW", 10_000)


def test_random_programs_through_all_passes(proof, by_numpy):
    compare(proof, "through all passes", range(PER_PUSH))


def test_random_programs_in_compiled_kernels(proof):
    compare(proof, "in compiled kernels", range(PER_PUSH, PER_PUSH + WITH_KERNELS))


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(PARTS))
def test_many_random_programs_through_all_passes(proof, by_numpy, part):
    """100,000, in parts that can be run one by one."""
    first = 10_000 + part * PER_PART
    compare(proof, "through all passes", range(first, first + PER_PART))


@pytest.mark.nightly
@pytest.mark.parametrize("part", range(10))
def test_many_random_programs_in_compiled_kernels(proof, part):
    first = 200_000 + part * KERNELS_PER_PART
    compare(proof, "in compiled kernels", range(first, first + KERNELS_PER_PART))


def test_a_part_is_kept_though_the_memory_of_the_whole_is_used_again(by_numpy):
    """The part is a view, and its cosine is needed when other values lie there."""
    rng = np.random.default_rng(0)
    shapes = ((2, 2, 2, 2), (3, 4), (1, 1))
    weights, factors, slope = [rng.standard_normal(shape) for shape in shapes]

    def program(x, other):
        y = mg.log_softmax(x, axis=0)
        part = y[1, 1:, ::2]
        both = mg.stack([y, y], 1)  # y lies within
        powers = other ** mg.broadcast_to(other, (3, 4))
        sine = mg.sin(part)
        total = (both * weights).sum() + (powers * factors).sum()
        total = total + (sine * slope).sum()
        return total, *mg.grad(total, [x, other])

    compiled = mg.compile(program)
    for number in range(4):
        rng = np.random.default_rng(number)
        arrays = rng.standard_normal((2, 2, 2)), rng.random(4)
        given = [mg.tensor(a, requires_grad=True) for a in arrays]
        for one, two in zip(program(*given), compiled(*given), strict=True):
            np.testing.assert_allclose(one.data, two.data, rtol=1e-12)
    assert compiled.replays == 2


# ----------------------------------------------------------------- or there is an error


class Step:
    """A training step with everything that a caller holds between two calls."""

    def __init__(self, compiled):
        rng = np.random.default_rng(2)
        self.w = mg.nn.Parameter(rng.standard_normal((3, 3)))
        self.around = mg.tensor(rng.standard_normal(3))
        self.x = rng.standard_normal((4, 3))
        self.tensor = mg.tensor(rng.standard_normal((4, 3)), requires_grad=True)
        self.call = mg.compile(self.step) if compiled else self.step

    def step(self, x, tensor):
        self.w.grad = None
        y = mg.tanh((x + tensor) @ self.w + self.around)
        loss = (y * y).sum()
        loss.backward()
        return loss, y

    def numbers(self, x=None):
        """What a call gives: as copies, and as it was handed out."""
        self.tensor.grad = None
        loss, y = self.call(self.x if x is None else x, self.tensor)
        kept = [loss, y, self.w.grad, self.tensor.grad]
        return [np.array(a.data) for a in kept], kept


def _flag(array):
    array.flags.writeable = True
    array[...] = 9.0


CHANGES = {
    "the argument's array": lambda s, kept: s.x.fill(0.5),
    "a view of it": lambda s, kept: s.x[::-1].__setitem__(0, 0.5),
    "p.data = other": lambda s, kept: setattr(s.w, "data", np.eye(3)),
    "a tensor's data": lambda s, kept: setattr(s.tensor, "data", np.ones((4, 3))),
    "a tensor around": lambda s, kept: setattr(s.around, "data", np.ones(3)),
    "w -= under no_grad": lambda s, kept: _in_place(s),
    "an optimiser's step": lambda s, kept: mg.optim.SGD([s.w], lr=0.1).step(),
    "load_state_dict": lambda s, kept: _load(s),
    "another parameter": lambda s, kept: setattr(s, "w", mg.nn.Parameter(np.eye(3))),
    "w.data[...] = 9": lambda s, kept: s.w.data.fill(9.0),
    "w.data made writable": lambda s, kept: _flag(s.w.data),
    "a result": lambda s, kept: kept[1].data.fill(9.0),
    "a result made writable": lambda s, kept: _flag(kept[1].data),
    "the loss made writable": lambda s, kept: _flag(kept[0].data),
    "a gradient": lambda s, kept: kept[2].data.fill(9.0),
    "a gradient made writable": lambda s, kept: _flag(kept[2].data),
    "np.add.at on a result": lambda s, kept: np.add.at(kept[1].data, (0, 0), 9.0),
    "np.add.at on a gradient": lambda s, kept: np.add.at(kept[3].data, (0, 0), 9.0),
    "np.add.at on a parameter": lambda s, kept: np.add.at(s.w.data, (0, 0), 9.0),
    "out= of a kernel": lambda s, kept: np.exp(s.w.data, out=s.w.data),
}


def _in_place(step):
    with mg.no_grad():
        step.w -= 0.5


def _load(step):
    module = mg.nn.Linear(3, 3)
    module.weight = step.w
    module.load_state_dict({k: np.ones(p.shape) for k, p in module.named_parameters()})


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_between_calls_is_seen_or_refused(proof, by_numpy, name):
    """After each change a replay gives what the function itself gives after it."""
    row = proof("compiled", f"{len(CHANGES)} ways to change an array between two calls")
    found = []
    for compiled in (False, True):
        step = Step(compiled)
        for _ in range(3):
            _, kept = step.numbers()
        try:
            CHANGES[name](step, kept)
        except (ValueError, TypeError, AttributeError):
            pass
        found += [step.numbers()[0], step.numbers()[0]]
    for eager, replayed in zip(found[:2], found[2:], strict=True):
        for one, other in zip(eager, replayed, strict=True):
            row.expect(np.allclose(one, other, rtol=1e-12, atol=0), name)


def test_what_a_call_handed_out_stays_as_it_was(proof, by_numpy):
    """Results, gradients and the arguments' gradients, over ten later calls."""
    row = proof("compiled", "results and gradients of earlier calls")
    step, before = Step(True), []
    for number in range(10):
        before.append(step.numbers(np.full((4, 3), number / 10)))
    for copies, kept in before:
        for copy, tensor in zip(copies, kept, strict=True):
            row.expect(np.array_equal(copy, tensor.data), "it was written over")


# -------------------------------------------------------------------------- same bits


def network(kind="LSTM", hidden=5):
    """A compiled step of a small network and its parameters."""
    net = getattr(models, kind)(3, hidden, dtype="float32", rng=0)

    def step(x):
        net.zero_grad()
        loss = (net(x)[0] ** 2.0).mean()
        loss.backward()
        return loss

    return mg.compile(step), list(net.parameters())


def bits(step, parameters):
    """Loss and gradients of the fourth call, as hexadecimal digits."""
    x = np.linspace(-1, 1, 4 * 2 * 3, dtype="float32").reshape(4, 2, 3)
    for _ in range(4):
        loss = step(x)
    return "".join(
        a.data.tobytes().hex() for a in (loss, *[p.grad for p in parameters])
    )


@pytest.mark.skipif(not jit.enabled, reason="only with numba")
@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_eight_threads_and_again_give_the_same_bits(proof, by_numpy, kind):
    row = proof("compiled", "the same bits again, and on eight threads")
    first = bits(*network(kind))
    row.expect(bits(*network(kind)) == first, f"{kind} again")
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(lambda _: bits(*network(kind)), range(8)):
            row.expect(found == first, f"{kind} on a thread")


PROGRAM = """
from compiler.test_compiled_promises import bits, network
print(bits(*network()))
"""


@pytest.mark.skipif(not jit.enabled, reason="only with numba")
@pytest.mark.parametrize(
    "cache", ["the same cache", pytest.param("none", marks=pytest.mark.nightly)]
)
def test_another_process_gives_the_same_bits(proof, tmp_path, cache):
    """With another hash seed; and one that has to compile its kernels first."""
    row = proof("compiled", "the same bits in another process")
    expected = bits(*network())
    environment = os.environ | {
        "PYTHONHASHSEED": "7",
        "PYTHONPATH": os.pathsep.join(p for p in sys.path if p),
    }
    if cache == "none":
        environment["MINIGRAD_CACHE_DIR"] = str(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    row.expect(done.stdout.strip() == expected, f"{cache}: {done.stderr[-500:]}")


# ---------------------------------------------------------------------- deep and long


def chain(length):
    """x' = -x, `length` times, and its gradient."""

    @mg.compile
    def program(x):
        y = x
        for _ in range(length):
            y = -y
        return y, mg.grad(y.sum(), [x])[0]

    return program


def kept(function, length, rows):
    for number in range(4):
        x = mg.tensor(np.full(2, 1.0 + number), requires_grad=True)
        y, g = function(x)
        sign = (-1.0) ** length
        rows.expect((y.data == sign * x.data).all(), f"{length}: the value")
        rows.expect((g.data == sign).all(), f"{length}: the gradient")


def test_a_long_chain(proof):
    row = proof("compiled", "calls of long chains")
    kept(chain(1001), 1001, row)


@pytest.mark.nightly
def test_a_chain_of_two_hundred_thousand(proof, by_numpy):
    row = proof("compiled", "calls of long chains")
    kept(chain(200_001), 200_001, row)


def test_a_diamond_sixty_deep(proof):
    row = proof("compiled", "calls of a diamond 60 deep")

    @mg.compile
    def program(x):
        y = x
        for _ in range(60):
            y = y + y
        return y, mg.grad(y, [x])[0]

    for number in range(4):
        x = mg.tensor(1.0 + number, requires_grad=True)
        y, g = program(x)
        row.expect(float(y) == 2.0**60 * (1 + number) and float(g) == 2.0**60, "60")


def test_hundreds_of_calls_do_not_grow(proof, by_numpy):
    """With the garbage collector off: memory is that of one call."""
    import gc
    import tracemalloc

    row = proof("compiled", "calls with the garbage collector off")
    step, _ = network()
    x = np.ones((4, 2, 3), "float32")
    for _ in range(20):
        step(x)
    gc.collect()
    gc.disable()
    try:
        tracemalloc.start()
        step(x)
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(400):
            step(x)
        grown = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
        gc.enable()
    row.tried = 400
    if grown > 20_000:
        row.wrong.append(f"{grown:,} bytes after 400 calls")


def test_a_branch_on_a_number_is_an_error():
    """What no replay can repeat is refused, not repeated."""

    @mg.compile
    def program(x):
        return x * 2.0 if x.data[0] > 0 else x

    with pytest.raises(CompileError):
        for number in (1.0, -1.0):
            program(np.full(2, number))


def test_the_numbers_of_a_tensor_are_a_constant_within(by_numpy):
    """As outside: no gradient goes through `w.data`."""
    w, seen = mg.tensor([2.0, 3.0], requires_grad=True), []

    @mg.compile
    def program(x):
        y = w.data * x
        seen.append((y.requires_grad, (y * w).requires_grad))
        return y

    for number in range(4):
        assert np.array_equal(
            program(np.full(2, 1.0 + number)).data, w.data * (1 + number)
        )
    assert set(seen) == {(False, True)}
