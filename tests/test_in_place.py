"""`p -= x`, `p.data -= x`, `p[0] = x`: what changes, and what PyTorch does."""

import copy
import gc
import operator
import pickle
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    GraphError,
    IndexingError,
    MinigradError,
    ShapeError,
)
from minigrad.engine.read_only import ReadOnlyArray
from minigrad.nn import Linear, Parameter

OPERATORS = {
    "+=": operator.iadd,
    "-=": operator.isub,
    "*=": operator.imul,
    "/=": operator.itruediv,
    "**=": operator.ipow,
}
every_operator = pytest.mark.parametrize("sign", OPERATORS)


def leaf(values=(2.0, 3.0), dtype="float64"):
    return mg.tensor(np.array(values, dtype), requires_grad=True, name="p")


# ------------------------------------------------------------- leaves


@every_operator
def test_under_no_grad_a_leaf_is_updated_as_in_torch(sign):
    torch = pytest.importorskip("torch", reason="needs torch")
    p, theirs = leaf(), torch.tensor([2.0, 3.0]).double().requires_grad_()
    same, identity = p, p._edge.source
    other = np.array([0.5, 2.0])
    with mg.no_grad(), torch.no_grad():
        p = OPERATORS[sign](p, mg.tensor(other))
        theirs = OPERATORS[sign](theirs, torch.tensor(other))
    assert p is same and p._edge.source is identity
    assert p.requires_grad and p.node is None and p.name == "p"
    np.testing.assert_allclose(p.data, theirs.detach().numpy(), rtol=1e-15)
    (p * p).sum().backward()
    np.testing.assert_allclose(p.grad.data, 2 * p.data)


@every_operator
def test_outside_of_no_grad_it_is_an_error_as_in_torch(sign):
    torch = pytest.importorskip("torch", reason="needs torch")
    p, theirs = leaf(), torch.tensor([2.0, 3.0], requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        OPERATORS[sign](theirs, 2.0)
    with pytest.raises(GraphError, match=r"a leaf that needs(?s:.*)mg\.no_grad") as e:
        OPERATORS[sign](p, 2.0)
    assert "p.data = p.data - lr * p.grad.data" in str(e.value)
    assert f"x {sign} ..." in str(e.value) and p.data.tolist() == [2.0, 3.0]


def test_the_training_loop_of_pytorchs_tutorials(rng):
    x, model = rng.standard_normal((32, 2)), Linear(2, 1, rng=0)
    y = x @ np.array([[1.0], [-2.0]])
    parts = model.parameters()
    for _ in range(100):
        loss = mg.losses.mse(model(x), y)
        model.zero_grad()
        loss.backward()
        with mg.no_grad():
            for p in model.parameters():
                p -= 0.1 * p.grad
    assert loss.item() < 1e-4
    assert all(p is q for p, q in zip(model.parameters(), parts, strict=True))
    assert isinstance(model.weight, Parameter)
    with mg.no_grad():
        model.weight -= model.weight  # through the attribute, too
    assert not model.weight.data.any() and model.weight is parts[0]


def test_momentum_kept_in_buffers_of_ones_own(rng):
    """Against PyTorch's SGD: constants that no graph holds are changed in place."""
    torch = pytest.importorskip("torch", reason="needs torch")
    p, theirs = leaf(), torch.tensor([2.0, 3.0]).double().requires_grad_()
    optimizer = torch.optim.SGD([theirs], lr=0.05, momentum=0.9)
    moments = [mg.zeros_like(p.detach())]
    for _ in range(5):
        p.grad = None
        (p**4).sum().backward()
        for q, m in zip([p], moments, strict=True):
            m *= 0.9
            m += q.grad
            with mg.no_grad():
                q -= 0.05 * m
        optimizer.zero_grad()
        (theirs**4).sum().backward()
        optimizer.step()
    assert moments[0].node is None
    np.testing.assert_allclose(p.data, theirs.detach().numpy(), rtol=1e-12)


def test_old_graphs_keep_the_old_numbers():
    p = leaf()
    y = (p**3).sum()
    with mg.no_grad():
        p *= 10.0
        p[0] = 7.0
    y.backward()
    assert p.grad.data.tolist() == [12.0, 27.0] and p.data.tolist() == [7.0, 30.0]


def test_the_dtype_stays_and_the_shape_has_to():
    p = leaf(dtype="float32")
    with mg.no_grad():
        p -= np.float64(0.5) * np.ones(2)
        assert p.dtype == np.float32 and p.data.tolist() == [1.5, 2.5]
        with pytest.raises(ShapeError, match=r"x \+= \.\.\.: the shape would change"):
            p += np.ones((3, 2))
    counts = mg.tensor([1, 2])
    counts += 1
    assert counts.data.tolist() == [2, 3]
    for change in (operator.iadd, operator.itruediv):
        with pytest.raises(DTypeError, match=r"dtype would change(?s:.*)0\.0 instead"):
            change(counts, 1.5)


# ------------------------------------------------------------- constants and values


@pytest.mark.parametrize("dtype", ["int64", "uint8", "bool"])
def test_whole_numbers_may_be_set_in_a_tensor_of_floats(dtype):
    x = mg.tensor([2.0, 3.0], dtype="float32", requires_grad=True)
    x.data = np.array([1, 0], dtype)
    assert x.dtype == np.float32 and x.data.tolist() == [1.0, 0.0]


def test_constants_change_in_place_until_a_gradient_comes_in():
    total, p = mg.tensor(0.0), leaf()
    same = total
    total += 1.0
    total += np.float64(1.0)
    assert total is same and same.item() == 2.0 and total.node is None
    total += (p * p).sum()
    assert total is not same and same.item() == 2.0
    total.backward()
    assert total.item() == 15.0 and p.grad.data.tolist() == [4.0, 6.0]


def test_what_was_recorded_is_a_value():
    p = leaf()
    y = p * 2.0
    old, losses = y, [(p * p).sum(), p.sum()]
    y += 1.0
    y *= p
    assert old.data.tolist() == [4.0, 6.0] and y.data.tolist() == [10.0, 21.0]
    assert mg.grad(y.sum(), [p])[0].data.tolist() == [9.0, 13.0]  # (2p + 1) p
    total = losses[0]
    total += losses[1]
    assert losses[0].item() == 13.0 and total.item() == 18.0
    with mg.no_grad():
        free = p * 2.0  # not recorded: changed in place, as leaves are
        same = free
        free += 1.0
    assert free is same


def test_gradients_change_in_place_and_alone():
    a, b = leaf(), leaf()
    for create_graph in (False, True):
        a.grad = b.grad = None
        (a + b).sum().backward(create_graph=create_graph)
        g = a.grad
        g *= 0.5
        if not create_graph:  # a recorded gradient is a value
            assert a.grad is g and g.data.tolist() == [0.5, 0.5]
        a.grad /= 4.0
        a.grad = a.grad * 1.0
        assert b.grad.data.tolist() == [1.0, 1.0]
    a.grad = mg.ones(2)
    a.grad[1] = 0.0
    assert a.grad.data.tolist() == [1.0, 0.0]
    seed = mg.ones(2)
    (a * 1.0).backward(seed, create_graph=True)
    seed *= 0.0
    assert a.grad.data.tolist() == [2.0, 1.0]


# ------------------------------------------------------------- x[key] = value


def test_writing_at_an_index():
    p = leaf([1.0, 2.0, 3.0])
    same = p
    with mg.no_grad():
        p[0] = 9.0
        p[mg.tensor([1, 2])] = mg.tensor([8.0, 7.0])
        p[p > 8.0] *= 2.0
        p[1:2] += [0.5]
    assert p is same and p.requires_grad and p.data.tolist() == [18.0, 8.5, 7.0]
    table = mg.zeros((2, 2))  # a constant: at any time
    table[0] = [1, 2]
    table[:, 1] = np.array([5.0, 6.0])
    assert table.data.tolist() == [[1.0, 5.0], [0.0, 6.0]] and table.node is None


def test_writing_where_a_gradient_depends_on_it():
    p, constant = leaf([1.0, 2.0]), mg.zeros(2)
    for x, value in ((p, 1.0), (p * 1.0, 1.0), (constant, p), (constant, [p[0], 1])):
        with pytest.raises(DTypeError, match=r"are not written to(?s:.*)mg\.where"):
            x[:] = value
    with pytest.raises(DTypeError, match=r"with mg\.no_grad\(\): before it"):
        p[0] = 5.0
    with mg.no_grad(), pytest.raises(DTypeError, match="are not written to"):
        (mg.enable_grad()(lambda: p * 1.0)())[0] = 5.0
    assert constant.data.tolist() == [0.0, 0.0] and p.data.tolist() == [1.0, 2.0]


def test_what_does_not_fit_is_refused():
    x, whole = mg.zeros(3), mg.tensor([1, 2, 3])
    with pytest.raises(IndexingError, match="out of bounds"):
        x[3] = 1.0
    with pytest.raises(ShapeError, match="could not broadcast"):
        x[:2] = [1.0, 2.0, 3.0]
    for value in (1.5, np.array(1.5), [0.5, 0.5, 0.5]):
        with pytest.raises(DTypeError, match="the dtype would change"):
            whole[:] = value
    whole[0] = True
    whole[1] = 7
    x[0] = 1
    assert whole.data.tolist() == [1, 7, 3] and x.data.tolist() == [1.0, 0.0, 0.0]


# ------------------------------------------------------------- p.data


def test_the_line_of_micrograd():
    w = leaf([1.0, 2.0])
    (w**2).sum().backward()
    w.data -= 0.1 * w.grad
    assert w.data.tolist() == [0.8, 1.6] and w.requires_grad and w.name == "p"
    w.data += -0.1 * w.grad.data
    w.data *= 2
    w.data /= 0.5
    w.data **= 1
    assert w.data == pytest.approx([2.4, 4.8])
    narrow = leaf(dtype="float32")
    narrow.data -= np.float64(1.0)
    assert narrow.dtype == np.float32 and narrow.data.tolist() == [1.0, 2.0]
    values = w.data  # by another name: the leaf's values all the same, as in PyTorch
    values -= 1.0
    assert w.data == pytest.approx([1.4, 3.8]) and values is not w.data
    with pytest.raises(ShapeError, match="the shape would change"):
        w.data += np.ones((2, 2))


REFUSED = {
    "an entry": lambda x: x.data.__setitem__(0, 5.0),
    "all entries": lambda x: x.data.__setitem__(slice(None), 5.0),
    "fill": lambda x: x.data.fill(0.0),
    "numpy()": lambda x: x.numpy().__setitem__(0, 5.0),
    "a slice": lambda x: operator.iadd(x.data[:1], 1.0),
    "a view": lambda x: x.data.reshape(1, -1).__setitem__((0, 0), 1.0),
    "a result": lambda x: operator.isub((x * 1.0).data, 1.0),
    "a gradient's": lambda x: operator.imul(mg.grad(x.sum(), [x])[0].data, 0.0),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_writes_say_what_to_write(name):
    x = leaf()
    with pytest.raises(ArgumentError, match="read-only") as caught:
        REFUSED[name](x)
    assert isinstance(caught.value, ValueError) and x.data.tolist() == [2.0, 3.0]
    assert "p.data = p.data - lr * p.grad.data" in str(caught.value)
    assert "test_in_place.py" in str(caught.value)


def test_values_of_before_are_not_the_leafs_any_more():
    w = leaf()
    before = w.data
    w.data = np.ones(2)
    with pytest.raises(ArgumentError, match="read-only"):
        before -= 1.0
    del w
    gc.collect()
    alone = leaf().data
    with pytest.raises(MinigradError):
        alone -= 1.0


def test_values_are_numpys_arrays_in_all_else():
    x = mg.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    values = x.data
    assert isinstance(values, np.ndarray) and repr(values) == repr(np.array(values))
    for plain in (
        values * 2, values + values, values.copy(), np.exp(values), values @ values,
        np.concatenate([values, values]), np.stack([values]), np.asarray(values),
        np.where(values > 1, values, 0), values.sum(0), values.mean(1), -values,
        copy.copy(values), pickle.loads(pickle.dumps(values)), np.array(values),
    ):  # fmt: skip
        assert type(plain) is np.ndarray, plain
    for scalar in (values.sum(), values[0, 0], values.max(), (x.sum()).data * 1.0):
        assert type(scalar) is np.float64
    assert type(values[0]) is ReadOnlyArray and f"{x.sum().data:.1f}" == "10.0"
    for mine in (values.copy(), values[[0, 1]], values.astype("float32")):
        mine[0] = 0.0
        mine += 1.0
        mine.fill(2.0)
        assert mine.tolist() == [[2.0, 2.0], [2.0, 2.0]]
    assert x.data.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_values_keep_no_graph_alive():
    x = leaf()
    y = x * 2.0
    watch, kept = weakref.ref(y), y.data
    owner, held = weakref.ref(x), x.data
    del y, x
    assert watch() is None and owner() is None
    assert kept.tolist() == [4.0, 6.0] and held.tolist() == [2.0, 3.0]
