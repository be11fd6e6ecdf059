"""NumPy's functions on tensors: recorded with their gradient, or refused in words."""

import linecache
import operator
import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import numpy_table as table
from minigrad.engine.errors import (
    ArgumentError,
    GraphError,
    IndexingError,
    MinigradError,
    MinigradWarning,
    ShapeError,
)
from minigrad.engine.user_code import line
from minigrad.reading.gradcheck import gradcheck

M, V = (2, 3), (3,)
ONE, TWO, PAIR, SQUARE, CUBE = (V,), (M, M), (V, V), ((3, 3),), ((2, 3, 2),)

# name of NumPy's function: calls of it, each with the shapes of its operands
RECORDED = {
    "reshape": [
        (lambda x: np.reshape(x, (3, -1)), (M,)),
        (lambda x: np.reshape(x, 6), (M,)),
    ],
    "ravel": [(np.ravel, (M,))],
    "transpose": [
        (np.transpose, (M,)),
        (lambda x: np.transpose(x, axes=(2, 0, 1)), CUBE),
    ],
    "swapaxes": [(lambda x: np.swapaxes(x, 0, 2), CUBE)],
    "matrix_transpose": [(np.matrix_transpose, CUBE)],
    "moveaxis": [
        (lambda x: np.moveaxis(x, 0, -1), CUBE),
        (lambda x: np.moveaxis(x, [0, 1], [1, 2]), CUBE),
    ],
    "rollaxis": [(lambda x: np.rollaxis(x, 2), CUBE)],
    "expand_dims": [(lambda x: np.expand_dims(x, (0, 2)), ONE)],
    "squeeze": [(np.squeeze, ((1, 3, 1),)), (lambda x: np.squeeze(x, 0), ((1, 3),))],
    "atleast_1d": [(np.atleast_1d, ((),)), (np.atleast_1d, ONE)],
    "atleast_2d": [(np.atleast_2d, ONE), (np.atleast_2d, ((),))],
    "broadcast_to": [(lambda x: np.broadcast_to(x, (4, 3)), ONE)],
    "concatenate": [
        (lambda x, y: np.concatenate([x, y]), TWO),
        (lambda x, y: np.concatenate((x, y), axis=1), TWO),
        (lambda x, y: np.concatenate([x, np.ones(2), y], axis=None), (M, V)),
    ],
    "append": [
        (np.append, (M, V)),
        (lambda x, y: np.append(x, y, axis=0), TWO),
    ],
    "stack": [(lambda x, y: np.stack([x, y], axis=-1), TWO)],
    "vstack": [(lambda x, y: np.vstack([x, y]), (V, M))],
    "hstack": [
        (lambda x, y: np.hstack([x, y]), (V, ())),
        (lambda x, y: np.hstack([x, y]), (M, (2, 1))),
    ],
    "column_stack": [(lambda x, y: np.column_stack([x, y]), ((2,), M))],
    "split": [
        (lambda x: np.split(x, 3)[1], ONE),
        (lambda x: np.split(x, [1], axis=1)[1], (M,)),
    ],
    "array_split": [
        (lambda x: np.array_split(x, 2)[0], ONE),
        (lambda x: np.array_split(x, 2)[0], CUBE),
        (lambda x: np.array_split(x, [2], axis=1)[0], (M,)),
    ],
    "unstack": [(lambda x: np.unstack(x, axis=1)[2], (M,))],
    "take": [
        (lambda x: np.take(x, [0, 5, 0]), (M,)),
        (lambda x: np.take(x, np.array([[2, 0]]), axis=1), CUBE),
    ],
    "tril": [(np.tril, SQUARE), (lambda x: np.tril(x, 1), CUBE)],
    "triu": [(np.triu, SQUARE), (lambda x: np.triu(x, -1), CUBE)],
    "where": [(lambda x, y: np.where([True, False, True], x, y), PAIR)],
    "clip": [
        (lambda x: np.clip(x, -0.4, 0.5), (M,)),
        (lambda x: np.clip(x, None, 0.5), (M,)),
        (lambda x: np.clip(x, min=-0.2), (M,)),
    ],
    "diff": [(np.diff, (M,)), (lambda x: np.diff(x, n=2, axis=0), SQUARE)],
    "dot": [
        (np.dot, PAIR),
        (np.dot, (M, V)),
        (np.dot, ((), M)),
        (np.dot, (M, (3, 4))),
        (np.dot, (M, (2, 3, 4))),
    ],
    "inner": [(np.inner, PAIR), (np.inner, ((4, 3), M)), (np.inner, ((), V))],
    "outer": [(np.outer, (V, (2,)))],
    "vdot": [(np.vdot, TWO)],
    "tensordot": [
        (lambda x, y: np.tensordot(x, y, 1), (M, (3, 2))),
        (np.tensordot, (M, M)),
        (lambda x, y: np.tensordot(x, y, axes=([1, 0], [0, 2])), (M, (3, 4, 2))),
    ],
    "einsum": [
        (lambda x, y: np.einsum("ij,kj->ik", x, y), TWO),
        (lambda x, y: np.einsum("ij,ij", x, y, optimize=True), TWO),
    ],
    "trace": [(np.trace, SQUARE), (lambda x: np.trace(x, 1, 1, 2), ((2, 3, 3),))],
    "linalg.norm": [
        (np.linalg.norm, (M,)),
        (lambda x: np.linalg.norm(x, axis=1, keepdims=True), (M,)),
        (lambda x: np.linalg.norm(x, 2), ONE),
        (lambda x: np.linalg.norm(x, "fro"), (M,)),
    ],
    "sum": [
        (np.sum, (M,)),
        (lambda x: np.sum(x, 1), CUBE),
        (lambda x: np.sum(x, axis=(0, 2), keepdims=True), CUBE),
    ],
    "mean": [(np.mean, (M,)), (lambda x: np.mean(x, 0, keepdims=True), (M,))],
    "prod": [(lambda x: np.prod(x, axis=1), (M,))],
    "max": [(np.max, (M,)), (lambda x: np.max(x, axis=1), (M,))],
    "min": [(lambda x: np.min(x, 0), (M,))],
    "amax": [(np.amax, (M,))],
    "amin": [(np.amin, (M,))],
    "argmax": [(lambda x: np.argmax(x, 1) * 1.0 * x[:, 0], (M,))],
    "argmin": [(lambda x: np.argmin(x) * 1.0 * x[0], (M,))],
    "average": [(lambda x: np.average(x, axis=1), (M,))],
    "ptp": [(lambda x: np.ptp(x, axis=1), (M,))],
    "std": [(lambda x: np.std(x, axis=1, ddof=1), (M,)), (np.std, (M,))],
    "var": [(np.var, (M,)), (lambda x: np.var(x, 0, keepdims=True), (M,))],
    "cumsum": [(np.cumsum, (M,)), (lambda x: np.cumsum(x, axis=1), (M,))],
    "repeat": [
        (lambda x: np.repeat(x, 2), (M,)),
        (lambda x: np.repeat(x, [1, 0, 2], axis=1), (M,)),
    ],
    "tile": [(lambda x: np.tile(x, (2, 2)), (M,))],
    "flip": [(np.flip, (M,)), (lambda x: np.flip(x, axis=1), (M,))],
    "fliplr": [(np.fliplr, (M,))],
    "flipud": [(np.flipud, (M,))],
    "roll": [(lambda x: np.roll(x, 1), (M,)), (lambda x: np.roll(x, 1, 1), (M,))],
    "rot90": [(np.rot90, (M,))],
    "diagonal": [(np.diagonal, SQUARE)],
    "delete": [(lambda x: np.delete(x, 1, axis=1), (M,))],
    "resize": [(lambda x: np.resize(x, (2, 4)), (M,))],
    "take_along_axis": [
        (lambda x: np.take_along_axis(x, np.array([[0], [2]]), 1), (M,)),
        (lambda x: np.take_along_axis(x, np.argmax(x, 1, keepdims=True), 1), (M,)),
    ],
}
RECORDED = {
    name: calls
    for name, calls in RECORDED.items()
    if name != "unstack" or hasattr(np, "unstack")  # NumPy 2.1
}
UNARY = (
    "negative positive absolute fabs exp exp2 expm1 log log2 log10 log1p sqrt square "
    "reciprocal tanh sin cos tan"
).split()
BINARY = "add subtract multiply divide power maximum minimum".split()
COMPARISONS = "equal not_equal less less_equal greater greater_equal".split()


def function(name):
    return operator.attrgetter(name)(np)


def calls():
    for name, rows in RECORDED.items():
        for k, (call, shapes) in enumerate(rows):
            yield pytest.param(call, shapes, id=f"{name}{k}")
    for name in UNARY:
        yield pytest.param(function(name), (M,), id=name)
    for name in BINARY:
        yield pytest.param(function(name), (M, V), id=name)
    yield pytest.param(np.matmul, (M, (3, 2)), id="matmul")
    yield pytest.param(np.add.reduce, (M,), id="add.reduce")
    yield pytest.param(lambda x: np.add.reduce(x, axis=None), (M,), id="add.reduce all")
    yield pytest.param(
        lambda x: np.add.reduce(x, axis=1, keepdims=True), (M,), id="add.reduce axis"
    )
    yield pytest.param(np.multiply.reduce, (M,), id="multiply.reduce")
    yield pytest.param(np.maximum.reduce, (M,), id="maximum.reduce")
    yield pytest.param(np.minimum.reduce, (M,), id="minimum.reduce")
    yield pytest.param(np.add.accumulate, (M,), id="add.accumulate")


@pytest.mark.parametrize(("call", "shapes"), list(calls()))
def test_recorded_with_value_and_gradient(call, shapes, rng):
    arrays = [rng.permutation(np.prod(s, dtype=int)) for s in shapes]  # no ties
    arrays = [
        ((a + 1) * 0.17 + 0.1 * rng.random()).reshape(s)
        for a, s in zip(arrays, shapes, strict=True)
    ]
    leaves = [mg.tensor(a, requires_grad=True) for a in arrays]
    found, expected = call(*leaves), call(*arrays)
    assert type(found) is mg.Tensor and found.requires_grad
    assert found.shape == expected.shape and found.dtype == expected.dtype
    np.testing.assert_allclose(found.data, expected, rtol=1e-13)
    gradcheck(call, arrays, order=1)
    # Constants give a tensor too: a program is the same with gradients and without.
    assert type(call(*map(mg.tensor, arrays))) is mg.Tensor
    with mg.no_grad():
        assert type(call(*leaves)) is mg.Tensor


def test_every_entry_of_the_table_has_a_row():
    assert set(map(function, RECORDED)) == set(table.FUNCTIONS)
    names = [*UNARY, *BINARY, *COMPARISONS, "matmul"]
    assert set(map(function, names)) == set(table.UFUNCS)


@pytest.mark.parametrize("name", COMPARISONS)
def test_comparisons_are_constants(name):
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    found = function(name)(np.array([1.0, 3.0]), x)
    assert type(found) is mg.Tensor and found.dtype == bool
    np.testing.assert_array_equal(found.data, function(name)([1.0, 3.0], x.data))


@pytest.mark.parametrize("name", ["zeros_like", "shape", "argsort", "isnan", "round"])
def test_what_has_no_slope_gives_arrays(name):
    x = mg.tensor([2.5, -1.0, 0.2], requires_grad=True)
    found = function(name)(x)
    assert not isinstance(found, mg.Tensor)
    np.testing.assert_array_equal(found, function(name)(x.data))


def test_more_of_what_has_no_slope(tmp_path):
    x = mg.tensor([2.5, -1.0], requires_grad=True)
    assert np.allclose(x, x) and np.array_equal(x, x.data) and np.any(x > 2)
    assert np.where(x > 2)[0].tolist() == [0] and np.count_nonzero(x) == 2
    assert (x * np.sign(x)).sum().item() == 3.5
    np.savez(tmp_path / "x.npz", x=x)
    np.testing.assert_array_equal(np.load(tmp_path / "x.npz")["x"], x.data)


# ------------------------------------------------------------- what the fault was


def test_every_layer_of_a_net_written_with_numpy_gets_its_gradient(rng):
    shapes = {"W1": (2, 3), "W2": (6, 4), "W3": (4, 1)}
    weights = {k: rng.standard_normal(s) for k, s in shapes.items()}
    x = rng.standard_normal((5, 2))

    def loss(W1, W2, W3):
        h = np.tanh(x @ W1)
        h = np.concatenate([h, np.square(h)], axis=1)
        h = np.where(np.dot(h, W2) > 0, np.dot(h, W2), 0.1 * np.dot(h, W2))
        return np.mean(np.square(np.einsum("ij,jk->i", h, W3))) + np.linalg.norm(W2)

    gradcheck(loss, list(weights.values()), order=1)


# ------------------------------------------------------------- refused

x, s, square = (
    mg.tensor(values, requires_grad=True)
    for values in ([1.0, 2.0, 3.0], 2.0, [[2.0, 1.0], [1.0, 3.0]])
)
REFUSED = {
    "array": lambda x: np.array(x),
    "asarray": lambda x: np.asarray(x, dtype="float32"),
    "array of a list": lambda x: np.array([x, x]),
    "array of numbers and tensors": lambda x: np.array([x[0], 1.0]),
    "full": lambda x: np.full(3, x[0]),
    "sum of a list": lambda x: np.sum([x[0], x[1]]),
    "vectorize": lambda x: np.vectorize(lambda v: v)(x),
    "testing": lambda x: np.testing.assert_allclose(x, x),
    "rows": lambda x: np.zeros((2, 3)).__setitem__(0, x),
    "slice": lambda x: np.zeros(3).__setitem__(slice(None), x),
    "mask": lambda x: np.zeros(3).__setitem__(np.array([True] * 3), x),
    "copy": np.copy,
    "median": np.median,
    "sort": np.sort,
    "pad": lambda x: np.pad(x, 1),
    "cumprod": np.cumprod,
    "block": lambda x: np.block([x, x]),
    "meshgrid": lambda x: np.meshgrid(x, x),
    "linspace": lambda x: np.linspace(0.0, x, 3),
    "interp": lambda x: np.interp(x, [0, 9], [0, 9]),
    "nansum": np.nansum,
    "copyto": lambda x: np.copyto(np.zeros(3), x),
    "putmask": lambda x: np.putmask(np.zeros(3), np.ones(3, bool), x),
    "fft": np.fft.fft,
    "arctan": np.arctan,
    "logaddexp": lambda x: np.logaddexp(x, 1.0),
    "add.at": lambda x: np.add.at(np.zeros(3), [0, 1, 2], x),
    "multiply.outer": lambda x: np.multiply.outer(x, x),
    "maximum.accumulate": np.maximum.accumulate,
    "a norm": lambda x: np.linalg.norm(x, 1),
    "out": lambda x: np.sum(x, out=np.zeros(())),
    "out of a ufunc": lambda x: np.exp(x, out=np.zeros(3)),
    "dtype": lambda x: np.mean(x, dtype="float32"),
    "dtype by position": lambda x: np.mean(x, 0, "float32"),
    "where of a ufunc": lambda x: np.exp(x, where=[True, False, True]),
    "where of a sum": lambda x: np.sum(x, where=[True, False, True]),
    "initial": lambda x: np.sum(x, initial=1.0),
    "casting": lambda x: np.concatenate([x, x], casting="unsafe"),
    "order": lambda x: np.reshape(x, (3, 1), order="F"),
    "weights": lambda x: np.average(x, weights=[1, 2, 3]),
    "reduce's initial": lambda x: np.add.reduce(x, initial=1.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_what_to_write_instead(name):
    with pytest.raises(MinigradError) as caught:
        REFUSED[name](x)
    text = str(caught.value)
    assert ".detach()" in text and ".numpy()" in text
    assert all(f"\n  {row}" in text for row in ("expect", "actual", "hint"))
    assert "test_numpy_protocol.py" in text


CONVERTED = set(REFUSED) - {"a norm", "weights"}


@pytest.mark.parametrize("name", sorted(CONVERTED))
def test_a_constant_and_no_grad_convert_freely(name):
    call = REFUSED[name]
    try:
        expected = call(x.data)
    except Exception as error:  # NumPy refuses it of arrays too
        expected = type(error)
    for free, context in ((x.detach(), mg.enable_grad), (x, mg.no_grad)):
        with context():
            if isinstance(expected, type):
                with pytest.raises(expected):
                    call(free)
            elif expected is None:
                assert call(free) is None
            else:
                np.testing.assert_array_equal(np.array(call(free)), np.array(expected))


@pytest.mark.parametrize(
    ("call", "kind", "shown"),
    [
        (lambda x: np.tril(x, "a"), TypeError, r"np\.tril of a tensor: .*str"),
        (lambda x: np.repeat(x, repeats="a"), ValueError, "repeats='a'"),
        (lambda x: np.delete(x, 1.5), IndexError, r"beside the tensor: 1\.5"),
    ],
)
def test_wrong_values_for_functions_of_numpys_are_our_errors(call, kind, shown):
    x = mg.tensor(np.ones((3, 3)), requires_grad=True)
    for given in (x, x.detach()):
        with pytest.raises(mg.errors.MinigradError, match=shown) as caught:
            call(given)
        assert isinstance(caught.value, kind)


def test_the_message_names_the_function_and_ours():
    for call, words in (
        (lambda: np.median(x), r"np\.median of a tensor(?s:.*)minigrad's own"),
        (lambda: np.logaddexp(x, x), r"np\.logaddexp(?s:.*)mg\.logsumexp"),
        (lambda: np.linalg.inv(square), r"np\.linalg\.inv of"),
        (lambda: np.array([x, x]), r"mg\.tensor\(\[\.\.\.\]\) and mg\.stack"),
        (lambda: np.add.outer(x, x), r"np\.add\.outer of"),
    ):
        with pytest.raises(GraphError, match=words):
            call()
    for call, words in (
        (lambda: np.sum(x, dtype="f4", axis=0), r"recorded with dtype=\n(?s:.*)astype"),
        (lambda: np.sum(x, 0, "f4"), "with an argument more"),
        (lambda: np.exp(x, where=[True] * 3), r"with where=(?s:.*)mg\.where\(mask"),
        (lambda: np.linalg.norm(x, 1), r"ord=1\)(?s:.*)abs"),
    ):
        with pytest.raises(ArgumentError, match=words):
            call()


def test_ufuncs_of_other_libraries():
    special = pytest.importorskip("scipy.special", reason="needs SciPy")
    with pytest.raises(GraphError, match=r"^expit of a(?s:.*)mg\.sigmoid\(x\)"):
        special.expit(x)
    np.testing.assert_array_equal(special.expit(x.detach()), special.expit(x.data))


def test_errors_of_ours_come_through():
    with pytest.raises(ShapeError, match="inner sizes differ"):
        np.dot(x, np.ones(4))
    with pytest.raises(ShapeError, match="axis 3"):
        np.sum(x, axis=3)
    with pytest.raises(IndexingError):
        np.take(x, [7])


def test_in_place_on_an_array():
    a = np.ones(3)
    with pytest.raises(ArgumentError, match=r"np\.add(?s:.*)out=(?s:.*)y = a \+ x"):
        a += x
    assert type(a) is np.ndarray and a.tolist() == [1, 1, 1]
    b = a
    a += x.detach()
    assert a is b and a.tolist() == [2, 3, 4]
    with pytest.raises(ArgumentError, match="tensors are not written to"):
        np.add(a, a, out=x.detach())


def test_storing_one_number_says_that_it_is_alone():
    history = np.zeros(2)
    for t in (s, x[1]):
        with pytest.warns(MinigradWarning, match=r"array\[k\] = t(?s:.*)t\.item") as w:
            history[0] = t
        assert w[0].filename == __file__ and history[0] == 2.0
    whole = np.zeros(2, int)
    with pytest.warns(MinigradWarning, match=r"array\[k\] = t"):
        whole[0] = s
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        history[1] = s.item()
        history[0] = float(s)
        history[1] = s.detach()
        values = [float(s), int(s)]  # explicit, and silent
        values[0] = s
        with mg.no_grad():
            history[1] = s
        np.float64(s)


# ------------------------------------------------------------- tensors of tensors


def test_a_tensor_of_tensors_keeps_their_history():
    a, b = (mg.tensor(v, requires_grad=True) for v in (2.0, 3.0))
    y = mg.tensor([a * b, a, 1.0], name="y")
    assert y.name == "y" and y.data.tolist() == [6.0, 2.0, 1.0]
    (y * [1.0, 10.0, 100.0]).sum().backward()
    assert (a.grad.item(), b.grad.item()) == (13.0, 2.0)
    nested = mg.tensor([[a, 0.0], [b, a]], dtype="float32")
    assert nested.dtype == np.float32 and nested.data.tolist() == [[2, 0], [3, 2]]
    (g,) = mg.grad(nested.sum(), [a])
    assert g.item() == 2.0
    one = mg.tensor(a * 2.0)
    assert mg.grad(one, [a])[0].item() == 2.0
    with pytest.raises(ShapeError):
        mg.tensor([a, [b, b]])


def test_a_leaf_of_tensors_is_made_of_numbers_only():
    for make in (
        lambda: mg.tensor([s, s], requires_grad=True),
        lambda: mg.tensor(x, requires_grad=True),
        lambda: mg.nn.Parameter([s, s]),
        lambda: mg.nn.Parameter(x),
    ):
        with pytest.raises(GraphError, match=r"\.detach\(\) cuts them off"):
            make()
    p = mg.nn.Parameter([s.detach(), 1.0])
    assert p.requires_grad and p.node is None
    with mg.no_grad():
        assert mg.tensor([s, s], requires_grad=True).node is None
        assert mg.tensor(x).node is None


def test_tensors_in_lists_among_the_operands_stay_in_the_graph():
    for call in (
        lambda x, s: x * [s, s, 1.0],
        lambda x, s: mg.maximum(x, [s, 2.5, s]),
        lambda x, s: mg.where([True, False, True], [s, s, s], x),
        lambda x, s: mg.concatenate([x, [s, s]]),
        lambda x, s: mg.einsum("i,i", x, [s, s, 1.0]),
        lambda x, s: np.dot(x, [s, s, 1.0]),
        lambda x, s: mg.std([s, s * 2, s * 4]) * x,
    ):
        gradcheck(call, [np.array([1.0, 2.0, 3.0]), np.array(2.2)], order=1)


# ------------------------------------------------------------- arrays on the left


@pytest.mark.parametrize("left", [np.array([3.0, 1.0, 2.0]), np.float64(2.0), 2.0])
def test_an_operator_with_an_array_on_the_left_is_a_tensor(left):
    for operation in (
        lambda a, x: a + x,
        lambda a, x: a - x,
        lambda a, x: a * x,
        lambda a, x: a / x,
        lambda a, x: a**x,
    ):
        result = operation(left, x)
        assert type(result) is mg.Tensor and result.requires_grad
        np.testing.assert_allclose(result.data, operation(left, x.data), rtol=1e-15)
    for compare in (lambda a, x: a < x, lambda a, x: a >= x, lambda a, x: a == x):
        np.testing.assert_array_equal(compare(left, x).data, compare(left, x.data))
    product = np.ones((2, 3)) @ x
    assert type(product) is mg.Tensor and product.data.tolist() == [6.0, 6.0]
    where = line((np.ones(3) * x).node.where)
    assert "np.ones(3) * x" in linecache.getline(*where[:2])


def test_the_kind_of_an_array_is_kept_as_numpy_has_it():
    narrow = mg.tensor([1.0, 2.0], "float32", requires_grad=True)
    assert (2.0 * narrow).dtype == np.float32
    assert (np.float32(2.0) * narrow).dtype == np.float32
    assert (np.sqrt(2.0) * narrow).dtype == np.float64  # a NumPy scalar has a dtype
    assert np.exp(narrow).dtype == np.float32


@pytest.mark.skipif(not hasattr(np, "unstack"), reason="only with NumPy 2.1 or newer")
def test_unstack_takes_the_first_axis_unless_told_otherwise():
    x = mg.tensor(np.arange(6.0).reshape(2, 3), requires_grad=True)
    assert [row.data.tolist() for row in np.unstack(x)] == [[0, 1, 2], [3, 4, 5]]
    assert [len(column) for column in np.unstack(x, axis=1)] == [2, 2, 2]
