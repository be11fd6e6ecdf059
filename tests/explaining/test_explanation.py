"""Explanations: their sums, products, paths and formulas; and what is refused."""

import gc
import re
import weakref
from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy as sp
from variants import every_variant, score

import minigrad as mg
from minigrad.engine import errors
from minigrad.engine.graph import ancestors
from minigrad.explaining import explain
from minigrad.explaining.step_cuts import Stretches
from minigrad.explaining.terms import closing
from minigrad.models import GRU, LSTM, RNN, unroll


def three_steps(w=0.5, u=0.7, b=0.1, xs=(0.5, -0.3, 0.8)):
    """A scalar RNN of three steps, and the square of its last state as loss."""
    rnn = RNN(1, 1, rng=0)
    cell = rnn.cells[0]
    cell.W_h.data, cell.W_x.data, cell.b.data = [[w]], [[u]], [b]
    x = mg.tensor(np.reshape(xs, (len(xs), 1, 1)), name="x")
    output, _ = rnn(x)
    return rnn, (output[len(xs) - 1] ** 2).sum()


def numbers_after(text, words):
    """The numbers at the ends of the lines that begin with one of the words."""
    found = []
    for line in text.splitlines():
        if line.startswith(words):
            found.append(float(line.split()[-1]))
    return found


def evaluated(formula, values):
    """A formula's value to 30 digits; every expression in it is worked out once."""
    known = {s: mpmath.mpf(v) for s, v in values.items()}
    kinds = {sp.Add: mpmath.fsum, sp.Mul: mpmath.fprod}

    def value(part):
        if part not in known:
            if part.is_Rational:
                known[part] = mpmath.mpf(part.p) / part.q
            elif part.func in kinds:
                known[part] = kinds[part.func]([value(p) for p in part.args])
            elif part.func in (sp.Pow, sp.exp, sp.tanh, sp.log):
                words = {sp.Pow: mpmath.power}
                function = words.get(part.func) or getattr(mpmath, part.func.__name__)
                known[part] = function(*[value(p) for p in part.args])
            else:
                known[part] = mpmath.mpf(part.evalf(30, subs=values))
        return known[part]

    with mpmath.workdps(30):
        return value(formula)


# ------------------------------------------------------------- against closed forms


@pytest.mark.parametrize("name", ["W_h", "W_x", "b"])
def test_the_formula_is_sympys_own_derivative_of_the_closed_form(name):
    rnn, loss = three_steps()
    parameter = getattr(rnn.cells[0], name)
    e = mg.explain(parameter, (0,) * parameter.ndim, loss)
    symbols = {str(s): s for s in e.symbols}
    w, u, b = (symbols[k] for k in ("W_h", "W_x", "b"))
    h = 0
    for t in range(3):
        h = sp.tanh(u * symbols[f"x_{t}"] + w * h + b)
    expected = sp.diff(h**2, {"W_h": w, "W_x": u, "b": b}[name])
    assert sp.expand(e.formula - expected) == 0
    exact = expected.subs({s: sp.Rational(str(v)) for s, v in e.symbols.items()})
    assert abs(sp.N(exact, 40) - e.value) <= 4e-16 * abs(e.value)


def test_the_paths_are_the_textbook_products():
    rnn, loss = three_steps()
    e = mg.explain(rnn.cells[0].W_h, (0, 0), loss)
    assert e.paths.count == len(e.paths) == int(e.paths) == 3
    assert [path.symbol for path in e.paths] == [
        "2·h_3 · (1 − h_3²) · h_2",
        "2·h_3 · (1 − h_3²) · W_h · (1 − h_2²) · h_1",
        "2·h_3 · (1 − h_3²) · W_h · (1 − h_2²) · W_h · (1 − h_1²) · h_0",
    ]
    h1 = np.tanh(0.7 * 0.5 + 0.1)
    h2 = np.tanh(0.7 * -0.3 + 0.5 * h1 + 0.1)
    h3 = np.tanh(0.7 * 0.8 + 0.5 * h2 + 0.1)
    first = [value for _, value in e.paths[0].factors]
    np.testing.assert_allclose(first, [2 * h3, 1 - h3**2, h2], rtol=1e-15)
    bias = mg.explain(rnn.cells[0].b, 0, loss)
    assert bias.paths[0].symbol == "2·h_3 · (1 − h_3²)"


def test_a_linear_recurrence_gives_powers_of_w():
    def cell(x, h):
        return h * w + x

    w = mg.tensor(0.9, requires_grad=True, name="w")
    h0 = mg.tensor(np.ones((1, 1)), name="h0")
    loop = unroll(cell, np.zeros((40, 1, 1)), h0)
    e = mg.explain(w, (), loop.state.sum())
    assert e.value == pytest.approx(40 * 0.9**39, rel=1e-14)
    assert e.paths.count == len(e.terms) == 40
    for term in e.terms:
        assert term.value == pytest.approx(0.9**39, rel=1e-14)
        factors = [f.array.item() for f in term.products[0].factors[1:-1]]
        assert factors == [0.9] * (39 - term.step)


def test_an_einsum_has_one_path_for_each_entry_that_it_leads_to(rng):
    """Whatever the other operands are summed over, here along k."""
    shapes = {"a": (2, 3), "b": (3, 4), "c": (4, 5)}
    a, b, c = (
        mg.tensor(rng.standard_normal(shape), requires_grad=True, name=name)
        for name, shape in shapes.items()
    )
    loss = mg.tanh(mg.einsum("ij,jk,kl->il", a, b, c)).sum()
    for x, count in ((a, 5), (b, 10), (c, 2)):
        e = mg.explain(x, (1, 1), loss)
        assert e.paths.count == len(list(e.paths)) == count
        assert sum(path.value for path in e.paths) == pytest.approx(e.value, rel=1e-12)


def test_paths_of_a_wide_network_are_counted_exactly():
    """An RNN of H units, the loss the sum of the last state: H**k paths per step."""
    H, T = 7, 60
    rnn = RNN(1, H, rng=0)
    _, h = rnn(np.ones((T, 1, 1)))
    e = mg.explain(rnn.cells[0].b, 3, h.sum())
    assert e.paths.count == sum(H**k for k in range(T))
    assert e.terms[-1].count == H ** (T - 1)
    with pytest.raises(errors.GraphError, match="too many to list"):
        list(e.paths)
    assert f"10^{len(str(e.paths.count)) - 1}" in str(e)


# ------------------------------------------------------------- every model


def products_of(term):
    total, size = 0.0, abs(float(term.value))
    for product in term.products:
        row = product.factors[0].array
        for factor in product.factors[1:]:
            assert row.shape[1] == factor.array.shape[0] == factor.shape[0]
            row = row @ factor.array
        near = 1e3 * np.finfo(row.dtype).eps * max(size, abs(row.item()))
        assert abs(row.item() - product.value) <= near
        total, size = total + row.item(), size + abs(row.item())
    return total, size


def check(e, gradient):
    """Everything that an explanation claims about its numbers."""
    total = e.terms[0].value
    for value in [*(t.value for t in e.terms[1:]), *e.rounding]:
        total = total + value
    assert total == e.value and type(total) is type(e.value)
    eps = np.finfo(np.asarray(e.value).dtype).eps
    assert abs(e.value - gradient) <= 50 * eps * sum(abs(t.value) for t in e.terms)
    for term in e.terms:
        total, size = products_of(term)
        assert abs(total - term.value) <= 1e4 * eps * size
        signal = float((term.signal @ _column(term)).item())
        assert abs(signal - term.value) <= 1e4 * eps * size
        assert len(term.products) == term.reads
    if e.paths.few:
        assert len(list(e.paths)) == e.paths.count
        for term in e.terms:
            paths = term.paths
            assert len(paths) == term.count
            made = sum(Fraction(float(path.value)) for path in paths)
            size = sum(abs(float(path.value)) for path in paths)
            assert abs(float(made) - term.value) <= 100 * eps * size
            for path in paths:
                product = path.value.dtype.type(1)
                for _, value in path.factors:
                    product = product * value
                assert product == path.value


def _column(term):
    return term.products[0].factors[-1].array if term.products else term.signal.T * 0


@every_variant
def test_every_variant_layers_directions_and_masks(model, variant, rng):
    x = mg.tensor(rng.standard_normal((3, 2, 2)), name="x", requires_grad=True)
    net = model(2, 2, 2, bidirectional=True, rng=1, **variant)
    loss = score(net, x, rng, lengths=[3, 2])
    parameters = [p for _, p in net.named_parameters()]
    loss.backward()
    for parameter in [*parameters[:: len(parameters) // 2 + 1], x]:
        index = tuple(int(rng.integers(n)) for n in parameter.shape)
        e = mg.explain(parameter, index)
        check(e, parameter.grad.data[index])
        assert e.paths.count > 0
        assert f"dL/d{e.parameter} = {e.value}" in str(e)
        assert str(e.value) in e._repr_html_()


@every_variant
def test_every_variant_path_by_path_and_as_a_formula(model, variant, rng):
    net = model(1, 1, rng=2, **variant)
    x = mg.tensor(rng.standard_normal((2, 1, 1)), name="x")
    loss = (net(x, *_start(net, rng))[0] ** 2).mean()
    for name, parameter in list(net.named_parameters())[1::2]:  # W_h, and others
        index = (0,) * (parameter.ndim - 1) + (int(rng.integers(parameter.shape[-1])),)
        e = mg.explain(parameter, index, loss)
        check(e, mg.grad(loss, [parameter])[0].data[index])
        assert e.paths.few, name
        if name != "cells.0.W_h":
            continue
        formula = evaluated(e.formula, e.symbols)
        size = sum(abs(path.value) for path in e.paths)
        assert abs(formula - e.value) <= 1e-14 * size


def _start(net, rng):
    """An initial state that is not zero: no path is."""
    shape = (1, 1, 1)
    if len(net.cells[0].states) == 1:
        return [mg.tensor(rng.standard_normal(shape), name="h0")]
    h, c = rng.standard_normal((2, *shape))
    return [(mg.tensor(h, name="h0"), mg.tensor(c, name="c0"))]


def test_the_terms_are_those_of_the_ledger(rng):
    lstm = LSTM(3, 4, rng=0)
    loss = (lstm(rng.standard_normal((6, 2, 3)))[0] ** 2).mean()
    W_h = lstm.cells[0].W_h
    items = mg.ledger(loss, [W_h]).items(W_h)[0]
    e = mg.explain(W_h, (1, 7), loss)
    assert [(t.step, t.value) for t in e.terms] == [
        (t, items[t, 1, 7]) for t in range(5, -1, -1)
    ]


@pytest.mark.parametrize("model", [RNN, LSTM, GRU])
def test_the_jacobians_are_those_of_jacobian_products(model, rng):
    net = model(2, 3, rng=0)
    trace = net.trace(rng.standard_normal((4, 1, 2)))
    loss = sum((part * part).sum() for part in trace.states[-1])
    e = mg.explain(net.cells[0].b, 0, loss)
    jp = mg.jacobian_products(trace)
    factors = e.terms[-1].products[0].factors[1:-1]
    assert len(factors) == 3
    for k, factor in zip((4, 3, 2), factors, strict=True):
        expected = jp.factor(k)
        found = factor.array
        if model is LSTM:  # the last step's parts may come in another order
            expected, found = np.sort(expected, None), np.sort(found, None)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-300)


def test_float32_stays_float32(rng):
    gru = GRU(2, 3, dtype="float32", rng=0)
    loss = (gru(rng.standard_normal((5, 2, 2)).astype("float32"))[0] ** 2).sum()
    e = mg.explain(gru.cells[0].W_h, (0, 1), loss)
    assert e.value.dtype == np.float32
    check(e, mg.grad(loss, [gru.cells[0].W_h])[0].data[0, 1])
    total = np.float32(0)
    for line in numbers_after(str(e), "step"):
        total = total + np.float32(line)
    assert total == e.value


# ------------------------------------------------------------- as printed


@pytest.mark.parametrize("model", [RNN, LSTM, GRU])
def test_the_printed_terms_add_up_to_the_printed_entry(model, rng):
    net = model(2, 3, rng=0)
    loss = (net(rng.standard_normal((9, 2, 2)))[0] ** 2).mean()
    for index in np.ndindex(2, net.cells[0].W_x.shape[1]):
        e = mg.explain(net.cells[0].W_x, index, loss)
        text = e.text(max_paths=0)
        total = 0.0
        for value in numbers_after(text, ("step", "rounding")):
            total = total + value
        [head] = re.findall(r"^dL/dW_x\S+ = (\S+)$", text, re.M)
        [foot] = numbers_after(text, f"dL/d{e.parameter}, added")
        assert total == float(head) == foot == e.value


def test_many_terms_are_printed_in_part_and_still_add_up(rng):
    rnn = RNN(2, 3, rng=0)
    loss = (rnn(rng.standard_normal((200, 1, 2)))[0] ** 2).mean()
    e = mg.explain(rnn.cells[0].W_h, (2, 0), loss)
    text = str(e)
    assert "... 188 terms between" in text
    total = 0.0
    for value in numbers_after(text, ("step", "rounding", "... ")):
        total = total + value
    assert total == e.value
    assert len(text.splitlines()) < 100


def test_printed_paths_multiply_and_add_up():
    rnn, loss = three_steps()
    e = mg.explain(rnn.cells[0].W_x, (0, 0), loss)
    text = str(e).partition("Path by path")[2].partition("Each path")[0]
    blocks = re.split(r"^step \d+ +(\S+)$", text, flags=re.M)[1:]
    assert len(blocks) == 6
    for printed, block in zip(blocks[::2], blocks[1::2], strict=True):
        lines = re.sub(r"\s+", " ", block).split("= ")
        product = 1.0
        for word in lines[1].split("·"):
            product = product * float(word)
        assert product == float(lines[2]) == float(printed)


@pytest.mark.parametrize("width", [80, 140])
def test_lines_keep_to_the_width(width, rng):
    lstm = LSTM(2, 2, 2, bidirectional=True, rng=0)
    loss = (lstm(rng.standard_normal((4, 1, 2)))[0] ** 2).mean()
    e = mg.explain(lstm.cells[0].W_h, (0, 1), loss)
    assert max(map(len, e.text(width=width).splitlines())) <= width
    rnn, loss = three_steps()
    text = mg.explain(rnn.cells[0].W_h, (0, 0), loss).text(width=width)
    assert max(map(len, text.splitlines())) <= width


def test_the_rounding_closes_any_sum(rng):
    for _ in range(200):
        values = list(rng.standard_normal(6) * 10.0 ** rng.integers(-18, 3, 6))
        for total in (values[0], float(np.sum(values)), 0.0, 1e-300, sum(values)):
            made = values[0]
            for value in [*values[1:], *closing(values, total)]:
                made = made + value
            assert made == total
    assert closing([1.0, 2.0], 3.0) == []
    assert closing([1.0, np.nan], np.nan) == []


def test_latex_and_mathml():
    import xml.etree.ElementTree as ET

    rnn, loss = three_steps()
    e = mg.explain(rnn.cells[0].W_h, (0, 0), loss)
    assert r"\frac{\partial h_{3}}{\partial h_{2}}" in e.latex()
    assert r"\mathrm{d} W_{h}" in e.latex() and r"\tanh" in e.latex()
    root = ET.fromstring(e._repr_html_())
    assert len(root.findall(".//mfrac")) >= 2 + 3 + 4
    assert str(e.value) in e._repr_html_()


def test_a_hostile_name_is_only_text():
    w = mg.tensor(0.5, requires_grad=True, name="<script>alert(1)</script>\x1b[2J")
    e = mg.explain(w, (), (w * w).sum())
    assert "<script" not in e._repr_html_()
    assert "\x1b" not in str(e)


# ------------------------------------------------------------- uses of other kinds


def test_uses_outside_any_step_are_terms_of_their_own(rng):
    rnn = RNN(2, 2, rng=0)
    W_h = rnn.cells[0].W_h
    loss = (rnn(rng.standard_normal((3, 1, 2)))[0] ** 2).mean() + (W_h * W_h).sum()
    e = mg.explain(W_h, (0, 1), loss)
    assert [t.step for t in e.terms] == [None, 2, 1, 0]
    assert "outside any step, in multiply" in str(e)
    check(e, mg.grad(loss, [W_h])[0].data[0, 1])


def test_two_runs_and_a_shared_cell_are_told_apart(rng):
    rnn = RNN(2, 2, rng=0)
    _, h = rnn(rng.standard_normal((2, 1, 2)))
    output, _ = rnn(rng.standard_normal((3, 1, 2)), h)
    e = mg.explain(rnn.cells[0].W_h, (0, 1), (output**2).mean())
    assert [t.place for t in e.terms] == [
        "step 2, RNN 2",
        "step 1, RNN 2",
        "step 0, RNN 2",
        "step 1, RNN 1",
        "step 0, RNN 1",
    ]
    check(e, mg.grad((output**2).mean(), [rnn.cells[0].W_h])[0].data[0, 1])


def test_a_loop_and_a_cell_of_the_users_own(rng):
    w = mg.tensor(rng.standard_normal((2, 2)), requires_grad=True, name="w")
    h, total = mg.tensor(rng.standard_normal((1, 2))), 0.0
    for t in range(4):
        with mg.time_step(t):
            h = mg.tanh(h @ w) + mg.sigmoid((h * h) @ w)  # two uses in each step
            total = total + (h * h).sum()  # the loss is carried along, too
    e = mg.explain(w, (1, 0), total)
    assert [len(t.uses) for t in e.terms] == [2] * 4
    check(e, mg.grad(total, [w])[0].data[1, 0])


def test_inputs_and_computed_tensors_are_explained_too(rng):
    rnn = RNN(2, 2, rng=0)
    trace = rnn.trace(rng.standard_normal((3, 1, 2)))
    state = trace.states[1][0]
    loss = (trace.output**2).sum()
    e = mg.explain(state, (0, 1), loss)
    check(e, mg.grad(loss, [state])[0].data[0, 1])


def test_losses_with_targets(rng):
    V = mg.tensor(rng.standard_normal((2, 3)), requires_grad=True, name="V")
    rnn = RNN(2, 2, rng=0)
    output, _ = rnn(rng.standard_normal((2, 1, 2)))
    mask = np.array([[True], [False]])
    for loss in (
        mg.losses.cross_entropy(output @ V, [[2], [1]], mask=mask),
        mg.losses.cross_entropy(output[1] @ V, [0]),
        mg.losses.binary_cross_entropy(output[1] @ V, np.array([[1.0, 0.0, 1.0]])),
        mg.losses.rmse(output, np.ones((2, 1, 2))),
        mg.stack([part.sum() for part in mg.unstack(output)]).sum(),
    ):
        e = mg.explain(rnn.cells[0].W_h, (0, 1), loss)
        check(e, mg.grad(loss, [rnn.cells[0].W_h])[0].data[0, 1])
        if loss.node.primitive.name not in ("norm", "divide"):
            formula = evaluated(e.formula, e.symbols)
            assert abs(formula - e.value) <= 1e-13 * (1e-3 + abs(e.value))


# ------------------------------------------------------------- which loss


def test_the_last_loss_is_the_default_and_not_kept_alive():
    w = mg.tensor(3.0, requires_grad=True, name="w")
    loss = (w * w).sum()
    loss.backward(2.0)
    e = mg.explain(w)
    assert e.value == w.grad.item() == 12.0
    node = weakref.ref(loss)
    del e, loss
    gc.collect()
    assert node() is None
    with pytest.raises(errors.GraphError, match="no variable holds it"):
        mg.explain(w)


def test_the_values_are_those_of_the_forward_that_ran():
    rnn, loss = three_steps()
    before = mg.explain(rnn.cells[0].W_h, (0, 0), loss)
    rnn.cells[0].W_h.data = [[9.0]]
    after = mg.explain(rnn.cells[0].W_h, (0, 0), loss)
    assert after.value == before.value and str(after) == str(before)
    assert rnn.cells[0].W_h.grad is None


def test_a_backward_from_several_entries_is_no_loss():
    v = mg.tensor([1.0, 2.0], requires_grad=True)
    y = v * v
    y.backward([1.0, 1.0])
    with pytest.raises(errors.GraphError, match="started from a given gradient"):
        mg.explain(v, 0)


# ------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    "index", [2, -3, (0, 0), (), 0.5, True, "0", slice(0, 1), None, np.array([0, 1])]
)
def test_an_index_that_is_no_entry(index):
    v = mg.tensor([1.0, 2.0], requires_grad=True, name="v")
    with pytest.raises(errors.IndexingError, match="there is no entry") as caught:
        explain(v, index, (v * v).sum())
    assert "hint" in str(caught.value)


def test_negative_and_numpy_indices():
    v = mg.tensor([1.0, 2.0], requires_grad=True, name="v")
    loss = (v * v).sum()
    assert mg.explain(v, -1, loss).index == mg.explain(v, np.int64(1), loss).index


def test_what_cannot_be_explained():
    v = mg.tensor([1.0, 2.0], requires_grad=True, name="v")
    other = mg.tensor([1.0], requires_grad=True)
    loss = (v * v).sum()
    with pytest.raises(errors.ArgumentError, match="parameter is not a tensor"):
        mg.explain(v.data, 0, loss)
    with pytest.raises(errors.ArgumentError, match="loss is not a tensor"):
        mg.explain(v, 0, loss.item())
    with pytest.raises(errors.ShapeError, match="not a scalar"):
        mg.explain(v, 0, v * v)
    with pytest.raises(errors.GraphError, match="no graph"):
        mg.explain(v, 0, mg.tensor(1.0))
    with mg.no_grad(), pytest.raises(errors.GraphError, match="no graph"):
        mg.explain(v, 0, (v * v).sum())
    with pytest.raises(errors.GraphError, match="does not depend"):
        mg.explain(other, 0, loss)
    with pytest.raises(errors.GraphError, match="has no gradient"):
        mg.explain(mg.tensor([1.0]), 0, loss)
    with pytest.raises(errors.GraphError, match="the loss itself"):
        mg.explain(loss, (), loss)


def test_nan_and_infinity_are_shown_and_placed():
    rnn, _ = three_steps()
    x = mg.tensor(np.reshape([1.0, np.inf, 1.0], (3, 1, 1)), name="x")
    loss = rnn(x)[0].sum()
    text = str(mg.explain(rnn.cells[0].W_x, (0, 0), loss))
    assert (
        "= nan" in text
        and "The first term that is not finite" in text
        and "step 1" in text
    )
    z = mg.tensor([0.0, 1.0], requires_grad=True, name="z")
    e = mg.explain(z, 0, mg.log(z).sum())
    assert e.value == np.inf and "inf" in str(e) and e._repr_html_()


def test_what_is_too_large_is_refused_with_its_size(rng, monkeypatch):
    lstm = LSTM(8, 300, rng=0)
    loss = (lstm(rng.standard_normal((4, 2, 8)))[0] ** 2).mean()
    e = mg.explain(lstm.cells[0].W_h, (0, 0), loss)
    factor = e.terms[1].products[1].factors[1]
    with pytest.raises(errors.GraphError, match="600 x 1,200"):
        _ = factor.array
    with pytest.raises(errors.GraphError, match="written out in full"):
        _ = e.formula
    assert "‖" in str(e)  # norms instead
    assert len(e.terms[1].products[1].norms) == 2
    monkeypatch.setattr("minigrad.explaining.path_listing.ENTRIES", 1000)
    again = mg.explain(lstm.cells[0].W_h, (0, 0), loss)
    with pytest.raises(errors.GraphError, match="too many to count"):
        _ = again.paths.count
    assert "not counted" in str(again)
    monkeypatch.setattr("minigrad.explaining.explanation.LARGEST", 50)
    with pytest.raises(errors.GraphError, match="operations are too many"):
        mg.explain(lstm.cells[0].W_h, (0, 0), loss)


def test_an_operation_without_a_formula_says_so():
    v = mg.tensor([1.0, 2.0], requires_grad=True, name="v")
    e = mg.explain(v, 1, v.max())
    with pytest.raises(errors.GraphError, match="no formula for the operation max"):
        _ = e.formula
    assert e.value == 1.0 and "∂max" in str(e)


def test_a_long_sequence_takes_no_recursion_and_little_time():
    rnn = RNN(1, 1, rng=0)
    loss = rnn(np.ones((2000, 1, 1)))[0].sum()
    e = mg.explain(rnn.cells[0].b, 0, loss)
    assert len(e.terms) == 2000
    assert e.paths.count == 2000 * 2001 // 2
    assert "1988 terms between" in str(e)


def test_the_stretches_cover_every_operation_of_a_step(rng):
    lstm = LSTM(2, 2, 2, bidirectional=True, rng=0)
    loss = (lstm(rng.standard_normal((3, 1, 2)))[0] ** 2).mean()
    nodes = ancestors([loss.node], constants=False)
    stretches = Stretches(nodes, loss._edge)
    inside = [n for n in nodes if any(s.kind == "step" for s in n.scope)]
    assert set(stretches.of) == set(inside)
    loops = [row for (loop, _), row in stretches.rows.items() if loop.layer]
    assert [len(row) for row in loops] == [3] * 4
    assert [row[0].step for row in loops] == [0, 2, 0, 2]
    for row in loops:
        assert [s.next for s in row] == [*row[1:], None]
