"""mg.draw: every model and level, hostile names, and what it leaves alone."""

import itertools
import shutil
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import minigrad as mg
from minigrad import errors
from minigrad.graph import ancestors
from models import GRU, LSTM, RNN

MODELS = {
    "rnn": (RNN, {}),
    "lstm": (LSTM, {}),
    "gru": (GRU, {}),
    "both ways": (LSTM, {"bidirectional": True}),
    "two layers": (GRU, {"num_layers": 2}),
}
every = pytest.mark.parametrize(
    "name, level", list(itertools.product(MODELS, ("cell", "gate", "op")))
)


def drawn_output(name, steps=3, x_name="x"):
    model, options = MODELS[name]
    x = mg.tensor(np.linspace(-1, 1, 3 * steps).reshape(steps, 1, 3), name=x_name)
    output, _ = model(3, 2, rng=0, **options)(x)
    return output


def needs_an_engine():
    if not shutil.which("dot"):
        pytest.importorskip("pygraphviz", reason="needs dot or pygraphviz")


def texts(svg):
    return [e.text for e in ET.fromstring(svg).iter() if e.tag.endswith("}text")]


@every
def test_pictures_are_well_formed_and_repeatable(name, level):
    needs_an_engine()
    first = mg.draw(drawn_output(name), level=level)
    again = mg.draw(drawn_output(name), level=level)
    assert first.dot == again.dot and first.dot.count("{") == first.dot.count("}")
    words = " ".join(filter(None, texts(first.svg())))
    assert "step 0" in words and "step 2" in words
    if level == "gate" and "lstm" in name:
        assert "forget gate" in words


@pytest.mark.parametrize("name", MODELS)
def test_every_operation_is_drawn(name):
    needs_an_engine()
    output = drawn_output(name)
    words = texts(mg.draw(output, level="op").svg())
    nodes = ancestors([output.node])
    for operation, shown in (("matmul", "matmul"), ("sigmoid", "σ"), ("tanh", "tanh")):
        made = sum(node.primitive.name == operation for node in nodes)
        assert sum(word == shown for word in words) == made


def test_gradients_are_shown_and_grad_is_left_alone():
    needs_an_engine()
    x = mg.tensor(np.ones((3, 1, 2)), requires_grad=True, name="x")
    output, _ = RNN(2, 2, rng=0)(x)
    loss = (output[-1] * output[-1]).sum()
    drawing = mg.draw(loss, level="op", gradients=True, values=True)
    assert any("gradient" in (word or "") for word in texts(drawing.svg()))
    assert x.grad is None


def test_many_steps_are_elided():
    needs_an_engine()
    words = texts(mg.draw(drawn_output("rnn", 40), level="cell", max_steps=6).svg())
    assert any("steps" in (word or "") for word in words)
    assert sum((word or "").startswith("step ") for word in words) <= 7


@pytest.mark.parametrize(
    "hostile", ['"]; x [', "<script>alert(1)</script>", "a\\N\nb\0"]
)
def test_hostile_names_are_text(hostile):
    needs_an_engine()
    svg = mg.draw(drawn_output("rnn", x_name=hostile), level="op").svg()
    ET.fromstring(svg)
    assert "<script" not in svg


def test_saved_in_many_formats(tmp_path):
    needs_an_engine()
    drawing = mg.draw(drawn_output("rnn"), level="cell")
    starts = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}
    for ending, start in starts.items():
        path = tmp_path / f"picture.{ending}"
        drawing.save(path)
        assert path.read_bytes().lstrip().startswith((start, b"<svg"))


def test_what_it_refuses(tmp_path):
    with pytest.raises(errors.ArgumentError, match="level="):
        mg.draw(drawn_output("rnn"), level="atom")
    with pytest.raises(errors.MinigradError):
        mg.draw(drawn_output("rnn")).save(tmp_path / "missing" / "x.svg")
    with pytest.raises(errors.MinigradError):
        mg.draw(drawn_output("rnn")).save(tmp_path / "x.tiff")
    assert list(tmp_path.iterdir()) == []


def test_steps_have_names():
    needs_an_engine()
    words = ["the", 'a"b\\', "<script>"]
    for level, title in (("cell", "0: the"), ("gate", "0: the"), ("op", "0: the")):
        drawing = mg.draw(drawn_output("lstm"), level=level, words=words)
        shown = texts(drawing.svg())
        assert title in shown and '1: a"b\\' in shown and "2: <script>" in shown
        assert "<script" not in drawing.svg()
    assert '"0: good' in mg.draw(drawn_output("rnn"), words="good bad").dot
    assert "step 2" in mg.draw(drawn_output("rnn"), words="good bad").dot
    with pytest.raises(errors.ArgumentError, match="names of the steps"):
        mg.draw(drawn_output("rnn"), words=3)


def test_mean_values_shade_the_gates():
    output = drawn_output("lstm")
    picture = mg.draw(output, level="gate", values="mean").picture
    gates = [box for box in picture.boxes.values() if box.letter == "f"]
    assert len(gates) == 3
    for box in gates:
        assert box.values == (f"mean {box.array.mean():.2g}",)
        assert box.shade == pytest.approx(box.array.mean())
    with pytest.raises(errors.ArgumentError, match="values"):
        mg.draw(output, values="median")


def test_sums_of_gradients_are_part_of_the_backward_graph():
    x = mg.tensor(np.ones((3, 1, 2)), name="x")
    model = RNN(2, 2, rng=0)
    output, _ = model(x)
    grads = mg.grad(
        (output * output).sum(), list(model.parameters()), create_graph=True
    )
    picture = mg.draw(list(grads)).picture
    backward = {box.id for box in picture.boxes.values() if box.backward}
    carried = [
        line
        for line in picture.lines
        if line.kind == "state" and {line.tail, line.head} <= backward
    ]
    assert carried  # the gradient of h runs from step to step
    saved = [box for box in picture.boxes.values() if box.kind == "saved"]
    assert saved and all(box.saved not in backward for box in saved)
