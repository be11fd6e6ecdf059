"""The judge looks at many pictures; and each of its questions finds its fault."""

import copy
import re
import shutil
from dataclasses import replace

import judge
import numpy as np
import pytest
from drawn import example, gradients_of, loss_of, needs_an_engine

import minigrad as mg
from minigrad.drawing.write import dot_items
from minigrad.lessons import lessons
from minigrad.models import LSTM


def with_inputs():
    """A picture of an LSTM whose x, h_0 and c_0 want gradients as well."""
    rng = np.random.default_rng(0)
    x = mg.tensor(rng.standard_normal((3, 1, 2)), requires_grad=True, name="x")
    start = [
        mg.tensor(np.zeros((1, 1, 3)), requires_grad=True, name=name)
        for name in ("h0", "c0")
    ]
    lstm = LSTM(2, 3, rng=0)
    drawing = mg.draw(lstm(x, tuple(start))[0], "gate")
    inputs = [use.name for use in drawing.picture.legend if not use.parameter]
    assert sorted(inputs) == ["c_0 = c0", "h_0 = h0", "x"]
    return drawing


def stacked(*more):
    """The loss of two layers."""
    rng = np.random.default_rng(0)
    output, _ = LSTM(3, 4, 2, rng=0)(
        mg.tensor(rng.standard_normal((3, 1, 3)), name="x")
    )
    return output[-1].sum()


PICTURES = {
    "gates": lambda: mg.draw(example("lstm", 3), "gate"),
    "inputs": with_inputs,
    "both directions": lambda: mg.draw(example("lstm-bidirectional", 3), "cell"),
    "both directions, gates": lambda: mg.draw(example("lstm-bidirectional", 3), "gate"),
    "stacked": lambda: mg.draw(stacked(), "gate", gradients=True),
    "numbers": lambda: mg.draw(loss_of("gru", 3), "op", gradients=True),
    "backward": lambda: mg.draw(gradients_of("rnn", 3)),
    "rows": lambda: mg.draw(loss_of("lstm", 7), "gate", gradients=True, wrap=3),
    "rows of words": lambda: mg.draw(
        example("rnn", 6), "cell", wrap=2, words="to be or not to be"
    ),
}


@pytest.fixture(scope="module")
def pictures():
    needs_an_engine()
    return {name: make() for name, make in PICTURES.items()}


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_without_faults(name, pictures):
    assert judge.faults(pictures[name]) == []


def spoiled(drawing):
    """A copy whose picture and layout may be changed."""
    other = copy.copy(drawing)
    other.picture = copy.deepcopy(replace(drawing.picture, nodes=[]))
    other.picture.nodes = drawing.picture.nodes
    for use, old in zip(other.picture.legend, drawing.picture.legend, strict=True):
        use.leaf = old.leaf
    other.layout = copy.deepcopy(drawing.layout)
    return other


def wrong_shape(d):
    box = next(b for b in d.picture.boxes.values() if b.kind == "group")
    box.lines = (*box.lines[:-1], "1×4")
    return judge.shapes_are_those_of_values


def short_bar(d):
    bar = next(b.id for b in d.picture.boxes.values() if b.kind == "bar")
    x, y, w, h = d.layout.boxes[bar]
    d.layout.boxes[bar] = (x + 40, y, w - 80, h)
    return judge.lines_reach_their_boxes


def only_a_word(d):
    for box in d.picture.boxes.values():
        if box.kind == "cell":
            box.lines = (box.lines[0], box.lines[-1])
    return judge.boxes_say_what_they_compute


def number_elsewhere(d):
    (one, a), (other, b) = [
        (k, p) for k, p in d.layout.labels.items() if abs(p[1]) > 100
    ][:2]
    d.layout.labels[one], d.layout.labels[other] = b, a
    return judge.numbers_stand_beside_their_line


def listed_as_parameter(d):
    for use in d.picture.legend:
        use.parameter = True
    return judge.legend_lists_parameters_apart


def counted_twice(d):
    d.picture.legend[0].count += 2
    return judge.uses_are_counted_forward


def unnamed(d):
    box = d.picture.boxes[d.picture.outputs[0]]
    box.lines = box.lines[1:]
    return judge.gradients_are_named


def on_top(d):
    one, other, *_ = d.layout.boxes
    d.layout.boxes[one] = d.layout.boxes[other]
    return judge.nothing_lies_over_another


@pytest.mark.parametrize(
    ("name", "spoil"),
    [
        ("gates", wrong_shape),
        ("both directions", short_bar),
        ("both directions", only_a_word),
        ("stacked", number_elsewhere),
        ("inputs", listed_as_parameter),
        ("gates", counted_twice),
        ("backward", unnamed),
        ("gates", on_top),
    ],
)
def test_each_question_finds_its_fault(name, spoil, pictures):
    drawing = spoiled(pictures[name])
    question = spoil(drawing)
    assert list(question(drawing))


@pytest.mark.parametrize("name", ["gates", "both directions", "stacked", "rows"])
def test_dot_alone_places_bars_as_well(name, pictures):
    if not shutil.which("dot"):
        pytest.skip("needs dot")
    assert list(judge.own_dot_places_bars(pictures[name])) == []


@pytest.mark.parametrize("name", ["gates", "stacked"])
def test_dot_alone_orders_gates_alike(name, pictures):
    if not shutil.which("dot"):
        pytest.skip("needs dot")
    assert list(judge.own_dot_orders_gates(pictures[name])) == []


def test_the_question_for_the_order_of_gates_finds_its_fault(monkeypatch):
    if not shutil.which("dot"):
        pytest.skip("needs dot")
    monkeypatch.setattr(dot_items, "gates_in_order", lambda picture, tile: [])
    monkeypatch.setattr(dot_items, "beginnings", lambda picture, ways: {})
    (fault,) = judge.own_dot_orders_gates(mg.draw(example("lstm", 4), "gate"))
    assert "different orders" in fault


def test_the_question_for_dot_alone_finds_its_fault(monkeypatch, pictures):
    if not shutil.which("dot"):
        pytest.skip("needs dot")
    monkeypatch.setattr(dot_items, "way_points", lambda picture: {})
    old = mg.draw(example("lstm", 3), "gate")
    (fault,) = judge.own_dot_places_bars(old)
    assert "unstack" in fault and "beside" in fault


def test_indices_of_norms():
    """In the formulas of all lessons; and the question finds its fault."""
    convert = pytest.importorskip(
        "docutils.utils.math.latex2mathml", reason="only with the extra docs"
    ).tex2mathml
    found = 0
    for lesson in lessons():
        text = "\n".join(c.source for c in lesson.cells if c.kind == "text")
        for whole, part in re.findall(r"\$\$(.+?)\$\$|\$([^$]+)\$", text, re.S):
            mathml = str(convert((whole or part).replace("\n", " "), as_block=False))
            assert list(judge.bars_around_a_norm(mathml)) == [], (lesson.title, mathml)
            found += "‖" in mathml
    assert found
    wrong = str(convert(r"\lVert W_h \rVert_2", as_block=False))
    assert list(judge.bars_around_a_norm(wrong))


@pytest.mark.parametrize("width", [390, 760])
def test_pictures_in_frames_open_whole(width, pictures, page, tmp_path):
    """As in the lessons: in the frame that a notebook is given."""
    page.set_viewport_size({"width": width, "height": 800})
    path = tmp_path / "frames.html"
    names = ("gates", "both directions", "rows")
    frames = [pictures[name].view().html for name in names]
    path.write_text("<meta charset=utf-8>" + "".join(frames), "utf-8")
    page.goto(path.as_uri())
    for frame in page.query_selector_all("iframe"):
        frame.scroll_into_view_if_needed()
        inside = frame.content_frame()
        inside.wait_for_selector("html[data-ready='1']")
        assert list(judge.opens_whole(inside)) == []
    for _ in range(4):
        inside.click("button[data-do=in]")
    assert list(judge.opens_whole(inside))


def test_rows_have_the_steps_that_were_asked_for(pictures):
    drawing = pictures["rows"]
    steps = [
        [t.title for t in row.tiles.values() if t.kind == "step"]
        for row in drawing.rows
    ]
    assert steps == [
        ["step 0", "step 1", "step 2"],
        ["step 3", "step 4", "step 5"],
        ["step 6"],
    ]
    boxes = drawing.picture.boxes.values()
    assert [b.lines[0].split(":")[0] for b in boxes if b.kind == "bar"] == BARS
    named = [b.lines[0] for b in boxes if b.kind == "input" and "x_" in b.lines[0]]
    assert named == ["x_3", "x_4", "x_5", "x_6"], "later rows read it by name"
    tops = [max(r[3] for r in row.values()) for row in _tiles_by_row(drawing)]
    assert tops == sorted(tops, reverse=True), "the first row is above"
    assert drawing.svg().count('class="node elision"') == 4
    words = pictures["rows of words"].svg()
    assert "2: or" in words and "5: be" in words


BARS = ["unstack", "stack"]  # once each, whatever the number of rows


def _tiles_by_row(drawing):
    return [
        {k: r for k, r in drawing.layout.tiles.items() if k in row.tiles}
        for row in drawing.rows
    ]


def test_a_width_is_kept():
    needs_an_engine()
    output = example("lstm", 10)
    wide = mg.draw(output, "gate")
    for width in (1300, 2500):
        drawing = mg.draw(output, "gate", width=width)
        points = float(drawing.svg().split('<svg width="')[1].split("pt")[0])
        assert points * 4 / 3 <= width + 2
        assert len(drawing.rows) > 1
    assert mg.draw(output, "gate", width=1e5).svg() == wide.svg()
    with pytest.raises(mg.errors.ArgumentError, match="one step is wider"):
        mg.draw(output, "gate", width=100)


def test_wrap_needs_no_engine_for_text():
    text = mg.draw(example("rnn", 4), "cell", wrap=2).dot
    assert text.count("cluster_r0_r") and text.count("cluster_r1_r")
    with pytest.raises(mg.errors.ArgumentError, match="no time steps"):
        mg.draw(mg.tensor([1.0], requires_grad=True) * 2, wrap=2)
    with pytest.raises(mg.errors.ArgumentError, match="wrap=0"):
        mg.draw(example("rnn", 4), wrap=0)
