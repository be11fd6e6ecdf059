"""Diagnosis of networks of one's own: loops found, norms right, words that fit."""

import re

import numpy as np
import pytest
from test_ledger import B, D, H, T, network

import minigrad as mg
from minigrad.engine import errors
from minigrad.engine.scope import gate
from minigrad.flow import diagnosis
from minigrad.flow.clipping_watch import clipping
from minigrad.flow.findings import reach
from minigrad.flow.loop_findings import loop_findings
from minigrad.flow.observation import LoopReading, read_loops
from minigrad.flow.unit_findings import unit_findings
from minigrad.models import GRU, LSTM, RNN, LSTMCell, unroll
from minigrad.reading.loops import loops

STEPS = 12


@pytest.fixture
def undrawn(monkeypatch):
    """Pages whose figures are made, but not rendered: that takes most of the time."""
    monkeypatch.setattr("minigrad.flow.figure_page.svg", lambda figure: b"<svg/>")


def own_loop(rng, loss_inside=False, gated=False, steps=STEPS):
    """A plain for loop, without any of our models: the loss, and the states."""
    W = mg.tensor(rng.standard_normal((H, H)) * 0.5, requires_grad=True, name="W")
    x = rng.standard_normal((steps, B, H))
    h, loss, states = mg.zeros((B, H)), 0.0, []
    for t in range(steps):
        with mg.time_step(t):
            if gated:
                with gate("z"):
                    z = mg.sigmoid(h @ W)
                h = z * h + (1.0 - z) * mg.tanh(x[t] + h @ W)
            else:
                h = mg.tanh(x[t] + h @ W)
            states.append(h)
            if loss_inside:
                loss = loss + (h * h).sum()
    return (loss if loss_inside else (h * h).sum()), states, W


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("gated", [False, True])
def test_the_loop_of_a_plain_program_is_found(inside, gated, rng):
    loss, states, _ = own_loop(rng, inside, gated)
    (loop,) = loops([loss._edge])
    assert loop.steps == list(range(STEPS)) and len(loop.state_names) == 1
    found = [part.node for (part,) in loop.states]
    assert found == [h.node for h in states]
    assert list(loop.gates) == (["z"] if gated else [])


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_loops_of_models_are_found_with_their_names(kind, rng):
    model = network(kind, rng, num_layers=2, bidirectional=True)
    output, _ = model(rng.standard_normal((T, B, D)))
    found = loops([output._edge])
    cell = kind.__name__.lower()
    expected = ["layer 0", "layer 0 reverse", "layer 1", "layer 1 reverse"]
    assert [loop.name for loop in found] == [f"{name} / {cell}" for name in expected]
    for k, loop in enumerate(found):
        assert loop.steps == (list(range(T))[::-1] if k % 2 else list(range(T)))
        assert loop.state_names == (("h", "c") if kind is LSTM else ("h",))
        assert len(loop.states) == T


def test_norms_by_distance_are_the_gradient_along_the_loop(rng):
    loss, states, _ = own_loop(rng)
    (reading,) = read_loops(loss, loops([loss._edge]))
    expected = [np.linalg.norm(g.data) for g in mg.grad(loss, states)]
    np.testing.assert_allclose(reading.norms, expected[::-1], rtol=1e-12)
    assert reading.seeded and reading.units == H and reading.dead == []


def test_what_the_loss_gives_to_earlier_states_is_left_out(rng):
    """With a loss at every step only the last one's gradient is followed back."""
    loss, states, _ = own_loop(rng, loss_inside=True)
    (reading,) = read_loops(loss, loops([loss._edge]))
    last = (states[-1] * states[-1]).sum()
    expected = [np.linalg.norm(g.data) for g in mg.grad(last, states)]
    np.testing.assert_allclose(reading.norms, expected[::-1], rtol=1e-12)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_norms_agree_with_products_of_jacobians(kind, rng):
    model = network(kind, rng)
    trace = model.trace(rng.standard_normal((T, 1, D)))
    v = rng.standard_normal(H)
    loss = (trace.output[-1, 0] * v).sum() + (trace.output[1] * trace.output[1]).sum()
    (reading,) = read_loops(loss, loops([loss._edge]))
    jp = mg.jacobian_products(trace)
    seed = np.zeros(jp.size)
    seed[:H] = v
    expected = [np.linalg.norm(seed @ jp.product(T - d)) for d in range(T)]
    np.testing.assert_allclose(reading.norms, expected, rtol=1e-11)


def test_gates_and_dead_units_are_counted(rng):
    model = network(LSTM, rng)
    cell = model.cells[0]
    bias = np.array(cell.b.data)
    bias[cell.columns("f")] = [9.0, 9.0, 9.0, 0.0]
    bias[cell.columns("o")] = [-40.0, 0.0, 0.0, 0.0]
    cell.b.data = bias
    W = np.array(cell.W_h.data) * 0.1
    cell.W_h.data = W
    output, _ = model(np.clip(rng.standard_normal((T, B, D)), -1, 1))
    (reading,) = read_loops(output.sum(), loops([output.sum()._edge]))
    assert reading.gates["f"].stuck == 0.75 and reading.gates["f"].high >= 0.75
    assert reading.gates["g"].signed and not reading.gates["f"].signed
    assert reading.gates["o"].stuck == 0.25
    model = network(RNN, rng, activation="relu")
    b = np.array(model.cells[0].b.data)
    b[2] = -1e3
    model.cells[0].b.data = b
    output, _ = model(rng.standard_normal((T, B, D)))
    (reading,) = read_loops(output.sum(), loops([output.sum()._edge]))
    assert reading.dead == [2]
    assert any("1 of 4 units are dead" in str(w) for w in unit_findings([reading]))


# ------------------------------------------------------------- words


def reading(norms, seeded=True, dead=(), units=8, read=(0,), **others):
    norms = np.array(norms)
    steps = range(len(norms))
    read = [steps[-1]] if read == (0,) else read
    return LoopReading(
        "loop", norms, seeded, {}, list(dead), units, (), steps, read, **others
    )


@pytest.mark.parametrize(
    ("norms", "kinds", "words"),
    [
        ([1.0, 0.5, 0.2], [], ""),
        (
            10.0 ** -np.arange(0, 10, 0.5),
            ["vanishing"],
            "what lies 19 steps back is unlikely to be learned as the network stands: "
            "3.16e-10 of the gradient is left there",
        ),
        ([1.0, 1e-3, 0.0, 0.0], ["vanishing"], "from 2 steps back on the gradient is"),
        (
            [1.0, 50.0, 5e4],
            ["exploding"],
            "grows 5e4-fold over 2 steps, 224 times per step",
        ),
        ([1.0, np.nan], [], ""),
        ([np.inf, np.inf], [], ""),
        ([0.0, 0.0], [], ""),
    ],
)
def test_gradients_in_words(norms, kinds, words):
    found = loop_findings([reading(norms)])
    assert [w.code for w in found] == kinds
    assert words in " ".join(map(str, found))


def test_what_vanishes_is_a_note_where_the_loss_reads_every_state():
    norms = 10.0 ** -np.arange(0, 10, 0.5)
    (found,) = loop_findings([reading(norms, read=range(20))])
    assert found.severity == "note"
    (found,) = loop_findings([reading(norms, read=range(20))], lag=15)
    assert found.severity == "warning" and found.evidence["lag"] == 15
    assert loop_findings([reading(norms, read=range(20))], lag=2) == []


def test_units_in_words():
    one = reading([1.0], seeded=False, dead=range(9), units=30, copies=[[10, 12]])
    found = loop_findings([one]) + unit_findings([one])
    assert [w.code for w in found] == ["unused-state", "dead-units", "symmetric"]
    assert found[1].text.endswith("0, 1, 2, 3, 4, 5, 6, 7, ...")
    assert "10 = 12. 1 of 30 units add nothing" in found[2].text
    assert clipping(0.4, 100) == [] and clipping(0.9, 5) == []
    (found,) = clipping(0.9, 100, 4.0, "SGD")
    assert "90% of the last 100 batches, to 1/4 of its length" in str(found)
    assert "how long the steps of SGD are" in found.text
    (found,) = clipping(0.9, 100, 4.0, "Adam")
    assert found.severity == "note" and "hardly depend on the bound" in found.text


def test_reach():
    assert reach(np.array([1.0, 1e-7, 1e-5])) == 2
    assert reach(np.array([0.0, 1.0])) == reach(np.array([])) == 0


# ------------------------------------------------------------- three lines


def test_a_network_of_ones_own_in_three_lines(rng, tmp_path, undrawn):
    loss, _, W = own_loop(rng, loss_inside=True, gated=True)
    d = mg.diagnose(loss)
    path = d.save(tmp_path / "flow.html")
    assert "steps back" in str(d) and "update gate" in str(d)
    assert d.ledger.parameters == [W]
    text = path.read_text("utf-8")
    assert text.count("data:image/svg+xml") == 4 and "<script" not in text
    assert d.products[0].has_paths and "1 loops" in repr(d)


@pytest.mark.parametrize("kind", [RNN, LSTM, GRU])
def test_a_trace_is_diagnosed_with_its_first_state(kind, rng, tmp_path, undrawn):
    model = network(kind, rng, num_layers=2)
    trace = model.trace(rng.standard_normal((T, B, D)))
    words = ["<script>alert(1)</script>", "loved", "the", "movie", "&amp;"]
    d = mg.diagnose(trace, sample=2, words=words)
    assert [jp.steps for jp in d.products] == [T, T]
    assert d.ledger.losses == T and len(d.ledger.parameters) >= 6
    text = d.save(tmp_path / "x.html").read_text("utf-8")
    assert "<script" not in text


def test_an_unrolled_cell_of_ones_own(rng):
    V = mg.tensor(rng.standard_normal((H, H)), requires_grad=True, name="V")

    def cell(x, h):
        with mg.scope("update gate"):
            z = mg.sigmoid(x + h @ V)
        return z * h + (1.0 - z) * mg.tanh(x)

    loop = unroll(cell, rng.standard_normal((T, B, H)), np.zeros((B, H)))
    d = mg.diagnose(loop)
    assert d.products[0].steps == T and d.readings[0].gates["z"].mean > 0
    assert [p.name for p in d.ledger.parameters] == ["V"]
    masked = unroll(
        cell, rng.standard_normal((T, B, H)), np.zeros((B, H)), lengths=[5, 2, 3]
    )
    assert mg.diagnose(masked).products[0].steps == T


def test_states_that_are_not_connected_are_an_error_or_zeros(rng):
    V = mg.tensor(rng.standard_normal((H, H)), requires_grad=True)
    loop = unroll(lambda x, h: mg.tanh(x @ V), np.ones((T, B, H)), np.zeros((B, H)))
    with pytest.raises(errors.GraphError, match="no loop over time"):
        mg.diagnose(loop.output.sum())
    with pytest.raises(errors.GraphError, match="no loop over time"):
        mg.diagnose(loop)


def test_one_step_and_no_step_are_errors(rng):
    model = network(LSTM, rng)
    output, _ = model(rng.standard_normal((1, B, D)))
    w = mg.tensor(2.0, requires_grad=True)
    for loss in (output.sum(), w * w):
        with pytest.raises(errors.GraphError, match="no loop over time"):
            mg.diagnose(loss)


def test_a_loss_that_skips_the_last_state_is_told(rng):
    model = network(GRU, rng)
    output, _ = model(rng.standard_normal((T, B, D)))
    d = mg.diagnose((output[1] * output[1]).sum())
    assert d.readings[0].read == [1] and d.warnings[0].code == "unused-state"
    assert "the last one it reads is that of step 1" in d.warnings[0].text
    (expected,) = mg.grad((output[1] * output[1]).sum(), [output])
    assert d.readings[0].norms[0] == pytest.approx(np.linalg.norm(expected.data[1]))


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_zero_and_nan_gradients_make_a_page_that_says_so(bad, rng, tmp_path, undrawn):
    model = network(LSTM, rng)
    output, _ = model(rng.standard_normal((T, B, D)))
    d = mg.diagnose((output * bad).sum())
    d.save(tmp_path / "x.html")
    codes = [w.code for w in d.warnings]
    assert codes == (["unused-state"] if bad == 0 else ["not-finite"])


def test_states_too_large_for_singular_values_are_left_out(rng, monkeypatch):
    monkeypatch.setattr(diagnosis, "MOST_WORK", 10)
    loss, _, _ = own_loop(rng)
    d = mg.diagnose(loss)
    assert re.search(r"11 Jacobians of \(4, 4\) were left out", d.products[0])


def test_nothing_is_left_behind(rng):
    model = network(LSTM, rng)
    output, _ = model(rng.standard_normal((T, B, D)))
    loss = output.sum()
    mg.diagnose(loss)
    assert all(p.grad is None for p in model.parameters())


def test_errors(rng, tmp_path, undrawn):
    loss, _, _ = own_loop(rng)
    with pytest.raises(errors.ArgumentError, match="one word per time step"):
        mg.diagnose(loss, words=["a"])
    with pytest.raises(errors.CheckpointError, match="cannot be written"):
        mg.diagnose(loss).save(tmp_path / "none" / "x.html")


def test_the_page_opens(page, rng, tmp_path):
    trace = network(LSTM, rng).trace(rng.standard_normal((T, B, D)))
    path = mg.diagnose(trace).save(tmp_path / "flow.html")
    for width in (1000, 390):
        page.set_viewport_size({"width": width, "height": 800})
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.evaluate(
        "[...document.images].map(i => [i.complete, i.naturalWidth, i.alt.length])"
    )
    assert len(sizes) >= 5 and all(done and w and alt for done, w, alt in sizes)


@pytest.mark.parametrize("first", [False, True])
def test_time_and_batch_exchanged_are_told(first, rng):
    model = RNN(2, 3, batch_first=first, rng=0)
    output, _ = model(rng.normal(size=(5, 4, 2)))
    wrong, right = (output[-1], output[:, -1]) if first else (output[:, -1], output[-1])
    (found,) = [f for f in mg.diagnose((wrong**2).sum()).findings if "sample" in f.text]
    assert found.code == "unused-state" and "batch_first" in found.remedy
    assert found.evidence == {"samples": [4 if first else 3], "of": 5 if first else 4}
    for fine in (right, output, output[-1, -1], output[:, :2]):
        d = mg.diagnose((fine**2).sum())
        assert not [f for f in d.findings if "sample" in f.text]


def test_a_hidden_state_detached_where_the_loss_reads_the_last_alone(rng):
    cell, x = LSTMCell(2, 3, rng=0), mg.tensor(rng.normal(size=(5, 1, 2)))
    for detached in (True, False):
        h, c = mg.zeros((1, 3)), mg.zeros((1, 3))
        for t in range(5):
            h, c = cell(x[t], (h.detach() if detached else h, c))
        cut = [f for f in mg.diagnose((h**2).sum()).findings if f.code == "cut"]
        assert [f.evidence["steps"] for f in cut] == [[0, 1, 2, 3]] * detached


def test_a_network_cut_from_the_loss_is_named(rng):
    class Tagger(mg.nn.Module):
        def __init__(self):
            self.rnn, self.out = RNN(2, 3, rng=0), mg.nn.Linear(3, 1, rng=0)

    model = Tagger()
    output, _ = model.rnn(rng.normal(size=(4, 1, 2)))
    loss = (model.out(output[-1].detach()) ** 2).sum()
    with pytest.raises(errors.GraphError, match=r"not with 3 of 5: rnn\.cells\.0\.W_x"):
        mg.diagnose(loss, model=model)
