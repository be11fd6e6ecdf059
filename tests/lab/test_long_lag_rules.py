"""The sequences of the lab follow the papers' rules; the nets have their weights."""

import itertools

import numpy as np
import pytest

from minigrad import lab
from minigrad.engine.errors import ArgumentError, ShapeError
from minigrad.lab import CELLS, TASKS, lab_task
from minigrad.lab.lab_nets import LabNet
from minigrad.lab.long_lag_task import Recent
from minigrad.lab.reber_grammar import GRAMMAR, SYMBOLS, embedded_string, most_active
from minigrad.models import LSTM1997, LSTM1997Cell, chrono_biases, weight_count


def many(name, rng, lag=100, batches=40, count=50):
    task = lab_task(name)
    return task, [task.sequences(rng, lag, count) for _ in range(batches)]


@pytest.mark.parametrize("name", ["adding", "multiplication"])
def test_two_of_the_pairs_are_marked_where_the_paper_says(name, rng):
    _, batches = many(name, rng)
    lengths, early, late = set(), set(), set()
    for made in batches:
        values, marks = made.x[..., 0], made.x[..., 1]
        lengths.update(made.lengths)
        for k, length in enumerate(made.lengths):
            assert marks[length - 1, k] == -1 and (marks[length:, k] == 0).all()
            at = np.flatnonzero(marks[:, k] == 1)
            first_marked = marks[0, k] == 1
            assert first_marked or marks[0, k] == -1
            assert len(at) == 2
            assert at[0] < 10 and at[1] < 49  # of the first T/2 - 1 = 49
            between = marks[1 : length - 1, k]
            assert (between[between != 1] == 0).all()
            x1, x2 = values[at, k].astype(float)
            if first_marked:
                assert values[0, k] == (0 if name == "adding" else 1)
            want = 0.5 + (x1 + x2) / 4 if name == "adding" else x1 * x2
            assert made.target[k, 0] == pytest.approx(want, abs=1e-6)
            early.add(at[0])
            late.add(at[1])
    assert lengths == set(range(100, 111))
    assert early == set(range(10)) and max(late) == 48
    low = min(made.x[..., 0].min() for made in batches)
    assert -1 <= low < -0.99 if name == "adding" else 0 <= low < 0.01


def test_the_constant_answers_have_the_errors_of_the_papers(rng):
    for name, value in (
        ("adding", 1 / 24), ("multiplication", 7 / 144), ("temporal-order-6a", 3 / 16),
        ("temporal-order-6b", 7 / 64), ("two-sequence", 0.25), ("parity", 0.25),
    ):  # fmt: skip
        task, batches = many(name, rng)
        if task.inputs == 2:  # where the first step is marked, the rule is another
            kept = [made.target[made.x[0, :, 1] == -1] for made in batches]
            target = np.concatenate(kept)
        else:
            target = np.concatenate([made.target for made in batches])
        assert task.baseline(100) == pytest.approx(value)
        found = ((target - target.mean(axis=0)) ** 2).mean()
        assert found == pytest.approx(value, rel=0.12), name
    copy = lab_task("copy-memory")
    for lag, value in ((10, 0.6931), (100, 0.1733), (1000, 0.0204)):
        assert copy.baseline(lag) == pytest.approx(value, abs=5e-5)
    task, batches = many("copy-memory", rng, lag=50, batches=1)
    (made,) = batches
    blind = np.zeros((70, 50, 9), np.float32)  # blanks for sure, then any symbol
    blind[:60, :, 8], blind[60:, :, 8] = 50, -50
    assert task.errors(blind, made).mean() == pytest.approx(task.baseline(50), abs=1e-6)


@pytest.mark.parametrize(
    "name, places", [("temporal-order-6a", 2), ("temporal-order-6b", 3)]
)
def test_the_order_of_the_symbols_is_the_class(name, places, rng):
    where = [(10, 20), (50, 60)] if places == 2 else [(10, 20), (33, 43), (66, 76)]
    _, batches = many(name, rng, batches=20)
    found = [set() for _ in where]
    for made in batches:
        symbols = made.x.argmax(axis=-1)
        ends = made.lengths - 1, np.arange(symbols.shape[1])
        assert (symbols[0] == 0).all() and (symbols[ends] == 1).all()
        assert (made.lengths >= 100).all() and (made.lengths <= 110).all()
        assert (made.x.sum(axis=-1) == 1).all() and (
            made.target.sum(axis=-1) == 1
        ).all()
        for k in range(symbols.shape[1]):
            at = np.flatnonzero(symbols[:, k] >= 6)
            assert len(at) == places
            bits = "".join(str(s - 6) for s in symbols[at, k])
            assert made.target[k].argmax() == int(bits, 2)
            for t, (low, high), seen in zip(at, where, found, strict=True):
                assert low <= t <= high
                seen.add(t)
    assert all(len(seen) == high - low + 1
               for seen, (low, high) in zip(found, where, strict=True))  # fmt: skip


def test_copy_memory_is_ten_symbols_a_wait_and_the_symbols_again(rng):
    _, (made,) = many("copy-memory", rng, lag=7, batches=1)
    read = made.x.argmax(axis=-1)
    assert made.x.shape == (27, 50, 10) and made.target.shape == (27, 50)
    assert (read[:10] < 8).all() and (read[16] == 9).all()
    rest = np.delete(read, [*range(10), 16], axis=0)
    assert (rest == 8).all()
    assert (made.target[:17] == 8).all() and (made.target[17:] == read[:10]).all()


def test_the_beginning_of_the_two_sequences_says_the_class(rng):
    _, batches = many("two-sequence", rng)
    noise = np.concatenate([made.x[3:].ravel() for made in batches])
    assert abs(noise.mean()) < 0.01 and noise.var() == pytest.approx(0.2, rel=0.02)
    for made in batches:
        assert (made.x[:3, :, 0] == 2 * made.target[:, 0] - 1).all()


def test_parity_counts_the_ones(rng):
    _, batches = many("parity", rng, lag=20, batches=5)
    for made in batches:
        assert set(np.unique(made.x)) == {-1, 1} and len(made.x) == 22
        for k, length in enumerate(made.lengths):
            assert 20 <= length <= 22
            assert (made.x[:length, k] > 0).sum() % 2 == made.target[k, 0]


def follows(symbols):
    """Whether the symbols are a string of the grammar, walked by its table."""
    state = 0
    for symbol in symbols:
        exits = dict(GRAMMAR.get(state, ()))
        if symbol not in exits:
            return False
        state = exits[symbol]
    return state == 7


def test_embedded_strings_are_of_the_grammar(rng):
    for _ in range(200):
        symbols, may = embedded_string(rng)
        assert symbols[0] == "B" and symbols[-1] == "E"
        assert symbols[1] == symbols[-2] and symbols[1] in "TP"
        assert follows(symbols[2:-2])
        for symbol, allowed in zip(symbols[1:], may[:-1], strict=True):
            assert symbol in allowed and 1 <= len(allowed) <= 2
    assert not follows("BTXSEE") and follows("BTXSE") and follows("BPVVE")


def test_a_prediction_is_right_if_what_may_follow_is_most_active():
    may = np.array([[True, True, False]])
    assert most_active(np.array([[0.5, 0.4, 0.3]]), may).all()
    assert not most_active(np.array([[0.5, 0.3, 0.3]]), may).any()


def test_a_perfect_prediction_of_both_sets_is_right(rng):
    task = lab_task("embedded-reber")
    task.begin(rng)
    train, test = task.sets
    assert train.x.shape[1] == test.x.shape[1] == 256
    for part in (train, test):
        told = part.target[..., len(SYMBOLS) :]  # one who knows the grammar
        assert task.right(told, part).all()
        assert not task.right(1 - told, part).any()


def test_a_stream_goes_on_where_it_stopped(rng):
    task = lab_task("continual-reber")
    parts = [task.sequences(rng, 0, 8) for _ in range(3)]
    for before, after in itertools.pairwise(parts):
        said = before.target[-1, :, : len(SYMBOLS)].argmax(-1)
        read = after.x[0].argmax(-1)
        assert (said == read)[~after.fresh].all()
        assert (read == SYMBOLS.index("B"))[after.fresh].all()
    made = parts[0]
    said = made.target[..., : len(SYMBOLS)].argmax(-1)
    assert (said[:-1] == made.x.argmax(-1)[1:]).all()
    may = made.target[..., len(SYMBOLS) :]
    assert np.take_along_axis(may, said[..., None], axis=-1).all()
    ends = made.x[:-1, :, SYMBOLS.index("E")].sum()
    assert ends > 16


# ------------------------------------------------------------- criteria


def test_criteria_are_the_papers(rng):
    right, low, high = np.ones(2000, bool), np.full(2000, 0.009), np.full(2000, 0.02)
    adding = lab_task("adding")
    assert adding.solved(Recent(right, low), 100)
    assert not adding.solved(Recent(right, high), 100)
    assert not adding.solved(Recent(right[:1999], low[:1999]), 100)
    once = right.copy()
    once[7] = False
    assert not adding.solved(Recent(once, low), 100)
    product = lab_task("multiplication")
    for wrong, solved in ((140, True), (141, False)):
        some = np.arange(2000) >= wrong
        assert product.solved(Recent(some, high), 100) is solved
    made = adding.sequences(rng, 100, 3)
    away = made.target + np.array([[0.039], [0.041], [-0.041]])
    assert adding.right(away, made).tolist() == [True, False, False]
    order = lab_task("temporal-order-6a")
    made = order.sequences(rng, 100, 2)
    answer = made.target.copy()
    answer[1, 0] += 0.31
    assert order.right(answer, made).tolist() == [True, False]


# ------------------------------------------------------------- the nets of the papers


@pytest.mark.parametrize(
    "inputs, outputs, blocks, cells, biases, count",
    [
        (7, 7, 4, 1, 8, 264), (7, 7, 3, 2, 6, 276), (2, 1, 2, 2, 9, 93),
        (8, 4, 2, 2, 12, 156), (8, 8, 3, 2, 20, 308), (1, 1, 3, 1, 9, 102),
    ],
)  # fmt: skip
def test_weight_counts_of_1997(inputs, outputs, blocks, cells, biases, count):
    assert weight_count(inputs, outputs, blocks, cells, biases) == count


@pytest.mark.parametrize(
    "task, cell, count",
    [
        ("embedded-reber", "lstm1997", 264), ("adding", "lstm1997", 93),
        ("multiplication", "lstm1997", 93), ("temporal-order-6a", "lstm1997", 156),
        ("temporal-order-6b", "lstm1997", 308), ("two-sequence", "lstm1997", 102),
        ("continual-reber", "lstm2000", 424),
    ],
)  # fmt: skip
def test_the_nets_of_the_lab_have_the_papers_weights(task, cell, count):
    net = LabNet(lab_task(task), cell, 16, 100, rng=0)
    assert sum(p.size for p in net.parameters()) == count


def reference(cell, x):
    """The equations of 1997 in plain NumPy, one sequence."""
    W_x, W_h, b = cell.W_x.data, cell.W_h.data, cell.b.data
    n, size = cell.blocks, cell.cells_per_block
    sigmoid = lambda z: 1 / (1 + np.exp(-z))  # noqa: E731
    h, c, a = np.zeros(n * size), np.zeros(n * size), np.zeros(2 * n)
    for row in x:
        z = row @ W_x + np.concatenate([h, a]) @ W_h + b
        i, g, o = np.split(z, np.cumsum([n, n * size]))
        i, g, o = sigmoid(i), 4 * sigmoid(g) - 2, sigmoid(o)
        c = c + np.repeat(i, size) * g
        h, a = np.repeat(o, size) * (2 * sigmoid(c) - 1), np.concatenate([i, o])
    return h


def test_the_cell_of_1997_is_its_equations(rng):
    lstm = LSTM1997(3, 2, 2, input_bias=(-3, -6), rng=1, scale=0.7)
    x = rng.normal(size=(9, 1, 3))
    output, (h, _, _) = lstm(x)
    assert np.allclose(output.data[-1, 0], reference(lstm.cell, x[:, 0]), atol=1e-12)
    assert np.array_equal(output.data[-1], h.data)
    trace = lstm.trace(x)
    assert set("igo") <= set(trace.names) and trace["i"].shape == (9, 1, 2)
    assert np.abs(trace["g"]).max() < 2 and np.abs(trace["h"]).max() < 1


def test_the_cell_of_1997_says_what_does_not_fit():
    with pytest.raises(ShapeError, match="not one per block"):
        LSTM1997Cell(2, 2, 2, input_bias=(-1, -2, -3))
    with pytest.raises(ShapeError, match="x does not fit"):
        LSTM1997(2, 2)(np.zeros((4, 1, 3)))
    with pytest.raises(ArgumentError):
        LSTM1997Cell(2, 0)


def test_chrono_biases_keep_for_up_to_the_lag():
    kept = 1 / (1 - 1 / (1 + np.exp(-chrono_biases(4000, 100, 0))))
    assert 2 <= kept.min() and kept.max() <= 101 and np.median(kept) > 30


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("name", list(TASKS))
def test_every_cell_takes_every_task(cell, name, rng):
    task = lab_task(name)
    made = task.sequences(rng, 0 if task.lag is None else 20, 2)
    net = LabNet(task, cell, 3, 20, rng=0)
    said, _ = net(made)
    assert task.loss(said, made).item() > 0
    assert task.right(said.data, made).shape == task.errors(said.data, made).shape


def test_bad_settings_are_refused_clearly():
    adding = lab_task("adding")
    for given, words in (
        ({"lags": [5]}, "the lag 5 is too short"),
        ({"seeds": [1, 2, 1]}, "1 is there twice among the seeds"),
        ({"cells": ["lstm", "lstm"]}, "lstm is there twice among the cells"),
        ({"cells": ["transformer"]}, "cell"),
        ({"seeds": [-1]}, "-1 among the seeds"),
        ({"seeds": 0}, "no seeds"),
        ({"hidden": 0}, "hidden has to be positive"),
        ({"budget": 0}, "a budget of 0"),
        ({"start": "warm"}, "start"),
    ):
        with pytest.raises(ArgumentError, match=words):
            lab.repeat("adding", **given)
    with pytest.raises(ArgumentError, match="its lag is the grammar's own"):
        lab.repeat("embedded-reber", lags=[50])
    with pytest.raises(ArgumentError, match="task"):
        lab.repeat("addition")
    assert adding.check_lag(None) == 100
