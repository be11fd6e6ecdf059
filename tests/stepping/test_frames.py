"""Frames and animations: the right things are lit, in every form."""

import io
import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import errors
from minigrad.models import RNN
from minigrad.stepping.play.films import moving
from minigrad.stepping.play.highlights import Mark, Marks

Image = pytest.importorskip("PIL.Image", reason="needs Pillow")


@pytest.fixture(scope="module")
def steps():
    net = RNN(2, 3, rng=0)
    output, _ = net(mg.tensor(np.ones((2, 1, 2)), name="x"))
    return mg.steps((output * output).sum(), level="op", title="an RNN")


@pytest.fixture(scope="module")
def drawing(steps):
    return steps.drawing()


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"), int)


def test_marks_lie_on_their_boxes(steps, drawing):
    """Where a mark is and where Graphviz drew the box: the same place."""
    svg = drawing.svg()
    marks = Marks(steps, drawing, svg)
    groups = {g.get("id"): g for g in ET.fromstring(svg).iter() if g.get("id")}
    shift = re.search(r"translate\(([-\d.]+) ([-\d.]+)\)", svg)
    for event in steps.events:
        if not event.forward:
            continue
        now = [mark for mark in marks.of(event) if mark.kind == "now"]
        box = groups[f"n{event.operation}"]
        points = []
        for shape in box.iter():
            if shape.get("points") or shape.get("d"):
                text = shape.get("points") or shape.get("d")
                points += [float(n) for n in re.findall(r"-?\d+\.?\d*", text)]
        xs = [x + float(shift[1]) for x in points[::2]]
        ys = [y + float(shift[2]) for y in points[1::2]]
        [mark] = now
        x, y, w, h = mark.box
        assert x + w / 2 == pytest.approx((min(xs) + max(xs)) / 2, abs=1.5)
        assert y + h / 2 == pytest.approx((min(ys) + max(ys)) / 2, abs=1.5)


def test_what_is_marked(steps, drawing):
    marks = Marks(steps, drawing, drawing.svg())
    contribution = steps.until("receives W_h")
    kinds = [mark.kind for mark in marks.of(contribution)]
    assert kinds == ["out", "out", "now"]  # the line, the weight, the product
    forward = steps.events[3]
    kinds = [mark.kind for mark in marks.of(forward)]
    assert kinds.count("now") == 1 and "in" in kinds and "out" in kinds
    assert kinds.count("todo") > 3
    last = [mark.kind for mark in marks.of(steps.events[-1])]
    assert "todo" not in last and "out" in last


def test_a_curve_as_points():
    line = Mark("in", line=((0, 0), (0, 1), (1, 1), (1, 0)))
    points = line.points()
    assert points[0] == (0, 0) and points[-1] == (1, 0) and len(points) == 13
    assert points[6] == (0.5, 0.75)


def test_svg_frames_are_numbered_and_valid(steps, drawing, tmp_path):
    paths = steps.frames(tmp_path, range(4, 8), drawing=drawing)
    assert [p[-7:] for p in paths] == ["-04.svg", "-05.svg", "-06.svg", "-07.svg"]
    for k, path in zip(range(4, 8), paths, strict=True):
        tree = ET.parse(path).getroot()
        text = "".join(tree.itertext())
        assert steps.formula(steps.events[k]) in text and f"{k} of" in text
        assert len([e for e in tree.iter() if "mark" in (e.get("class") or "")]) > 2


def test_png_frames_differ_where_something_is_lit(steps, drawing, tmp_path):
    first, second = steps.frames(tmp_path, [2, 3], form="png", drawing=drawing)
    a, b = (
        np.asarray(Image.open(path).convert("RGB"), int) for path in (first, second)
    )
    assert a.shape == b.shape
    assert (a != b).any()
    lamp = np.array([255, 207, 51])
    assert (abs(a - lamp).max(axis=2) < 40).sum() > 50


@pytest.mark.parametrize("form", ["gif", "apng"])
def test_animations(steps, drawing, form, tmp_path):
    picture = Image.open(io.BytesIO(moving(steps, form, range(3), 0.5, drawing)))
    assert picture.n_frames == 3
    picture.seek(1)
    assert picture.info["duration"] == 500
    path = tmp_path / f"x.{form}"
    steps.animate(path, [0, 1], drawing=drawing)
    with Image.open(path) as picture:
        assert picture.n_frames == 2


BAD = {
    "event": lambda s, p: s.frames(p, [0, 10**6]),
    "negative": lambda s, p: s.frames(p, [-1]),
    "none": lambda s, p: s.frames(p, []),
    "words": lambda s, p: s.frames(p, ["x"]),
    "form": lambda s, p: s.frames(p, [0], form="bmp"),
    "seconds": lambda s, p: s.animate(p / "x.gif", [0], seconds=0),
    "ending": lambda s, p: s.animate(p / "x.html", [0]),
    "ending of save": lambda s, p: s.save(p / "x.exe"),
    "no ending": lambda s, p: s.save(p / "x"),
    "no path": lambda s, p: s.save(3),
    "a NUL": lambda s, p: s.save("x\0.html"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input(steps, tmp_path, name):
    with pytest.raises(errors.MinigradError) as caught:
        BAD[name](steps, tmp_path)
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == []


def test_folders_are_made(steps, drawing, tmp_path):
    assert len(steps.frames(tmp_path / "a" / "b", [0], drawing=drawing)) == 1
    steps.save(tmp_path / "c" / "x.json")
    assert (tmp_path / "c" / "x.json").exists()


def test_too_many_frames(steps, tmp_path, monkeypatch):
    monkeypatch.setattr("minigrad.stepping.play.films.MOST_FRAMES", 5)
    with pytest.raises(errors.GraphError, match="too many"):
        steps.frames(tmp_path)


def test_json_file_plays_again(steps, tmp_path):
    path = tmp_path / "x.json"
    steps.save(path)
    again = mg.Steps.from_json(path.read_bytes())
    assert again.html() == steps.html()
