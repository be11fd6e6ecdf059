"""mg.draw: what is asked for and refused, elision, the backward graph, frames."""

import copy
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from drawn import LEVELS, NAMES, example, gradients_of, loss_of, needs_an_engine

import minigrad as mg
from minigrad.engine.errors import ArgumentError, DrawingError, DTypeError, GraphError
from minigrad.engine.graph import ancestors


def texts(svg):
    """Every text of an SVG picture."""
    found = [e.text for e in ElementTree.fromstring(svg).iter() if e.text]
    return [text.replace("\xa0", " ") for text in found]


def numbers_in(picture):
    """The operations that are drawn, by number."""
    return sorted(n for box in picture.boxes.values() for n in box.nodes)


# ------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("name", NAMES)
def test_every_operation_is_written(name):
    needs_an_engine()
    output = example(name)
    words = texts(mg.draw(output).svg())
    nodes = ancestors([output.node])
    for operation, shown in (("matmul", "matmul"), ("sigmoid", "σ"), ("tanh", "tanh")):
        made = sum(node.primitive.name == operation for node in nodes)
        assert sum(word == shown for word in words) == made


def test_gates_have_the_fields_names_and_the_legend_counts_uses():
    needs_an_engine()
    words = texts(mg.draw(example("lstm", 4), "gate").svg())
    for gate in ("input gate", "forget gate", "candidate", "output gate"):
        assert words.count(gate) == 4
    legend = [" ".join(w.split()) for w in words if "used" in w]
    assert legend == [
        "W_x 3×8 used 4 times",
        "W_h 2×8 used 4 times",
        "b 8 used 4 times",
    ]


def test_gradients_are_shown_and_grad_is_left_alone():
    x = mg.tensor(np.ones((3, 1, 3)), requires_grad=True, name="x")
    picture = mg.draw((x * x).sum(), gradients=True, values=True).picture
    assert x.grad is None
    sizes = {line.kind: line.gradient for line in picture.lines}
    assert sizes["data"] == pytest.approx(3.0)  # of nine ones
    assert sizes["weight"] == pytest.approx(3.0)  # each way back into x * x: 1 * x


def test_sizes_of_gradients_are_those_of_autodiff():
    """At op level what flows back into an operation is the gradient of its value."""
    loss = loss_of("lstm", 4, batch=2)
    picture = mg.draw(loss, gradients=True).picture
    nodes = ancestors([loss.node])
    lines = {}
    for line in picture.lines:
        if line.kind in ("data", "output", "state", "input") and line.uses:
            lines.setdefault(line.source, []).append(line.gradient)
    alone = {n: g[0] for (n, k), g in lines.items() if len(g) == 1 and k == 0}
    checked = 0
    for number, size in alone.items():
        if not isinstance(number, int) or nodes[number].primitive.multiple:
            continue
        value = mg.Tensor.of(nodes[number])
        [gradient] = mg.grad(loss, [value], allow_unused=True)
        if gradient is not None:
            assert size == pytest.approx(np.linalg.norm(gradient.data), rel=1e-9)
            checked += 1
    assert checked > 20


def test_zero_nan_and_infinite_gradients_have_marks():
    needs_an_engine()
    x = mg.tensor([1.0], requires_grad=True, name="x")
    with np.errstate(all="ignore"):
        parts = [x * 0.0, x * np.nan, x * np.inf, x * 2.0]
    drawing = mg.draw(mg.concatenate(parts).sum(), gradients=True)
    styles = dict(re.findall(r'-> \w+ \[id="(e\d+)"[^\n]*?style="(\w+)"', drawing.dot))
    by_size = {}
    for line in drawing.picture.lines:
        if line.kind == "weight":
            by_size[str(line.gradient)] = styles.get(line.id)
    assert by_size == {"0.0": "dotted", "nan": "dashed", "inf": "dashed", "2.0": None}
    legend = " ".join(texts(drawing.svg()))
    assert "dotted" in legend and "NaN" in legend


# ------------------------------------------------------------- what is refused


@pytest.mark.parametrize("thing", [None, 3.0, "x", [], [1.0], np.ones(3)])
def test_what_is_no_tensor(thing):
    with pytest.raises(DTypeError, match="draw: the argument is not a tensor"):
        mg.draw(thing)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"level": "atom"}, "level='atom' is not offered"),
        ({"level": None}, "level=None is not offered"),
        ({"theme": "pink"}, "theme='pink' is not offered"),
        ({"max_steps": 0}, "max_steps=0 is not a number of steps"),
        ({"max_steps": 2.5}, "max_steps=2.5 is not a number of steps"),
        ({"max_steps": True}, "max_steps=True is not a number of steps"),
        ({"first": -1}, "first=-1 is not a number of steps"),
        ({"last": "2"}, "last='2' is not a number of steps"),
        ({"steps": [7, 8]}, "none of the chosen steps"),
        ({"steps": 1}, "none of the chosen steps"),
        ({"steps": "ab"}, "none of the chosen steps"),
    ],
)
def test_arguments_that_are_not_offered(given, said):
    with pytest.raises(ArgumentError) as caught:
        mg.draw(example("rnn"), **given)
    assert said in str(caught.value)


def test_gradients_of_what_needs_none():
    with pytest.raises(DrawingError, match="needs no gradient"):
        mg.draw(mg.tensor([1.0]) * 2.0, gradients=True)


def test_too_large_is_refused_at_once_with_counts_and_the_way_out(monkeypatch):
    monkeypatch.setattr("minigrad.drawing.drawing.LARGEST", 50)
    monkeypatch.setattr(
        "minigrad.drawing.write.graphviz_engines.run", None
    )  # would fail if called
    drawing = mg.draw(example("lstm", 9), max_steps=None)
    with pytest.raises(DrawingError) as caught:
        drawing.svg()
    said = str(caught.value)
    for words in (
        f"{len(drawing.picture.boxes)} boxes",
        "max_steps=10",
        "level=",
        "50",
    ):
        assert words in said
    assert drawing.dot.count("\n") > 200  # the text is there for any size


def test_a_leaf_and_a_constant_have_no_graph_to_draw():
    for tensor in (mg.tensor([1.0], name="x"), mg.tensor([1.0], requires_grad=True)):
        with pytest.raises(GraphError, match="this tensor has no graph"):
            mg.draw(tensor)


# ------------------------------------------------------------- elision


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({}, [0, 1, 2, 3, 4, 95, 96, 97, 98, 99]),
        ({"max_steps": 3}, [0, 1, 99]),
        ({"max_steps": 1}, [0]),
        ({"first": 2}, [0, 1]),
        ({"last": 2}, [98, 99]),
        ({"first": 1, "last": 2, "max_steps": 50}, [0, 98, 99]),
        ({"first": 0, "last": 0}, []),
        ({"steps": [50]}, [50]),
        ({"steps": {3, 7, 8, 200}}, [3, 7, 8]),
        ({"steps": iter([2, 4])}, [2, 4]),
        ({"steps": range(0, 100, 25), "first": 5}, [0, 25, 50, 75]),
    ],
)
@pytest.mark.parametrize("level", LEVELS)
def test_the_steps_asked_for_are_shown(given, shown, level):
    output = example("rnn", 100)
    given = copy.deepcopy(given)  # an iterator is used up
    picture = mg.draw(output, level, **given).picture
    tiles = picture.tiles.values()
    assert sorted(t.column[1] for t in tiles if t.kind == "step") == shown
    hidden = sum(
        int(picture.boxes[tile.boxes[0]].lines[1])
        for tile in tiles
        if tile.kind == "elision"
    )
    assert hidden == 100 - len(shown)
    assert numbers_in(picture) == list(range(len(ancestors([output.node]))))
    uses = [use for line in picture.lines for use in line.uses]
    assert len(uses) == len(set(uses))


def test_short_sequences_are_whole():
    for steps in (1, 9, 10):
        kinds = {t.kind for t in mg.draw(example("gru", steps)).picture.tiles.values()}
        assert "elision" not in kinds
    long = mg.draw(example("gru", 11)).picture
    assert "elision" in {tile.kind for tile in long.tiles.values()}
    whole = mg.draw(example("gru", 11), max_steps=None).picture
    assert "elision" not in {tile.kind for tile in whole.tiles.values()}


def test_the_state_runs_through_what_is_left_out():
    needs_an_engine()
    drawing = mg.draw(example("lstm", 50), "gate", max_steps=4)
    assert any("46" in word for word in texts(drawing.svg()))
    [gap] = [t.boxes[0] for t in drawing.picture.tiles.values() if t.kind == "elision"]
    into = {line.label for line in drawing.picture.lines if line.head == gap}
    out = {line.label for line in drawing.picture.lines if line.tail == gap}
    assert {"h_2", "c_2"} <= into and {"h_48", "c_48"} <= out
    assert "in steps left out" in drawing.counts


def test_both_directions_leave_out_the_same_steps():
    picture = mg.draw(example("lstm-bidirectional", 30), "cell", max_steps=4).picture
    rows = {}
    for tile in picture.tiles.values():
        if tile.kind == "step":
            rows.setdefault(tile.row, []).append(tile.column[1])
    assert len(rows) >= 2
    assert all(sorted(steps) == [0, 1, 28, 29] for steps in rows.values())


# ------------------------------------------------------------- the backward graph


@pytest.mark.parametrize("name", ["rnn", "lstm", "gru", "own-cell", "plain"])
def test_each_backward_operation_is_tied_to_the_one_whose_rule_made_it(name):
    needs_an_engine()
    grads = gradients_of(name)
    drawing = mg.draw(grads)
    picture = drawing.picture
    nodes = picture.nodes
    box_of = {n: box for box in picture.boxes.values() for n in box.nodes}
    tied_to = _tied(drawing)
    number_of = {node: n for n, node in enumerate(nodes)}
    made = [n for n, node in enumerate(nodes) if node.origin is not None]
    assert len(made) > 5
    for n in made:
        origin = number_of.get(nodes[n].origin)
        if origin is not None:
            assert box_of[origin].id in tied_to[box_of[n].id]


def _tied(drawing):
    """Which boxes the page says each box is tied to."""
    [data] = re.findall(r'id="mg-data">(.*?)</script>', drawing.html(), re.S)
    return {key: box.get("tied", ()) for key, box in json.loads(data)["boxes"].items()}


def test_the_backward_graph_stands_above_the_forward_one():
    needs_an_engine()
    drawing = mg.draw(gradients_of("rnn"), "gate")
    titles = [row.title for row in drawing.picture.rows if row.title]
    assert titles == ["layer 0, RNN", "backward: layer 0, RNN"]
    forward, backward = (
        drawing.layout.rows[row.id] for row in drawing.picture.rows if row.title
    )
    assert forward[3] < backward[1]
    columns = {}
    for tile in drawing.picture.tiles.values():
        if tile.kind == "step":
            columns.setdefault(tile.column, set()).add(drawing.layout.tiles[tile.id][0])
    assert all(len(xs) == 1 for xs in columns.values())


def test_the_gradient_without_create_graph_has_no_backward_graph():
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    [gradient] = mg.grad((x * x).sum(), [x])
    with pytest.raises(GraphError, match="this tensor has no graph"):
        mg.draw(gradient)


# ------------------------------------------------------------- frames


def positions(svg):
    """Where the boxes of an SVG picture are, and how large it is."""
    root = ElementTree.fromstring(svg)
    found = {"size": (root.get("width"), root.get("height"))}
    for group in root.iter("{http://www.w3.org/2000/svg}g"):
        if group.get("class", "").startswith("node"):
            shape = next(e for e in group.iter() if e.get("points") or e.get("d"))
            numbers = re.findall(r"-?[\d.]+", shape.get("points") or shape.get("d"))
            xs, ys = list(map(float, numbers[::2])), list(map(float, numbers[1::2]))
            found[group.get("id")] = (min(xs), min(ys), max(xs), max(ys))
    return found


@pytest.mark.parametrize("name", ["rnn", "lstm-bidirectional"])
def test_frames_are_numbered_and_nothing_moves(name, tmp_path):
    needs_an_engine()
    drawing = mg.draw(loss_of(name, 4), "cell", gradients=True)
    made = drawing.frames(tmp_path)
    assert made == sorted(made) == sorted(str(path) for path in tmp_path.iterdir())
    names = [re.sub(r".*[/\\]", "", path) for path in made]
    forward = [n for n in names if "-forward-" in n]
    backward = [n for n in names if "-backward-" in n]
    assert names == forward + backward and len(forward) == len(backward) == 5
    assert names[0] == "000-forward-0.svg" and names[5] == "005-backward-0.svg"
    pictures = [tmp_path.joinpath(name).read_text() for name in names]
    assert len(set(pictures)) == len(pictures)
    places = [positions(svg) for svg in pictures]
    for key in places[-1]:
        assert len({str(place.get(key)) for place in places if key in place}) == 1
    boxes = set(drawing.picture.boxes)
    assert all(boxes <= set(place) for place in places)


def test_frames_without_gradients_are_forward_only(tmp_path):
    needs_an_engine()
    made = mg.draw(example("rnn", 3), "gate").frames(tmp_path, "png")
    assert len(made) == 4 and all(path.endswith(".png") for path in made)
    assert all(Path(path).read_bytes().startswith(b"\x89PNG") for path in made)


def test_frames_that_cannot_be(tmp_path):
    drawing = mg.draw(example("rnn"), "cell")
    with pytest.raises(ArgumentError, match="form='gif' is not offered"):
        drawing.frames(tmp_path, "gif")
    (tmp_path / "file").write_text("")
    needs_an_engine()
    with pytest.raises(DrawingError, match="cannot be written"):
        drawing.frames(tmp_path / "file" / "x")


def test_frames_make_their_folder_and_one_pdf(tmp_path):
    needs_an_engine()
    drawing = mg.draw(example("rnn", 2), "cell")
    made = drawing.frames(tmp_path / "a" / "b", "pdf")
    assert len(made) == 3 and all(Path(p).read_bytes()[:4] == b"%PDF" for p in made)
    pypdf = pytest.importorskip("pypdf", reason="needs pypdf")
    path = tmp_path / "c" / "slides.pdf"
    assert drawing.frames(path) == [str(path)]
    pages = pypdf.PdfReader(path).pages
    assert len(pages) == 3
    assert len({tuple(map(float, page.mediabox)) for page in pages}) == 1
