"""`vectormath.py` against mpmath, at its seams, and in the way kernels use it.

Every function is compiled as the kernel generator does it: the module's own text and
one kernel for each function in a file of a private folder, `vectorize` with a cache,
the plain NumPy ufunc called.
"""

import importlib.util
import inspect
import re

import mpmath as mp
import numpy as np
import pytest
from numba import njit

from minigrad.engine.kernels import intrinsics, jit, vectormath
from minigrad.engine.primitives import TABLE

TYPES = (np.float32, np.float64)
# Worst ULP in float32, float64: measured (exhaustively in float32) plus a tenth or so.
BOUNDS = {
    "exp": (1.2, 0.8),
    "expm1": (1.4, 1.5),
    "log": (1.0, 1.0),
    "log1p": (1.5, 1.6),
    "tanh": (2.6, 2.0),
    "sigmoid": (2.6, 2.0),
}
CASES = [(name, real) for name in BOUNDS for real in TYPES]
NUMPY = {name: getattr(np, name, lambda x: 1 / (1 + np.exp(-x))) for name in BOUNDS}
EXACT = {name: getattr(mp, name, lambda x: 1 / (1 + mp.exp(-x))) for name in BOUNDS}
EXACT |= {"sin": mp.sin, "cos": mp.cos}


def load(path, text):
    path.write_text(text)
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def generated(text, cases):
    """A kernel file as the generator writes it."""
    parts = [text, "from numba import vectorize"]
    for name, real in cases:
        t = real.__name__
        parts.append(
            f'@vectorize(["{t}({t})"], cache=True, **VECTORIZE_OPTIONS)\n'
            f"def {name}_{t}_kernel(x):\n    return inlined({name}_{t}(x))\n"
        )
    return "\n\n".join(parts)


def ufuncs(module, cases):
    return {
        (name, real): getattr(module, f"{name}_{real.__name__}_kernel").ufunc
        for name, real in cases
    }


class Kernels(dict):
    """Kernels by (name, real), each compiled when a test first asks for it."""

    def __init__(self, folder):
        self.folder = folder

    def __missing__(self, case):
        name, real = case
        text = generated(inspect.getsource(vectormath), [case])
        module = load(self.folder / f"{name}_{real.__name__}.py", text)
        self |= ufuncs(module, [case])
        return self[case]


@pytest.fixture(scope="module")
def kernels(tmp_path_factory):
    return Kernels(tmp_path_factory.mktemp("kernels"))


@pytest.fixture(autouse=True)
def silent():
    with np.errstate(all="ignore"):
        yield


def samples(name, real, count=150):
    """Uniform, logarithmic, and the neighbours of every seam."""
    rng = np.random.default_rng(sum(map(ord, name)))
    info = np.finfo(real)
    low = float(np.log(info.smallest_subnormal)) - 1
    high = float(np.log(info.max))
    parts = [
        rng.uniform(-3, 3, 2 * count),
        rng.uniform(low, high, count),
        rng.standard_normal(count) * 10.0 ** rng.uniform(-30, 2, count),
    ]
    if name in ("log", "log1p"):  # the whole range of the type
        parts.append(2.0 ** rng.uniform(info.minexp - info.nmant, info.maxexp, count))
        parts.append(
            1 + rng.standard_normal(count) * 10.0 ** rng.uniform(-6, -1, count)
        )
    steps = np.arange(-40, 41)
    # k changes at half multiples of ln 2 (of its half in tanh); log at sqrt(2) 2^k
    seams = np.concatenate([steps * np.log(2) / 4, 2.0 ** (steps + 0.5)]).astype(real)
    x = np.concatenate([*parts, [0.0]]).astype(real)
    x = np.concatenate([x, seams, np.nextafter(seams, real(9)), -seams])
    x = x[np.isfinite(x)]
    if name == "log":
        x = np.abs(x)
    return x[x > -1] if name == "log1p" else x


def worst_ulp(name, real, x, y):
    """Largest error of y in units in the last place of the exact result."""
    info = np.finfo(real)
    worst = (0.0, None)
    with mp.workprec(180):
        for argument, value in zip(x.tolist(), y.tolist(), strict=True):
            if name == "log" and argument == 0:
                continue
            exact = EXACT[name](mp.mpf(argument))
            if abs(exact) >= mp.mpf(2) ** info.maxexp * (1 - mp.mpf(2) ** -70):
                assert np.isinf(value), (name, argument)
                continue
            exponent = max(int(mp.frexp(exact)[1]) - 1, info.minexp)
            if np.isinf(value):  # rounds up to 2^maxexp
                value = mp.mpf(2) ** info.maxexp
            error = abs(mp.mpf(value) - exact) / mp.mpf(2) ** (exponent - info.nmant)
            worst = max(worst, (float(error), argument), key=lambda pair: pair[0])
    return worst


@pytest.mark.parametrize(("name", "real"), CASES)
def test_error_against_mpmath(kernels, name, real):
    x = samples(name, real)
    y = kernels[name, real](x)
    assert y.dtype == real
    error, where = worst_ulp(name, real, x, y)
    assert error <= BOUNDS[name][TYPES.index(real)], where


@pytest.mark.parametrize("name", BOUNDS)
def test_float32_densely_against_float64(kernels, name):
    rng = np.random.default_rng(7)
    bits = rng.integers(0, 2**32, 300_000, dtype=np.uint32).view(np.float32)
    near = rng.uniform(-4, 4, 300_000).astype(np.float32)
    x = np.concatenate([bits[np.isfinite(bits)], near])
    y, exact = kernels[name, np.float32](x), NUMPY[name](x.astype(np.float64))
    finite = np.abs(exact) <= np.finfo(np.float32).max
    np.testing.assert_array_equal(np.isnan(y), np.isnan(exact))
    exponent = np.maximum(np.frexp(exact[finite])[1] - 1, -126)
    error = np.abs(y[finite] - exact[finite]) / np.ldexp(1.0, exponent - 23)
    assert error.max() <= BOUNDS[name][0]


def test_error_without_fused_multiply_add(tmp_path):
    """The same bounds where the machine has no FMA: nothing rests on contraction."""
    text = inspect.getsource(vectormath).replace('{"contract"}', "False")
    assert text != inspect.getsource(vectormath)
    cases = [case for case in CASES if case[0] in ("expm1", "tanh", "log")]
    plain = ufuncs(load(tmp_path / "plain.py", generated(text, cases)), cases)
    for name, real in cases:
        x = samples(name, real, 40)
        error, where = worst_ulp(name, real, x, plain[name, real](x))
        assert error <= BOUNDS[name][TYPES.index(real)] + 0.3, (name, real, where)


@pytest.mark.parametrize("real", TYPES)
def test_sine_and_cosine_are_numpy_s_in_values_and_in_rules(real):
    rng = np.random.default_rng(3)
    x = np.concatenate([rng.uniform(-4, 4, 300), 10 ** rng.uniform(-9, 3, 300)])
    x, one = x.astype(real), np.ones(x.shape, real)
    sin, cos = TABLE["sin"].value(x), TABLE["cos"].value(x)
    assert worst_ulp("sin", real, x, sin)[0] <= 4
    assert worst_ulp("cos", real, x, cos)[0] <= 4
    [slope] = TABLE["sin"].pull((True,), one, sin, [x], {})
    np.testing.assert_array_equal(slope, cos)
    [slope] = TABLE["cos"].pull((True,), one, cos, [x], {})
    np.testing.assert_array_equal(slope, -sin)
    wave = jit.Program(lambda x: intrinsics.sin(2.0 * x) + x, ("x",))
    assert jit.kernel(wave, wave.results[0], "wave", np.dtype(real).char) is None


INF, NAN = np.inf, np.nan
SPECIAL = {
    "exp": [
        (0.0, 1.0),
        (-0.0, 1.0),
        (INF, INF),
        (-INF, 0.0),
        (1e30, INF),
        (-1e30, 0.0),
    ],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (-1e30, -1.0)],
    "log": [
        (0.0, -INF),
        (-0.0, -INF),
        (1.0, 0.0),
        (INF, INF),
        (-1.0, NAN),
        (-INF, NAN),
    ],
    "log1p": [
        (0.0, 0.0),
        (-0.0, -0.0),
        (-1.0, -INF),
        (-1.5, NAN),
        (INF, INF),
        (-INF, NAN),
    ],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (50.0, 1.0)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (50.0, 1.0)],
}


@pytest.mark.parametrize(("name", "real"), CASES)
def test_special_values(kernels, name, real):
    x, expected = np.array([*SPECIAL[name], (NAN, NAN)], real).T
    # many copies: the vectorised body of the loop as well as its scalar rest
    for repeats in (1, 9):
        y = kernels[name, real](np.tile(x, repeats))
        np.testing.assert_array_equal(y, np.tile(expected, repeats))
        known = ~np.isnan(expected)
        signs = np.signbit(y.reshape(repeats, -1)[:, known])
        assert (signs == np.signbit(expected[known])).all()


@pytest.mark.parametrize("real", TYPES)
def test_tiny_arguments_are_returned(kernels, real):
    info = np.finfo(real)
    x = np.array([info.smallest_subnormal, info.smallest_normal, info.eps**2], real)
    x = np.concatenate([x, x * real(3), -x])
    for name in ("expm1", "log1p", "tanh"):
        np.testing.assert_array_equal(kernels[name, real](x), x, err_msg=name)


@pytest.mark.parametrize("real", TYPES)
def test_underflow_is_gradual(kernels, real):
    info = np.finfo(real)
    low, high = np.log(info.smallest_subnormal), np.log(info.smallest_normal)
    x = np.linspace(float(low) - 2, float(high) + 1, 400).astype(real)
    for name in ("exp", "sigmoid"):
        y = kernels[name, real](x)
        assert worst_ulp(name, real, x, y)[0] <= BOUNDS[name][0]
        assert y[0] == 0 and (np.diff(y) >= 0).all()
        assert ((y > 0) & (y < info.smallest_normal)).sum() > 50
        below = np.linspace(2 * float(low), 20 * float(low), 999).astype(real)
        assert (kernels[name, real](below + real(low)) == 0).all()


def consecutive(real, centre, reach=300):
    bits = np.array(abs(centre), real).view(f"i{real().itemsize}")
    x = (bits + np.arange(-reach, reach).astype(bits.dtype)).view(real)
    return np.sort(np.copysign(x, real(centre)))


@pytest.mark.parametrize(("name", "real"), CASES)
def test_no_step_down_at_the_seams(kernels, name, real):
    """Consecutive arguments where k changes: never down by more than the error."""
    centres = [np.log(2) * k / 4 for k in (-9, -7, -6, -3, -2, -1, 1, 2, 3, 5, 6, 50)]
    if name.startswith("log"):
        shift = 1 if name == "log1p" else 0
        centres = [2.0 ** (k / 2) - shift for k in (-9, -3, -1, 1, 2, 3, 9, 41)]
    for centre in centres:
        y = kernels[name, real](consecutive(real, centre))
        down = (y[:-1] - y[1:]).max() / np.spacing(np.abs(y).max())
        assert down <= 2, centre


@pytest.mark.parametrize("real", TYPES)
def test_ranges_and_symmetry(kernels, real):
    x = np.linspace(-60, 60, 40_001).astype(real)
    tanh, sigmoid = kernels["tanh", real], kernels["sigmoid", real]
    assert np.abs(tanh(x)).max() == 1 and sigmoid(x).max() == 1
    assert sigmoid(x).min() > 0
    np.testing.assert_array_equal(tanh(-x), -tanh(x))


@pytest.mark.parametrize(("name", "real"), CASES)
def test_layouts(kernels, name, real):
    f = kernels[name, real]
    x = np.linspace(0.1, 3, 48).astype(real).reshape(6, 8)
    whole = f(x)
    for view in (
        np.s_[::2, 1::3],
        np.s_[::-1],
        np.s_[:, ::-1],
        np.s_[:0],
        np.s_[3, 3:4],
    ):
        np.testing.assert_allclose(f(x[view]), whole[view], rtol=4 * np.finfo(real).eps)
    assert f(x.T).shape == (8, 6) and f(x[:0]).shape == (0, 8)
    scalar = f(x[2, 3])
    assert isinstance(scalar, real) and abs(scalar / whole[2, 3] - 1) < 1e-5
    assert f(np.array(x[2, 3])).shape == ()
    out = np.empty((3, 6, 8), real)
    assert f(np.broadcast_to(x, out.shape), out=out) is out
    np.testing.assert_array_equal(out[2], out[0])
    frozen = x.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(f(frozen), whole)
    y = x.copy()
    np.testing.assert_array_equal(f(y, out=y), whole)  # in place


def test_fused_kernel_is_cached_broadcasts_and_does_not_go_stale(tmp_path):
    kernel = """
from numba import vectorize
@vectorize(["float32(float32,float32)"], cache=True, **VECTORIZE_OPTIONS)
def fused(a, b):
    return inlined(sigmoid_float32(a) * tanh_float32(b) + expm1_float32(a + b))
"""
    text = inspect.getsource(vectormath) + kernel
    path = tmp_path / "fused.py"
    first = load(path, text).fused.ufunc
    cached = sorted((tmp_path / "__pycache__").glob("*.nb?"))
    assert len(cached) == 2
    before = [file.stat().st_mtime_ns for file in cached]
    second = importlib.util.spec_from_file_location("fused", path)
    module = importlib.util.module_from_spec(second)
    second.loader.exec_module(module)
    assert [file.stat().st_mtime_ns for file in cached] == before  # read, not written
    a = np.linspace(-3, 3, 7, dtype=np.float32)[:, None]
    b = np.linspace(-2, 2, 33, dtype=np.float32)
    expected = 1 / (1 + np.exp(-a)) * np.tanh(b) + np.expm1(a + b)
    for f in (first, module.fused.ufunc):
        assert isinstance(f, np.ufunc)
        assert f(a, b).dtype == np.float32
        np.testing.assert_allclose(f(a, b), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("real", TYPES)
@pytest.mark.parametrize("name", ["log1p", "sigmoid", "expm1"])
def test_loops_are_vectorised(name, real):
    """Optimised IR works on vectors of the type and calls nothing."""
    function = getattr(vectormath, f"{name}_{real.__name__}")
    t = real.__name__

    @njit(f"void({t}[::1], {t}[::1])", error_model="numpy", fastmath={"contract"})
    def loop(x, out):
        for i in range(x.size):
            out[i] = function(x[i])

    (ir,) = loop.inspect_llvm().values()
    kind = "float" if real is np.float32 else "double"
    assert re.search(rf"f(mul|add)[^\n]*<\d+ x {kind}>", ir)
    assert not re.search(rf"call [^\n]*\b{name}\b", ir)
