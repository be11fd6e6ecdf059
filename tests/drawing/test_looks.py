"""What pictures show besides the graph: names of steps, shades, sums of gradients."""

import pytest
from drawn import LEVELS, example, gradients_of, needs_an_engine
from test_draw import texts

import minigrad as mg
from minigrad.engine.errors import ArgumentError


@pytest.mark.parametrize("level", LEVELS)
def test_steps_have_names(level):
    needs_an_engine()
    words = ["the", 'a"b\\', "<script>"]
    svg = mg.draw(example("lstm"), level, words=words).svg()
    shown = texts(svg)
    assert "0: the" in shown and '1: a"b\\' in shown and "2: <script>" in shown
    assert "<script" not in svg


def test_names_of_steps_can_be_one_text():
    drawing = mg.draw(example("rnn"), words="good bad ugly")
    assert '"0: good' in drawing.dot and '"2: ugly' in drawing.dot
    with pytest.raises(ArgumentError, match="a list of names"):
        mg.draw(example("rnn"), words=3)


def test_mean_values_shade_the_gates():
    output = example("lstm")
    picture = mg.draw(output, "gate", values="mean").picture
    gates = [box for box in picture.boxes.values() if box.letter == "f"]
    assert len(gates) == 3
    for box in gates:
        assert box.values == (f"mean {box.array.mean():.2g}",)
        assert box.shade == pytest.approx(box.array.mean())
    with pytest.raises(ArgumentError, match="values"):
        mg.draw(output, values="median")


def test_sums_of_gradients_are_part_of_the_backward_graph():
    picture = mg.draw(gradients_of("rnn")).picture
    backward = {box.id for box in picture.boxes.values() if box.backward}
    carried = [
        line
        for line in picture.lines
        if line.kind == "state" and {line.tail, line.head} <= backward
    ]
    assert carried  # the gradient of h runs from step to step
    saved = [box for box in picture.boxes.values() if box.kind == "saved"]
    assert saved and all(box.saved not in backward for box in saved)
