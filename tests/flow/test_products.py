"""Jacobians against complex step and closed forms; paths; sizes; bad input."""

import numpy as np
import pytest
from test_ledger import IDS, VARIANTS, B, D, H, T, network

import minigrad as mg
from minigrad.engine import errors
from minigrad.engine.graph import key
from minigrad.flow import jacobians, state_paths, step_jacobian
from minigrad.models import GRU, LSTM, RNN, unroll, unroll_traced
from minigrad.reading.replay import evaluate, value_of


def by_complex_step(before, after, sample):
    """ds_k/ds_{k-1} of one sample by the replayed program, one column per entry."""
    columns = []
    for j, part in enumerate(before):
        for unit in range(part.shape[1]):
            changed = {key(s._edge): s.data.astype(complex) for s in before}
            changed[key(before[j]._edge)][sample, unit] += 1e-200j
            column = []
            for new in after:
                value = value_of(new._edge, evaluate(new._edge, changed))
                column.append(value[sample].imag / 1e-200)
            columns.append(np.concatenate(column))
    return np.array(columns).T


def close(actual, expected, tolerance=1e-12):
    assert actual.shape == expected.shape
    assert np.abs(actual - expected).max() <= tolerance * np.abs(expected).max()


@pytest.mark.parametrize(
    ("kind", "how"), [v for v in VARIANTS if v[1].get("activation") != "relu"]
)
def test_factors_against_complex_step(kind, how, rng):
    model = network(kind, rng, **how)
    trace = model.trace(rng.standard_normal((T, B, D)))
    jp = mg.jacobian_products(trace, sample=1)
    expected = np.eye(jp.size)
    for k in range(1, T + 1):
        factor = by_complex_step(trace.states[k - 1], trace.states[k], 1)
        close(jp.factor(k), factor)
        expected = factor @ expected
    close(jp.product(0), expected)
    assert (jp.product(T) == np.eye(jp.size)).all()
    close(jp.product(2), jp.factor(5) @ jp.factor(4) @ jp.factor(3))


def test_factors_of_a_relu_network_are_masked_weights(rng):
    model = network(RNN, rng, activation="relu")
    trace = model.trace(rng.standard_normal((T, B, D)))
    jp = mg.jacobian_products(trace, sample=2)
    W = model.cells[0].W_h.data
    for k in range(1, T + 1):
        on = trace.states[k][0].data[2] > 0
        close(jp.factor(k), on[:, None] * W.T, 1e-15)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_layers_and_directions(kind, rng):
    model = network(kind, rng, num_layers=2, bidirectional=True)
    trace = model.trace(rng.standard_normal((T, B, D)))
    for layer in range(4):
        jp = mg.jacobian_products(trace, sample=0, layer=layer)
        states = trace.layer(layer).states
        assert jp.times == (list(range(T))[::-1] if layer % 2 else list(range(T)))
        for k in (1, T):
            close(jp.factor(k), by_complex_step(states[k - 1], states[k], 0))


def test_padded_steps_are_the_identity(rng):
    model = network(LSTM, rng)
    trace = model.trace(rng.standard_normal((T, B, D)), lengths=[5, 3, 4])
    jp = mg.jacobian_products(trace, sample=1)
    for k in (4, 5):
        assert (jp.factor(k) == np.eye(2 * H)).all()
    close(jp.factor(3), by_complex_step(trace.states[2], trace.states[3], 1))


# ------------------------------------------------------------- closed forms


def linear(W):
    W = mg.tensor(W, name="W_h")
    return lambda x, h: h @ W + x


@pytest.mark.parametrize("w", [2.0, 0.2])
def test_one_linear_unit_over_fifty_steps(w):
    loop = unroll_traced(linear([[w]]), np.zeros((50, 1, 1)), np.ones((1, 1)))
    jp = mg.jacobian_products(loop)
    power = 1.0
    for k in range(50, -1, -1):
        assert jp.product(k).item() == jp.norms()[k] == power
        power *= w
    assert jp.norms()[0] == (2**50 if w == 2 else pytest.approx(0.2**50, rel=1e-14))
    np.testing.assert_allclose(jp.spectral_radius(), w, rtol=1e-15)
    bound = jp.log10_bounds(W=[[w]])["|w|^(T-k)"]
    np.testing.assert_allclose(bound, jp.log10_norms(), atol=1e-13)


def test_a_linear_network_gives_powers_of_its_weight(rng):
    W = rng.standard_normal((4, 4))
    loop = unroll_traced(linear(W), rng.standard_normal((9, 3, 4)), np.zeros((3, 4)))
    jp = mg.jacobian_products(loop, sample=2)
    for k in range(10):
        power = np.linalg.matrix_power(W.T, 9 - k)
        close(jp.product(k), power, 1e-13)
        np.testing.assert_allclose(jp.norms()[k], np.linalg.norm(power, 2), rtol=1e-12)
    radius = np.abs(np.linalg.eigvals(W)).max()
    np.testing.assert_allclose(jp.spectral_radius(), radius, rtol=1e-12)
    singular = np.linalg.svd(W, compute_uv=False)
    np.testing.assert_allclose(jp.factor_singular_values()[3], singular, rtol=1e-12)


@pytest.mark.parametrize(("batch", "masked"), [(2, True), (7, True), (5, False)])
def test_a_matrix_is_the_same_for_every_sample(batch, masked, rng, monkeypatch):
    """Made in the step it has more rows than the batch, or fewer; a weight may have
    as many. They are not taken for samples, which would cost a pass per row."""
    monkeypatch.setattr(step_jacobian.Step, "_row_by_row", None)
    W = mg.tensor(rng.standard_normal((5, 5)))
    mask = np.triu(np.ones((5, 5))) if masked else 1.0
    scale = np.arange(1.0, 6.0) / 5
    loop = unroll_traced(
        lambda x, h: mg.tanh(x + h @ (W * mask if masked else W) * scale),
        rng.standard_normal((3, batch, 5)),
        np.zeros((batch, 5)),
    )
    jp = mg.jacobian_products(loop, sample=1)
    for k in (1, 2, 3):
        slopes = scale * (1 - loop.states[k].data[1] ** 2)
        close(jp.factor(k), slopes[:, None] * (W.data * mask).T)


def test_products_beyond_float64_keep_their_size():
    for w in (0.01, 100.0):
        loop = unroll_traced(linear([[w]]), np.zeros((400, 1, 1)), np.ones((1, 1)))
        jp = mg.jacobian_products(loop)
        np.testing.assert_allclose(
            jp.log10_norms(), np.log10(w) * np.arange(400, -1, -1), rtol=1e-12
        )
        assert jp.norms()[0] == (0.0 if w < 1 else np.inf)
        assert jp.underflow()[0] == (w < 1) and not jp.underflow()[-1]


def test_the_norm_stays_below_the_bounds_of_theory(rng):
    model = network(RNN, rng)
    trace = model.trace(rng.standard_normal((30, B, D)))
    jp = mg.jacobian_products(trace)
    bounds = jp.log10_bounds()
    norm = np.linalg.norm(model.cells[0].W_h.data, 2)
    np.testing.assert_allclose(
        bounds["(γ‖W_h‖₂)^(T-k)"], np.log10(norm) * np.arange(30, -1, -1), rtol=1e-12
    )
    for bound in bounds.values():
        assert (jp.log10_norms() <= bound + 1e-12).all()
    model.cells[0].W_h.data = np.zeros((H, H))  # the loop that ran keeps its bound
    again = mg.jacobian_products(trace).log10_bounds()
    assert again["(γ‖W_h‖₂)^(T-k)"][0] == bounds["(γ‖W_h‖₂)^(T-k)"][0]


# ------------------------------------------------------------- paths


@pytest.mark.parametrize(("kind", "how"), VARIANTS, ids=IDS)
def test_the_path_alone_is_the_product_of_the_gate(kind, how, rng):
    model = network(kind, rng, **how)
    trace = model.trace(rng.standard_normal((T, B, D)))
    jp = mg.jacobian_products(trace, sample=1)
    if kind is RNN:
        with pytest.raises(errors.GraphError, match="no gates"):
            jp.paths()
        return
    if kind is LSTM:
        gate = trace["f"][:, 1] if how["forget_gate"] else np.ones((T, H))
    else:
        gate = trace["z"][:, 1]
        gate = gate if how["update"] == "keep" else 1 - gate
    paths = jp.paths()
    assert paths.state == ("c" if kind is LSTM else "h")
    expected = np.ones(H)
    part = jp.parts[paths.state]
    for k in range(T, -1, -1):
        assert (paths.alone[k] == expected).all()  # to the last bit
        whole = jp.product(k)[part, part]
        close(np.diag(paths.alone[k]) + paths.rest[k], whole)
        assert paths.alone_norms[k] == paths.alone[k].max()
        assert paths.rest_norms[k] == pytest.approx(np.linalg.norm(paths.rest[k], 2))
        if k:
            expected = expected * gate[k - 1]
    assert paths.rest_norms[T] == 0 and paths.share[T] == 1
    assert (paths.rest_norms[: T - 1] > 0).all()


def test_paths_beyond_float64_keep_their_size(rng):
    """Factors 32 times smaller: the same ways, 2000 powers of two further down."""
    factors = rng.uniform(0.5, 1.0, (400, 2, 2))
    way, far = (
        state_paths.split("c", slice(0, 1), scaled, scaled[:, :1, :1])
        for scaled in (factors, factors / 32)
    )
    fewer = 5 * np.log10(2) * np.arange(400, -1, -1)
    for name in ("log10_alone", "log10_rest"):
        usual = getattr(way, name)[:400] - fewer[:400]
        np.testing.assert_allclose(getattr(far, name)[:400], usual, atol=1e-11)


def test_the_other_paths_are_right_where_they_are_small(rng):
    """Not the difference of two nearly equal products: they are found on their own."""
    model = network(LSTM, rng)
    model.cells[0].W_h.data = model.cells[0].W_h.data * 1e-10
    trace = model.trace(rng.standard_normal((T, B, D)))
    rest = mg.jacobian_products(trace).paths().rest[T - 2]
    # Two steps: c_1 -> h_1 -> the gates -> c_2, which is first order in W_h.
    states = trace.states[T - 2 :]
    J = by_complex_step(states[1], states[2], 0)[H:, :H]
    first = by_complex_step(states[0], states[1], 0)[:H, H:]
    close(rest, J @ first, 1e-12)


def test_a_path_that_mixes_units_is_a_matrix(rng):
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    R, V = mg.tensor(turn), mg.tensor(rng.standard_normal((2, 2)))

    def cell(x, h):
        with mg.scope("update gate"):
            z = mg.sigmoid(x + h @ V)
        return z * 0.0 + h @ R

    loop = unroll_traced(cell, rng.standard_normal((3, 1, 2)), np.ones((1, 2)))
    paths = mg.jacobian_products(loop).paths()
    close(paths.alone[0], np.linalg.matrix_power(turn.T, 3), 1e-14)
    np.testing.assert_allclose(paths.alone_norms, 1)


# ------------------------------------------------------------- cost


@pytest.mark.parametrize("hidden", [2, 9])
def test_one_pass_per_step_whatever_the_size(hidden, rng, monkeypatch):
    count = []
    original = step_jacobian.pull
    monkeypatch.setattr(
        step_jacobian, "pull", lambda *a: count.append(1) or original(*a)
    )
    trace = LSTM(D, hidden, rng=rng).trace(rng.standard_normal((T, B, D)))
    mg.jacobian_products(trace)
    assert len(count) == 2 * T  # a pass with all rows, and one row that checks them


def test_a_batch_as_long_as_other_axes_is_no_trouble(rng, monkeypatch):
    monkeypatch.setattr(step_jacobian.Step, "_row_by_row", None)
    for size in (H, 3 * H, 4 * H, D):
        for kind in (RNN, LSTM, GRU):
            trace = network(kind, rng).trace(rng.standard_normal((3, size, D)))
            jp = mg.jacobian_products(trace, sample=1)
            close(jp.factor(2), by_complex_step(trace.states[1], trace.states[2], 1))


def test_a_cell_that_mixes_samples_or_moves_axes_is_taken_row_by_row(rng):
    W = mg.tensor(rng.standard_normal((H, H)))

    def mixing(x, h):
        return mg.tanh((h - h.mean(axis=0)) @ W + x)

    def turned(x, h):
        return mg.tanh((W.T @ h.T).T + x)

    for cell in (mixing, turned):
        loop = unroll_traced(cell, rng.standard_normal((3, 5, H)), np.zeros((5, H)))
        jp = mg.jacobian_products(loop, sample=3)
        close(jp.factor(2), by_complex_step(loop.parts[1], loop.parts[2], 3))


# ------------------------------------------------------------- bad input


def test_what_is_too_large_is_refused_with_its_size(rng, monkeypatch):
    trace = network(RNN, rng).trace(rng.standard_normal((T, B, D)))
    monkeypatch.setattr(jacobians, "LIMIT", 8 * T * H * H - 1)
    with pytest.raises(errors.ArgumentError, match=r"5 factors of \(4, 4\)"):
        mg.jacobian_products(trace)


def test_states_that_are_not_connected(rng):
    V = mg.tensor(rng.standard_normal((2, 2)), requires_grad=True)
    loop = unroll(lambda x, h: mg.tanh(x @ V), np.ones((3, 1, 2)), np.zeros((1, 2)))
    jp = mg.jacobian_products(loop)
    assert not jp.factor(1).any() and not jp.product(0).any()
    assert jp.log10_norms().tolist() == [-np.inf] * 3 + [0.0]
    assert not jp.underflow().any() and jp.spectral_radius().tolist() == [0.0] * 3


def test_a_state_that_is_passed_on_is_the_identity(rng):
    loop = unroll(lambda x, h: h, np.ones((3, 1, 2)), np.zeros((1, 2)))
    assert (mg.jacobian_products(loop).factor(2) == np.eye(2)).all()


def test_one_step_and_constant_start(rng):
    model = network(GRU, rng)
    jp = mg.jacobian_products(model.trace(rng.standard_normal((1, B, D))))
    assert jp.steps == 1 and jp.norms().shape == (2,)
    with mg.no_grad():
        start = mg.zeros((1, 1)) * 1.0
    loop = unroll(linear([[3.0]]), np.zeros((2, 1, 1)), start)
    assert mg.jacobian_products(loop).product(0).item() == 9.0


def test_states_without_a_batch_axis():
    w = mg.tensor([2.0, 3.0])
    loop = unroll(lambda x, h: w * h + x, np.zeros((4, 2)), np.ones(2))
    jp = mg.jacobian_products(loop)
    assert (jp.product(0) == np.diag([16.0, 81.0])).all()
    scalar = unroll(lambda x, h: h * 2.0 + x, np.zeros(50), mg.tensor(1.0))
    assert mg.jacobian_products(scalar).product(0).item() == 2.0**50


def test_nan_is_told(rng):
    loop = unroll_traced(linear([[np.nan]]), np.zeros((2, 1, 1)), np.ones((1, 1)))
    jp = mg.jacobian_products(loop)
    assert np.isnan(jp.norms()[:2]).all() and np.isnan(jp.spectral_radius()).all()
    assert np.isnan(jp.log10_bounds()["product of the factors' norms"][0])


def test_errors_say_what_is_wrong(rng):
    model = network(LSTM, rng)
    x = rng.standard_normal((T, B, D))
    trace = model.trace(x)
    jp = mg.jacobian_products(trace)
    with pytest.raises(errors.IndexingError, match=r"k in 1\.\.5"):
        jp.factor(0)
    with pytest.raises(errors.IndexingError, match=r"k in 0\.\.5"):
        jp.product(6)
    with pytest.raises(errors.IndexingError, match="whole number"):
        jp.product(0.5)
    for sample in (B, -1, 0.5, True):
        with pytest.raises(errors.IndexingError, match="no such sample"):
            mg.jacobian_products(trace, sample=sample)
    with pytest.raises(errors.IndexingError, match="no such cell"):
        mg.jacobian_products(trace, layer=1)
    with pytest.raises(errors.GraphError, match="no states"):
        mg.jacobian_products(model(x))
    with mg.no_grad():
        loop = unroll(linear(np.eye(2)), np.ones((3, 1, 2)), np.zeros((1, 2)))
    with pytest.raises(errors.GraphError, match="not recorded"):
        mg.jacobian_products(loop)
    assert "5 factors (8, 8)" in repr(jp)
