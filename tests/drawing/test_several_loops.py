"""Pictures of several loops, side by side and named; a loop folded; what is refused."""

import re

import numpy as np
import pytest
from drawn import inputs, needs_an_engine

import minigrad as mg
from minigrad.drawing.read.folding import read_folded
from minigrad.engine.errors import ArgumentError, DrawingError, GraphError
from minigrad.models import GRU, LSTM, RNN, GRUCell, LSTMCell, RNNCell
from minigrad.stepping.record.rebuild import loss_of as rebuilt

KINDS = [RNN, GRU, LSTM]
CELLS = [RNNCell, GRUCell, LSTMCell]


def encoder_decoder(kind, steps):
    encoder, decoder = kind(3, 2, rng=0), kind(3, 2, rng=1)
    _, state = encoder(inputs(steps[0]))
    return (decoder(inputs(steps[1]), state)[0] ** 2).sum()


def plain(kind, steps):
    cell, x = kind(3, 2, rng=0), inputs(steps)
    state = cell.zero_state(1)
    for t in range(steps):
        state = cell(x[t], state)
    return ((state[0] if isinstance(state, tuple) else state) ** 2).sum()


def boxes(drawing):
    """The columns of the cells, in order."""
    picture = drawing.picture
    found = [picture.tiles[b.tile] for b in picture.boxes.values() if b.kind == "cell"]
    return [tile.column for tile in found]


def titles(drawing):
    return [row.title for row in drawing.picture.rows if row.title]


def forwards(drawing):
    """No line between two steps leads back, but in a row that runs backwards."""
    picture = drawing.picture
    rows = {row.id: row for row in picture.rows}
    for line in picture.lines:
        a, b = (picture.tiles[picture.boxes[k].tile] for k in (line.tail, line.head))
        if a.column and b.column and a.column != b.column:
            ahead = picture.columns.index(a.column) < picture.columns.index(b.column)
            back = rows[a.row].reverse and a.row == b.row
            if ahead == back:
                return False
    return True


# ------------------------------------------------------------- several loops


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [(6, 2), (2, 6), (6, 6), (1, 4)])
def test_every_step_of_an_encoder_and_a_decoder_has_a_column(kind, steps):
    drawing = mg.draw(encoder_decoder(kind, steps), "cell")
    assert boxes(drawing) == [(run, t) for run in (0, 1) for t in range(steps[run])]
    assert titles(drawing) == [f"{kind.__name__} 1", f"{kind.__name__} 2"]
    assert forwards(drawing)


@pytest.mark.parametrize("level", ["cell", "gate", "op"])
def test_rows_are_named_by_attributes_and_by_scopes(level):
    class Translator(mg.nn.Module):
        def __init__(self):
            self.encoder, self.decoder = GRU(3, 2, rng=0), GRU(3, 2, rng=1)

    model = Translator()
    _, h = model.encoder(inputs(3))
    by_attribute = model.decoder(inputs(2), h)[0].sum()
    with mg.scope("encoder"):
        _, h = GRU(3, 2, rng=0)(inputs(3))
    with mg.scope("decoder"):
        by_scope = GRU(3, 2, rng=1)(inputs(2), h)[0].sum()
    for loss in (by_attribute, by_scope):
        assert titles(mg.draw(loss, level)) == ["encoder, GRU", "decoder, GRU"]


@pytest.mark.parametrize("middle", [lambda y: y, lambda y: mg.relu(y) * 2.0])
def test_a_model_over_another_one_is_above_it(middle):
    lower, upper = GRU(3, 3, rng=0), GRU(3, 2, rng=1)
    drawing = mg.draw(upper(middle(lower(inputs(4))[0]))[0].sum(), "cell")
    assert drawing.picture.columns == [(0, t) for t in range(4)]
    assert len(boxes(drawing)) == 8 and titles(drawing) == ["GRU 1", "GRU 2"]


def test_two_passes_of_one_model_stand_side_by_side():
    rnn = RNN(3, 3, rng=0)
    _, h = rnn(inputs(4))
    drawing = mg.draw(rnn(inputs(3), h)[0].sum(), "cell")
    assert len(boxes(drawing)) == 7 and titles(drawing) == ["RNN 1", "RNN 2"]
    uses = {use.name: use.count for use in drawing.picture.legend}
    assert uses["W_h"] == 7 and forwards(drawing)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("level", ["cell", "gate", "op"])
def test_a_plain_loop_looks_like_a_marked_one(kind, level):
    loss = plain(kind, 4)
    drawing = mg.draw(loss, level)
    assert drawing.picture.columns == [(0, t) for t in range(4)] and forwards(drawing)
    cell, x = kind(3, 2, rng=0), inputs(4)
    state = cell.zero_state(1)
    for t in range(4):
        with mg.time_step(t):
            state = cell(x[t], state)
    marked = ((state[0] if isinstance(state, tuple) else state) ** 2).sum()
    in_steps = re.sub(r' tooltip="[^"]*"', "", mg.draw(marked, level).dot)
    assert re.sub(r' tooltip="[^"]*"', "", drawing.dot) == in_steps


def test_a_bidirectional_model_keeps_its_columns():
    drawing = mg.draw(LSTM(3, 2, bidirectional=True, rng=0)(inputs(4))[0], "cell")
    assert drawing.picture.columns == [(0, t) for t in range(4)] and forwards(drawing)
    assert "LSTM" in titles(drawing)[0] and len(titles(drawing)) == 2


def test_loops_in_loops_have_clusters_with_numbers():
    words, sentences, g = GRUCell(3, 2, rng=0), GRUCell(2, 2, rng=1), mg.zeros((1, 2))
    for _ in range(2):
        h = words.zero_state(1)
        for t in range(3):
            h = words(inputs(3)[t], h)
        g = sentences(h, g)
    picture = mg.draw(g, "gate").picture
    assert picture.columns == [(0, 0), (0, 1)]
    inner = {str(box.clusters[0]) for box in picture.boxes.values() if box.clusters}
    assert {"step 0", "step 1", "step 2"} <= inner


@pytest.mark.parametrize("most, shown", [(10, 12), (3, 6), (None, 12)])
def test_each_loop_loses_its_own_middle(most, shown):
    drawing = mg.draw(encoder_decoder(GRU, (6, 6)), "cell", max_steps=most)
    assert len(boxes(drawing)) == shown


def test_a_detached_state_says_so():
    cell, x, h, loss = RNNCell(3, 2, rng=0), inputs(3), mg.zeros((1, 2)), 0.0
    for t in range(3):
        h = cell(x[t], h.detach())
        loss = loss + (h**2).sum()
    dot = mg.draw(loss, "cell").dot
    assert dot.count('label="h_1, detached') == dot.count('label="h_2, detached') == 1


@pytest.mark.parametrize("make", [
    lambda: encoder_decoder(GRU, (3, 2)), lambda: plain(LSTMCell, 3),
    lambda: GRU(3, 2, 2, bidirectional=True, rng=0)(inputs(3))[0].sum(),
])  # fmt: skip
def test_a_file_of_steps_gives_the_same_picture(make):
    loss = make()
    there = type(mg.steps(loss)).from_json(mg.steps(loss).to_json())
    for level in ("cell", "gate"):
        columns = mg.draw(loss, level).picture.columns
        again = mg.draw(rebuilt(there), level).picture
        assert again.columns == columns
        assert [row.title for row in again.rows] == [
            row.title for row in mg.draw(loss, level).picture.rows
        ]


# ------------------------------------------------------------- folded


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [1, 2, 5, 30])
def test_a_folded_cell_is_there_once(kind, steps):
    drawing = mg.draw(kind(3, 2, rng=0)(inputs(steps))[0].sum(), "cell", fold=True)
    assert len(boxes(drawing)) == 1
    loops = [line for line in drawing.picture.lines if line.kind == "state"]
    states = 2 if kind is LSTM else 1
    assert len(loops) == (states if steps > 1 else 0)
    assert all(line.tail == line.head for line in loops)
    letters = {"h", "c"} if kind is LSTM else {"h"}
    assert {line.label for line in loops} == (
        {f"{letter} × {steps}" for letter in letters} if steps > 1 else set()
    )
    assert {use.count for use in drawing.picture.legend} == {steps}
    weights = [b for b in drawing.picture.boxes.values() if b.kind == "weight"]
    assert weights and all(box.lines[-1] == f"× {steps}" for box in weights)


@pytest.mark.parametrize("level", ["cell", "gate", "op"])
def test_a_folded_picture_has_the_boxes_of_one_step(level):
    loss = LSTM(3, 2, rng=0)(inputs(4))[0].sum()
    whole, folded = mg.draw(loss, level), mg.draw(loss, level, fold=True)
    step = [t for t in whole.picture.tiles.values() if t.column == (0, 1)]
    [tile] = [t for t in folded.picture.tiles.values() if t.kind == "step"]
    kinds = [whole.picture.boxes[k].kind for k in step[0].boxes]
    found = [folded.picture.boxes[k] for k in tile.boxes]
    initial = [b for b in found if b.lines[0] in ("h_0", "c_0")]
    assert len(initial) == 2 and len(found) == len(kinds) + 2
    labels = [line.label for line in folded.picture.lines]
    assert "x_t" in labels and not any(re.search(r"x_\d", word) for word in labels)


@pytest.mark.parametrize("make, count", [
    (lambda: encoder_decoder(GRU, (6, 2)), 2),
    (lambda: plain(GRUCell, 5), 1),
    (lambda: RNN(3, 2, 2, rng=0)(inputs(3))[0].sum(), 2),
    (lambda: GRU(3, 2, bidirectional=True, rng=0)(inputs(3))[0].sum(), 3),
])  # fmt: skip
def test_every_loop_is_folded_once(make, count):
    drawing = mg.draw(make(), "cell", fold=True)
    assert len(boxes(drawing)) == count
    assert "step t = 0" in drawing.dot


def test_unequal_steps_fold():
    cell, x, h, loss = RNNCell(3, 2, rng=0), inputs(5), mg.zeros((1, 2)), 0.0
    for t in range(5):
        with mg.time_step(t):
            h = cell(x[t], h)
            h = mg.sigmoid(h) if t == 3 else h
            loss = loss + (h**2).sum()
    for level in ("cell", "gate", "op"):
        drawing = mg.draw(loss, level, fold=True)
        assert drawing.picture.columns == [(0, 1)] and drawing.dot


def test_a_folded_picture_can_be_laid_out():
    needs_an_engine()
    for level in ("cell", "gate", "op"):
        for loss in (encoder_decoder(LSTM, (4, 3)), plain(LSTMCell, 4)):
            svg = mg.draw(loss, level, fold=True).svg()
            assert re.search("h.* × 4", svg) and re.search("c.* × 4", svg)
    bi = GRU(3, 2, bidirectional=True, rng=0)(inputs(3))[0].sum()
    assert re.search("h.* × 3", mg.draw(bi, "cell", fold=True).svg())


@pytest.mark.parametrize("other", [
    {"words": "a b c"}, {"steps": [1]}, {"first": 1}, {"last": 1}, {"gradients": True},
])  # fmt: skip
def test_what_tells_steps_apart_does_not_go_with_fold(other):
    with pytest.raises(ArgumentError, match="do not go together"):
        mg.draw(plain(RNNCell, 3), fold=True, **other)


def test_a_backward_pass_is_not_folded():
    rnn = RNN(3, 2, rng=0)
    loss = rnn(inputs(3))[0].sum()
    (gradient,) = mg.grad(loss, [rnn.cells[0].W_h], create_graph=True)
    with pytest.raises(DrawingError, match="cannot be folded"):
        mg.draw(gradient, fold=True)


def test_nothing_recurrent_folds_to_itself():
    a = mg.tensor(np.ones(3), requires_grad=True, name="a")
    loss = (a * a).sum()
    assert mg.draw(loss, fold=True).dot == mg.draw(loss).dot
    assert read_folded([loss.node], "op").columns == []


# ------------------------------------------------------------- what is refused


@pytest.mark.parametrize("make", [
    lambda: inputs(3), lambda: mg.tensor(1.0, requires_grad=True),
    lambda: plain(RNNCell, 3).detach(), lambda: [plain(RNNCell, 2), inputs(2)],
])  # fmt: skip
def test_a_tensor_without_a_graph_is_no_picture(make):
    with pytest.raises(GraphError, match="no graph"):
        mg.draw(make())


def test_nothing_computed_in_no_grad_is_drawn():
    with mg.no_grad():
        output, _ = LSTM(3, 2, rng=0)(inputs(3))
    with pytest.raises(GraphError, match="no_grad"):
        mg.draw(output)


@pytest.mark.parametrize("words", ["not so", "not so bad at all", [], ["a"] * 9])
@pytest.mark.parametrize("most", [10, 2])
def test_words_that_do_not_fit_the_steps(words, most):
    with pytest.raises(ArgumentError, match=r"words for 4 steps"):
        mg.draw(plain(RNNCell, 4), words=words, max_steps=most)


def test_words_of_two_loops():
    loss = encoder_decoder(GRU, (3, 2))
    one = mg.draw(loss, "cell", words="a b c").dot
    both = mg.draw(loss, "cell", words="a b c d e").dot
    assert "2: c" in one and "1: e" not in one and "2: c" in both and "1: e" in both
    with pytest.raises(ArgumentError, match="3, or 5"):
        mg.draw(loss, words="a b c d")


@pytest.mark.parametrize("words", ["a b", "a b c d"])
def test_the_player_and_the_diagnosis_refuse_them_too(words, tmp_path):
    loss = plain(RNNCell, 3)
    with pytest.raises(ArgumentError):
        mg.steps(loss).save(tmp_path / "x.html", words=words)
    with pytest.raises(ArgumentError):
        mg.diagnose(loss, words=words.split())
