"""The monitor: what it records, what it says, what it writes; and the command."""

import csv
import io
import types

import numpy as np
import pytest
from test_ledger import B, D, T, network

import minigrad as mg
from minigrad.commands import main
from minigrad.engine import errors
from minigrad.flow import FlowWarning
from minigrad.flow.findings import reach
from minigrad.flow.monitor_page import as_csv
from minigrad.flow.observation import read_loops
from minigrad.models import LSTM, RNN
from minigrad.reading.loops import loops
from minigrad.training import Trainer


@pytest.fixture
def undrawn(monkeypatch):
    """Pages whose figures are made, but not rendered: that takes most of the time."""
    monkeypatch.setattr("minigrad.flow.figure_page.svg", lambda figure: b"<svg/>")


def make_loss(model, rng, scale=1.0):
    output, _ = model(rng.standard_normal((T, B, D)))
    return (output[-1] * output[-1]).mean() * scale


def trained(monitor, rng, batches=25, max_norm=1e-3, kind=LSTM):
    """A loop of one's own, with clipping; returns the losses that were seen."""
    model = network(kind, rng)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.01)
    losses = []
    for _ in range(batches):
        loss = make_loss(model, rng)
        optimizer.zero_grad()
        loss.backward()
        norm = mg.clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
        monitor.watch(loss, norm=norm, max_norm=max_norm)
        losses.append(loss)
    return losses


def test_it_looks_at_every_nth_batch_as_it_was(rng):
    monitor = mg.Monitor(every=10, tell=len)
    losses = trained(monitor, rng)
    assert [look.step for look in monitor.seen] == [1, 11, 21]
    for look in monitor.seen:
        loss = losses[look.step - 1]
        (expected,) = read_loops(loss, loops([loss._edge]))
        assert (look.readings[0].norms == expected.norms).all()
        assert look.loss == loss.item() and look.norm > 1e-3 and look.clipped == 1
    assert monitor.clipped == monitor.steps == 25


def test_it_leaves_gradients_alone_and_holds_no_graph(rng):
    import weakref

    monitor, model = mg.Monitor(every=1, tell=len), network(RNN, rng)
    loss = make_loss(model, rng)
    loss.backward()
    before = {p.name: p.grad.data.copy() for p in model.parameters()}
    alive = weakref.ref(loss)
    monitor.watch(loss)
    for p in model.parameters():
        assert (p.grad.data == before[p.name]).all()
    del loss
    assert alive() is None


def test_warnings_are_said_once_per_code_in_words(rng):
    said = []
    monitor = mg.Monitor(every=1, lag=19, tell=said.append)
    model = RNN(D, 4, rng=rng)
    model.cells[0].W_h.data = np.eye(4) * 1e-2
    for _ in range(12):
        output, _ = model(rng.standard_normal((20, B, D)))
        loss = output[-1].sum()
        loss.backward()
        for p in model.parameters():
            p.data = p.data * 0.999
            p.grad = None
        monitor.watch(loss, norm=2.0, max_norm=1.0)
    assert len(said) == len(monitor.warnings) == 2
    assert "layer 0 / rnn: what lies 19 steps back is unlikely" in said[0]
    assert "clipped in 100% of the last 10 batches, to 1/2 of its length" in said[1]
    assert monitor.first_seen["vanishing", "layer 0 / rnn"] == 1
    assert monitor.first_seen["clipping", ""] == 10
    assert "2 warnings" in repr(monitor)


def test_by_default_it_warns_as_python_does():
    monitor = mg.Monitor()
    w = mg.tensor(2.0, requires_grad=True)
    with pytest.warns(FlowWarning, match="no loop over time"):
        monitor.watch(w * w)
    monitor.watch(w * w)


def test_a_trainer_calls_it(rng, tmp_path, undrawn):
    model = network(LSTM, rng)
    x = rng.standard_normal((T, B, D))

    def loss(model, batch):
        output, _ = model(batch)
        return (output * output).mean()

    said = []
    monitor = mg.Monitor(tmp_path / "run", every=2, tell=said.append)
    optimizer = mg.optim.SGD(model.parameters(), lr=0.1)
    Trainer(
        model, optimizer, loss, [x, x, x], epochs=2, clip_norm=1e-4, callbacks=[monitor]
    ).fit()
    assert [(look.step, look.epoch) for look in monitor.seen] == [
        (1, 0),
        (3, 0),
        (5, 1),
    ]
    assert monitor.clipped == 6 and all(look.norm > 1e-4 for look in monitor.seen)
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "monitor.csv",
        "monitor.html",
    ]


def test_any_report_will_do(rng):
    monitor = mg.Monitor(every=1, tell=len)
    loss = make_loss(network(RNN, rng), rng)
    monitor.on_batch(types.SimpleNamespace(loss=loss))
    monitor.on_batch(types.SimpleNamespace(loss=0.3, norm=1.0, clipped=True, step=7))
    assert len(monitor.seen) == 1 and monitor.steps == 2 and monitor.clipped == 1
    assert np.isnan(monitor.seen[0].norm)


def test_the_table_has_every_look(rng):
    monitor = mg.Monitor(every=5, tell=len)
    trained(monitor, rng)
    rows = list(csv.DictReader(io.StringIO(as_csv(monitor))))
    assert [row["step"] for row in rows] == ["1", "6", "11", "16", "21"]
    for row, look in zip(rows, monitor.seen, strict=True):
        (reading,) = look.readings
        assert row["loop"] == "layer 0 / lstm"
        assert float(row["norm_2_back"]) == reading.norms[2]
        assert float(row["norm_farthest"]) == reading.norms[-1]
        assert int(row["reach"]) == reach(reading.norms)
        assert float(row["f_mean"]) == reading.gates["f"].mean
        assert float(row["clipped"]) == 1.0 and float(row["norm"]) == look.norm


def test_a_long_run_needs_no_more_memory(rng):
    monitor = mg.Monitor(every=1, most=4, tell=len)
    loss = make_loss(network(RNN, rng), rng)
    for _ in range(50):
        monitor.watch(loss)
    assert 4 <= len(monitor.seen) < 8 and monitor.seen[0].step == 1
    assert monitor.seen[-1].step > 45


def test_sequences_of_several_lengths_share_a_page(rng, tmp_path, undrawn):
    monitor = mg.Monitor(every=1, tell=len)
    model = network(LSTM, rng)
    for steps in (3, 9, 5):
        output, _ = model(rng.standard_normal((steps, B, D)))
        monitor.watch(output[-1].sum())
    text = monitor.save(tmp_path).read_text("utf-8")
    assert (
        "3 were measured" in text.replace("\n", " ")
        and (tmp_path / "monitor.csv").exists()
    )


@pytest.mark.parametrize("bad", [0.0, np.nan, np.inf])
def test_zero_and_nan_gradients_are_recorded(bad, rng, tmp_path, undrawn):
    monitor = mg.Monitor(every=1, tell=len)
    for _ in range(2):
        loss = make_loss(network(RNN, rng), rng, scale=bad)
        monitor.watch(loss, norm=bad, max_norm=1.0)
    assert [w.code for w in monitor.warnings] == (
        ["unused-state"] if bad == 0 else ["not-finite"]
    )
    monitor.save(tmp_path)


def test_a_monitor_that_saw_nothing_says_so(tmp_path):
    text = mg.Monitor().save(tmp_path).read_text("utf-8")
    assert "No batch was measured" in text and "No loop over time was seen" in text


def test_errors(tmp_path, rng):
    with pytest.raises(errors.ArgumentError, match="every=0"):
        mg.Monitor(every=0)
    with pytest.raises(errors.DTypeError, match=r"not loss\.item"):
        mg.Monitor().watch(0.5)
    (tmp_path / "file").write_text("x")
    with pytest.raises(errors.ArgumentError, match="cannot be made"):
        mg.Monitor().save(tmp_path / "file")


def test_its_page_opens(page, rng, tmp_path):
    monitor = mg.Monitor(every=5, tell=len)
    trained(monitor, rng)
    path = monitor.save(tmp_path)
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    widths = page.evaluate("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) == 3 and all(widths)
    assert "clipped in 100%" in page.inner_text("ul.warnings")


# ------------------------------------------------------------- minigrad flow


def test_the_command_shows_and_writes(tmp_path, capsys, undrawn):
    path = tmp_path / "flow.html"
    words = ["flow", "--steps", "12", "--hidden", "5", "-o", str(path)]
    assert main.main(words) == 0
    shown = capsys.readouterr().out
    assert all(name in shown for name in ("RNN", "LSTM", "GRU", "steps back"))
    text = path.read_text("utf-8")
    assert text.count("data:image/svg+xml") == 1 + 3 + 2 + 3 + 2 + 1
    assert "<script" not in text


def test_the_command_reads_a_sentence_and_explodes(tmp_path, capsys, undrawn):
    sentence = "I loved <b>the</b> movie but the ending was disappointing"
    path = tmp_path / "flow.html"
    words = ["flow", "--cells", "rnn,lstm", "--sentence", sentence, "--gain", "40"]
    assert main.main([*words, "--hidden", "6", "-o", str(path)]) == 0
    assert "a gradient can grow to 10^" in capsys.readouterr().out
    assert "<b>" not in path.read_text("utf-8")


@pytest.mark.parametrize(
    "words",
    [
        ["--cells", "rnn,transformer"],
        ["--cells", ""],
        ["--cells", "rnn,rnn"],
        ["--steps", "1"],
        ["--steps", "5", "--sentence", "two words"],
        ["--hidden", "0"],
        ["--gain", "nan"],
    ],
)
def test_the_command_refuses(words, capsys):
    assert main.main(["flow", *words]) == 2
    assert "these networks cannot be run" in capsys.readouterr().err
