"""Rare cases of the readings of flow: lessons, closing early, what has no states."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import GraphError
from minigrad.engine.graph import ancestors
from minigrad.flow.data_findings import data_findings
from minigrad.flow.finding_lists import LESSONS, finding_lines
from minigrad.flow.findings import CODES, Finding
from minigrad.flow.loss_targets import nearest, targets_of
from minigrad.flow.saturation_causes import cause_of
from minigrad.flow.scaled_product import log10
from minigrad.flow.unit_readings import gate_reading
from minigrad.flow.update_watch import UpdateWatch
from minigrad.models import LSTM, RNN


def test_every_lesson_that_a_finding_names_is_there():
    for code, (meaning, lesson) in CODES.items():
        assert meaning and (lesson is None or lesson in LESSONS), code


def test_lines_have_the_remedy_unless_told_otherwise():
    finding = Finding("no-loop", "warning", "there is no loop", remedy="mark it")
    assert len(finding_lines([finding])) == 2
    assert len(finding_lines([finding], remedies=False)) == 1


def test_a_monitor_that_is_closed_before_the_first_batch_has_its_files(tmp_path):
    layer = mg.nn.Linear(2, 1, rng=0)
    optimizer = mg.optim.SGD(layer.parameters(), lr=0.1)
    monitor = mg.Monitor(tmp_path / "run", model=layer, optimizer=optimizer)
    monitor.close()
    assert (tmp_path / "run" / "monitor.csv").exists()
    assert (tmp_path / "run" / "monitor.html").exists()


def test_what_has_states_and_no_steps_is_refused():
    class Parts:
        parts = ((mg.ones(2),), (mg.ones(2),))

    with pytest.raises(GraphError, match="the argument has no states"):
        mg.jacobian_products(Parts())


def test_a_logarithm_of_what_was_not_scaled():
    assert log10(np.array([100.0, 0.1])).tolist() == [2.0, -1.0]
    assert log10(np.array([1.0]), 10)[0] == pytest.approx(10 * np.log10(2.0))


def test_targets_have_the_name_of_what_they_were_and_no_more():
    """Reshaped and cast they are still y; computed from y they are something else."""
    x = mg.tensor(np.ones((3, 1)), requires_grad=True)
    y = mg.tensor(np.arange(3.0), name="y")
    for target, name in ((y.reshape(3, 1), "y"), (mg.exp(y.reshape(3, 1)), "")):
        loss = mg.losses.mse(2.0 * x, target)
        [found] = targets_of(ancestors([loss.node]))
        assert found.name == name


def test_a_short_lag_needs_no_large_forget_bias(rng):
    """The remedy is a bias of ln(lag), and 1 at the least: what an LSTM starts with."""
    model = LSTM(3, 4, forget_bias=-20.0, rng=0)
    model.cells[0].W_h.data = np.zeros((4, 16))
    output, _ = model(rng.standard_normal((12, 2, 3)))
    for lag, bias in ((2, 1.0), (4, 1.4), (9, 2.2)):
        found = mg.diagnose(output[-1].sum(), lag=lag).findings
        [vanishing] = [one for one in found if one.code == "vanishing"]
        assert f"forget_bias={bias})" in vanishing.remedy


def test_a_target_without_a_name_is_still_a_target():
    output, _ = RNN(2, 1, rng=0)(np.ones((4, 3, 2)))
    loss = mg.losses.mse(output[-1], np.array([[1e3], [2e3], [3e3]]))
    found = [one for one in mg.diagnose(loss).findings if one.code == "input-scale"]
    assert [one.evidence["kind"] for one in found] == ["target"]
    assert found[0].text.startswith("the target: ")


@pytest.mark.parametrize(("ends", "signed"), [((0.05, 0.95), 0), ((-0.95, 0.95), 1)])
def test_a_gate_just_at_the_bound_is_not_saturated(ends, signed):
    """Saturated is nearer to the end than 0.05."""
    at = np.array([ends] * 3)
    for beyond, share in ((0.0, 0.0), (1e-9, 0.5)):
        gate = mg.tensor(at + np.array([-beyond, beyond]), requires_grad=True) * 1.0
        reading = gate_reading([gate.node])
        assert reading.signed == signed
        assert (reading.low, reading.high) == (share, share)


def test_of_a_long_loop_sixteen_steps_are_read():
    """Evenly spread, the first and the last among them."""
    steps = [mg.tensor([[float(t)]], requires_grad=True) * 1.0 for t in range(46)]
    assert gate_reading([one.node for one in steps]).mean == 22.5
    steps[1] = mg.tensor([[1e6]], requires_grad=True) * 1.0  # 0, 3, 6, ... are read
    assert gate_reading([one.node for one in steps]).mean == 22.5


def test_the_size_of_a_cause_is_the_root_mean_square():
    """Also of numbers whose squares are beyond float64."""
    x = mg.tensor(np.ones((1, 2)), requires_grad=True)
    for scale in (1.0, 1e200):
        bias = mg.tensor(np.array([3.0, 4.0]) * scale, requires_grad=True, name="b")
        cause = cause_of(mg.tanh(x @ mg.ones((2, 2)) + bias).node)
        assert (cause.kind, cause.name) == ("bias", "b")
        assert cause.size == pytest.approx(np.sqrt(12.5) * scale)


def test_an_input_that_is_always_zero_has_no_wrong_scale():
    W = mg.tensor(np.ones((2, 1)), requires_grad=True)
    for size, found in ((1.0, []), (1e-6, ["input-scale"])):
        x = np.array([[0.0, size], [0.0, -size]])
        nodes = ancestors([(x @ W).node])
        assert [finding.code for finding in data_findings(nodes, [])] == found
    assert data_findings(nodes, [])[0].evidence["columns"] == [1]


def test_steps_too_large_are_judged_by_their_median_unless_one_exceeds_the_weights():
    for largest, expected in ((0.9, 0.3), (1.5, 1.5)):
        watch, p = UpdateWatch(), mg.tensor([1.0], requires_grad=True)
        p.grad = mg.tensor([1.0])
        for move in (0.0, 0.3, -0.3, 0.3, -0.3, largest):
            p.data = p.data + move
            watch.batch({"p": p}, look=True)
        [finding] = watch.findings()
        assert finding.code == "update-too-large"
        assert finding.evidence["ratio"] == pytest.approx(expected)


@pytest.mark.parametrize("letter", ["i", "g"])
def test_a_gate_at_its_end_in_most_units_is_told_with_share_and_slope(letter, rng):
    """Most units nearly always: not most of the units in each sample."""
    lstm = LSTM(2, 4, rng=0)
    bias, first = lstm.cells[0].b.data.copy(), 4 * "ifgo".index(letter)
    bias[first : first + 4] = [-8.0, -8.0, -8.0, 0.0]
    lstm.cells[0].b.data = bias
    trace = lstm.trace(rng.standard_normal((6, 3, 2)))
    found = mg.diagnose((trace.output**2).sum()).findings
    [closed] = [one for one in found if one.code == "saturated"]
    gate = np.array(trace[letter])
    slopes = 4 * gate * (1 - gate) if letter == "i" else 1 - gate**2
    assert closed.evidence["gate"] == letter and closed.evidence["share"] == 0.75
    assert closed.evidence["slope"] == pytest.approx(slopes.mean())


def test_steps_of_a_learning_rate_of_zero_change_nothing():
    watch, p = UpdateWatch(), mg.tensor([1.0], requires_grad=True)
    optimizer = mg.optim.SGD([p], lr=0.0)
    p.grad = mg.tensor([1.0])
    for _ in range(6):
        p.data = p.data + 0.0
        watch.batch({"p": p}, look=True)
    [finding] = watch.findings(optimizer)
    assert finding.code == "no-update" and "the learning rate is 0" in finding.text


def test_the_last_operations_of_a_loss():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    loss = mg.tanh(mg.sin(mg.exp(x)) * 2.0).sum()
    for most, names in ((2, ["tanh", "sum"]), (9, "exp sin multiply tanh sum".split())):
        assert [node.primitive.name for node in nearest(loss, most)] == names


def test_one_number_may_be_the_target():
    x = mg.tensor(1e6, requires_grad=True)
    [found] = targets_of(ancestors([mg.losses.mse(x * 1.0, 2e6).node]))
    assert found.values.shape == (1, 1) and found.best_constant() == 0.0


def test_an_operand_of_yes_and_no_has_no_range_where_a_value_is_not_finite():
    output, _ = RNN(2, 1, rng=0)(np.ones((3, 1, 2)))
    mask = np.array([True, False, True]).reshape(3, 1, 1)
    [found] = [
        one for one in mg.diagnose((output / mask).sum()).findings
        if one.code == "not-finite"
    ]  # fmt: skip
    assert "arose in divide" in found.text and "float64 in [" in found.text
    assert found.text.endswith("(3, 1, 1) bool")
