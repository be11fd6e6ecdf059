"""The monitor: what it records, what it says, what it writes; and the command."""

import csv
import io
import os
import subprocess
import sys
import types
from pathlib import Path

import numpy as np
import pytest
from test_ledger import B, D, T, network

import minigrad as mg
from minigrad.commands import main
from minigrad.engine import errors
from minigrad.engine.graph import records
from minigrad.engine.repeating.repeated_step import Step
from minigrad.flow import FlowWarning, training_findings
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


def rows_of(path):
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


def test_its_files_are_there_from_the_first_look_on(rng, tmp_path, undrawn):
    monitor = mg.Monitor(tmp_path / "run", every=2, tell=len)
    model = network(LSTM, rng)
    for batch in range(9):
        monitor.watch(make_loss(model, rng))
        table = rows_of(tmp_path / "run/monitor.csv")
        assert [int(row["step"]) for row in table] == list(range(1, batch + 2, 2))
        assert "Gradients in training" in (tmp_path / "run/monitor.html").read_text()
    assert "figures follow" in (tmp_path / "run/monitor.html").read_text("utf-8")
    monitor.close()
    text = (tmp_path / "run/monitor.html").read_text("utf-8")
    assert "figures follow" not in text and "9 batches" in text
    whole = list(csv.DictReader(io.StringIO(as_csv(monitor))))
    assert whole == rows_of(tmp_path / "run/monitor.csv")


def test_its_page_is_written_anew_when_that_costs_little(rng, tmp_path, undrawn):
    monitor = mg.Monitor(tmp_path, every=1, tell=len)
    model = network(RNN, rng)
    monitor.watch(make_loss(model, rng))
    first = (tmp_path / "monitor.html").read_bytes()
    monitor.watch(make_loss(model, rng))
    assert (tmp_path / "monitor.html").read_bytes() == first
    monitor._files._took = 0.0
    monitor.watch(make_loss(model, rng))
    assert "3 batches" in (tmp_path / "monitor.html").read_text("utf-8")
    monitor.close()


DYING = """
import os, signal, sys
import numpy as np
import minigrad as mg
from minigrad.models import RNN

model = RNN(2, 3, rng=0)
monitor = mg.Monitor(sys.argv[1], model=model, every=1, tell=len)
for batch in range(6):
    output, _ = model(np.ones((4, 2, 2)))
    monitor.watch((output[-1] ** 2).sum())
    if batch == 4:
        {end}
"""


@pytest.mark.parametrize(
    ("end", "page"),
    [("raise KeyboardInterrupt", True), ("1 / 0", True), ("os._exit(3)", False)],
)
def test_a_program_that_ends_early_loses_no_look(end, page, tmp_path):
    program = tmp_path / "train.py"
    program.write_text(DYING.format(end=end))
    ran = subprocess.run(
        [sys.executable, str(program), str(tmp_path / "run")],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False,
    )
    assert ran.returncode != 0
    rows = rows_of(tmp_path / "run" / "monitor.csv")
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5]
    text = (tmp_path / "run" / "monitor.html").read_text("utf-8")
    assert ("5 batches" in text) == page and "</html>" in text


def test_what_many_batches_say_is_judged_by_the_optimiser(rng):
    """Under Adam the steps do not have the length of the bound."""
    for kind, severity in ((mg.optim.SGD, "warning"), (mg.optim.Adam, "note")):
        model = network(RNN, rng)
        optimizer = kind(model.parameters(), lr=0.01)
        monitor = mg.Monitor(optimizer=optimizer, tell=len)
        for _ in range(12):
            optimizer.zero_grad()
            loss = make_loss(model, rng)
            loss.backward()
            norm = mg.clip_grad_norm_(model.parameters(), 1e-4)
            optimizer.step()
            monitor.watch(loss, norm=norm, max_norm=1e-4)
        (found,) = [f for f in monitor.findings if f.code == "clipping"]
        assert found.severity == severity and found.evidence["factor"] > 1
        assert ("how long the steps" in found.text) == (kind is mg.optim.SGD)


def test_without_a_bound_no_batch_counts_as_clipped(rng):
    monitor = mg.Monitor(tell=len)
    monitor.watch(make_loss(network(RNN, rng), rng), norm=5.0)
    monitor.watch(make_loss(network(RNN, rng), rng), norm=5.0, max_norm=1.0)
    assert (monitor.steps, monitor.clipped) == (2, 1)


def test_it_seldom_computes_gradients_of_its_own(rng, monkeypatch):
    """That costs a backward pass: at the third batch, and at looks near the start."""
    monitor, at = mg.Monitor(every=5, tell=len), []
    place = "minigrad.flow.training_findings.fresh_gradients"

    def counted(loss):
        at.append(monitor.steps)
        return gradients(loss)

    gradients = training_findings.fresh_gradients
    monkeypatch.setattr(place, counted)
    trained(monitor, rng, batches=30, kind=RNN)
    assert at == [3, 6, 11, 16]


def test_a_finding_says_since_when(rng, tmp_path, undrawn):
    monitor = mg.Monitor(every=1, tell=len)
    model = RNN(D, 5, activation="relu", rng=rng)
    for batch in range(4):
        if batch == 2:
            model.cells[0].b.data = np.full(5, -1e3)
        output, _ = model(rng.standard_normal((T, B, D)))
        monitor.watch((output * output).mean() + output.sum())
    (found,) = [f for f in monitor.findings if f.code == "dead-units"]
    assert found.evidence["units"] == [0, 1, 2, 3, 4] and found.severity == "warning"
    assert set(found.evidence["since"].values()) <= {1, 3} and "3" in found.text
    text = monitor.save(tmp_path).read_text("utf-8")
    assert "since step" in text and 'href="#lesson-4"' in text


def test_a_loss_that_becomes_nan_is_told_at_once(rng):
    said = []
    monitor = mg.Monitor(every=10, tell=said.append)
    model = network(RNN, rng)
    for batch in range(4):
        x = rng.standard_normal((T, B, D))
        x[1, 1, 1] = np.nan if batch == 2 else 0.0
        monitor.watch(model(x)[0].sum())
    assert len(said) == 1 and "holds nan at (1, 1, 1)" in said[0]
    assert monitor.findings[0].code == "not-finite"


def test_errors(tmp_path, rng):
    with pytest.raises(errors.ArgumentError, match="every=0"):
        mg.Monitor(every=0)
    with pytest.raises(errors.DTypeError, match=r"not loss\.item"):
        mg.Monitor().watch(0.5)
    (tmp_path / "file").write_text("x")
    with pytest.raises(errors.CheckpointError, match="cannot be made"):
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


def test_a_look_writes_no_repeated_step_down(rng):
    model = LSTM(3, 4, num_layers=2, rng=0)
    optimizer = mg.optim.Adam(model.parameters())
    monitor = mg.Monitor(model=model, optimizer=optimizer, every=1, tell=len)
    for turn in range(12):  # the 11th looks at the inputs, too
        output, _ = model(rng.standard_normal((9, 2, 3)))
        loss = mg.losses.mse(output[-1], rng.standard_normal((2, 4)))
        optimizer.zero_grad()
        loss.backward()
        monitor.watch(loss)
        optimizer.step()
        steps = [made for made in records([loss._edge]) if type(made) is Step]
        assert len(steps) == 14
        written = [step for step in steps if step.written is not None]
        # Python may give a call another place once it has run a few times.
        assert not written or turn < 9
    assert len(monitor.seen) == 12
