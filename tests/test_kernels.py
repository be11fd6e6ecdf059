"""Kernels: value and rule of every elementwise primitive against NumPy; the cache."""

import inspect
import itertools
import os
import subprocess
import sys

import numpy as np
import pytest

from minigrad.engine.kernels import jit
from minigrad.engine.primitives import TABLE
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.quiet import quietly

pytestmark = pytest.mark.skipif(
    not jit.enabled, reason="only with numba, and with kernels switched on"
)

RULED = [p for p in TABLE.values() if isinstance(p, Elementwise) and p.vjp is not None]
FUSED = [p for p in RULED if p.fused]
DTYPES = pytest.mark.parametrize("dtype", ["float32", "float64"])
SPECIAL = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 90.0, -90.0, 800.0, -800.0]


def samples(count, dtype, rng):
    """Every combination of special values, subnormals, and random ones of all sizes."""
    info = np.finfo(dtype)
    special = [*SPECIAL, info.smallest_subnormal, -3 * info.smallest_subnormal]
    if count > 2:
        special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1.5, -info.smallest_subnormal]
    rows = np.array(list(itertools.product(special, repeat=count)), dtype).T
    random = rng.standard_normal((count, 2000)) * 10.0 ** rng.integers(-5, 2, 2000)
    return list(np.concatenate([rows, random.astype(dtype)], axis=1))


# Which of 0.0 and -0.0 is the larger depends on the machine, in NumPy as well.
EITHER_ZERO = {"relu", "maximum", "minimum", "clip"}


def assert_close(found, expected, ulps, size=0.0, either_zero=False):
    """Equal NaN, infinities and signs of zero; else within ulps of value or size."""
    info = np.finfo(expected.dtype)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(np.isnan(found), np.isnan(expected))
    finite = np.isfinite(expected) & np.isfinite(found)
    loud = ~finite & ~np.isnan(expected)
    near_end = np.abs(found[loud]) >= info.max * (1 - 4 * info.eps)
    assert near_end.all() and (np.sign(found) == np.sign(expected))[loud].all()
    zero = finite & (expected == 0) & (found == 0)
    same_sign = np.signbit(found[zero]) == np.signbit(expected[zero])
    assert either_zero or same_sign.all()
    size = np.maximum(np.abs(expected), size)[finite]
    allowed = ulps * np.maximum(info.eps * size, info.smallest_subnormal)
    with quietly():
        excess = np.abs(found[finite] - expected[finite]) - allowed
    assert not (excess > 0).any(), float((excess / info.eps).max())


@DTYPES
@pytest.mark.parametrize("primitive", RULED, ids=lambda p: p.name)
def test_value_kernel(primitive, dtype, rng):
    names = list(inspect.signature(primitive.scalar).parameters)
    arrays = samples(len(names), dtype, rng)
    if "condition" in names:
        arrays[0] = (arrays[0] > 0).astype(dtype)
    kernel = primitive.value_kernel(np.dtype(dtype).char)
    if primitive.name in ("sin", "cos"):
        assert kernel is None and primitive.value is getattr(np, primitive.name)
        return
    with quietly():
        expected = primitive.scalar(*arrays).astype(dtype)
        either = primitive.name in EITHER_ZERO
        assert_close(kernel(*arrays), expected, 6, either_zero=either)


SUBSETS = [
    (p, needs)
    for p in FUSED
    for needs in itertools.product(
        [False, True], repeat=len(inspect.signature(p.vjp).parameters) - 2
    )
    if any(needs)
]


@DTYPES
@pytest.mark.parametrize(
    ("primitive", "needs"),
    SUBSETS,
    ids=[f"{p.name}-{''.join('ny'[n] for n in needs)}" for p, needs in SUBSETS],
)
def test_rule_kernels_of_every_subset_of_inputs(primitive, needs, dtype, rng):
    arrays = samples(len(needs), dtype, rng)
    g = rng.standard_normal(arrays[0].shape).astype(dtype)
    if "condition" in inspect.signature(primitive.vjp).parameters:
        arrays[0] = arrays[0] > 0
    with quietly():
        y = primitive.scalar(*arrays)
        found = primitive.fuse(needs, g.dtype.char)(g, y, *arrays)
        expected = primitive.vjp(g, y, *arrays)
    # tanh: in 1 - y^2 the product is rounded or not, an ULP of 1 before the difference.
    size = np.abs(g) if primitive.name == "tanh" else 0.0
    assert len(found) == len(needs)
    for need, one, other in zip(needs, found, expected, strict=True):
        if not need or other is None:
            assert one is None
        else:
            assert_close(one, other, 8, size)


def test_what_is_not_needed_has_no_kernel():
    multiply = TABLE["multiply"]
    for needs in itertools.product([False, True], repeat=2):
        made = [entry is not None for entry in multiply.entries(needs, "d")]
        assert made == list(needs)


def test_constants_take_the_dtype_of_the_kernel():
    program = jit.Program(TABLE["tanh"].vjp, ("g", "y", "x"))
    text = program.text("rule", program.results[0], "float32")
    assert "np.float32(1.0)" in text and "float64" not in text
    assert program.operands(program.results[0]) == (0, 1)  # x is not even passed


def test_layouts_of_operands(rng):
    """A transposed gradient, a broadcast one, a reversed operand: as NumPy has them."""
    rule = TABLE["multiply"].fuse((True, True), "d"), TABLE["tanh"].fuse((True,), "d")
    a, b = rng.standard_normal((2, 6, 5))
    g = np.broadcast_to(rng.standard_normal((6, 1)), (6, 5))
    for x in (a, a[::-1], a.T.copy().T, np.asfortranarray(a)):
        np.testing.assert_array_equal(rule[0](g, None, x, b)[1], g * x)
        np.testing.assert_allclose(rule[1](g, x, a)[0], g * (1 - x * x), rtol=1e-14)


# ------------------------------------------------------------- the cache on disk

SCRIPT = """
import sys
import numpy as np
import minigrad as mg
from minigrad.engine.kernels import jit

if "warm" in sys.argv:
    from numba.np.ufunc import ufuncbuilder

    def refuse(*args, **kwargs):
        raise AssertionError("compiled again")

    ufuncbuilder.compiler.compile_extra = refuse
x = mg.tensor([-1.0, 0.5], requires_grad=True)
(g,) = mg.grad(mg.sigmoid(x).sum(), [x])
s = 1 / (1 + np.exp(-x.data))
np.testing.assert_allclose(g.data, s * (1 - s), rtol=1e-15)
from minigrad.engine.kernels.kernel_store import cache_folder
print(cache_folder())
"""


def run(folder, *words):
    """The script in a process of its own, with this folder for its cache."""
    paths = os.pathsep.join(p for p in sys.path if p)
    environment = {
        **os.environ,
        "MINIGRAD_CACHE_DIR": str(folder),
        "PYTHONPATH": paths,
    }
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", SCRIPT, *words],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def answer(result):
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_the_next_process_compiles_nothing(tmp_path):
    folder = tmp_path / "cache"
    assert answer(run(folder)) == str(folder)
    assert list(folder.glob("*/*.py")) and list(folder.rglob("*.nbc"))
    if os.name == "posix":
        assert folder.stat().st_mode & 0o077 == 0
    assert answer(run(folder, "warm")) == str(folder)
    # A damaged file costs a compilation and a warning (here an error), not the answer.
    file = next(folder.rglob("*.nbc"))
    file.write_bytes(b"damaged" + file.read_bytes()[:40])
    assert "cache of compiled kernels was damaged" in run(folder).stderr
    assert answer(run(folder, "warm")) == str(folder)


def test_without_a_place_to_write_there_is_no_cache(tmp_path):
    file = tmp_path / "file"
    file.touch()
    assert answer(run(file / "cache")) == "None"


@pytest.mark.skipif(os.name != "posix", reason="only where modes protect folders")
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path):
    folder = tmp_path / "open"
    folder.mkdir()
    folder.chmod(0o777)
    assert answer(run(folder)) == "None"
    assert not list(folder.iterdir())


def test_switching_kernels_off_and_on():
    with jit.use_kernels(False):
        assert not jit.enabled
        with jit.use_kernels(True):
            assert jit.enabled
    assert jit.enabled


def test_zeros_of_two_signs_are_two_constants():
    program = jit.Program(lambda x: (x * 0.0 + 0.0, x * -0.0, x * 0.0), ("x",))
    constants = [line[1] for line in program.lines if line[0] == "constant"]
    assert [str(number) for number in constants] == ["0.0", "-0.0"]
    assert program.results[1] not in (program.results[0], program.results[2])
