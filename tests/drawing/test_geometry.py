"""Every picture by its layout's own coordinates, with each engine that is there."""

import itertools
import json
import os
import shlex
import stat
import sys
import time
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

import minigrad as mg
from minigrad.drawing import engines
from minigrad.errors import DrawingError
from minigrad.graph import ancestors
from models import GRU, LSTM, RNN

MODELS = {"rnn": RNN, "lstm": LSTM, "gru": GRU}
LEVELS = ("cell", "gate", "op")
CASES = [
    *((kind, {}) for kind in MODELS),
    *((kind, {"num_layers": 2, "bidirectional": True}) for kind in MODELS),
    ("lstm", {"peephole": "current"}),
    ("lstm", {"couple": "input"}),
    ("gru", {"reset": "before", "update": "take"}),
]


def unrolled(kind, steps=3, **options):
    model = MODELS[kind](3, 4, rng=0, **options)
    x = np.random.default_rng(steps).standard_normal((steps, 2, 3))
    return model(mg.tensor(x, name="x"))[0]


def rendered(drawing):
    """Rectangles of nodes and of texts beside lines, and texts outside their box."""
    rects, labels, outside = {}, {}, []
    picture = json.loads(drawing.render("json"))
    for thing in picture["objects"]:
        if "bb" in thing or "pos" not in thing or "_heat" in thing["name"]:
            continue  # a heat map lies in its box
        x, y = map(float, thing["pos"].split(","))
        w, h = float(thing["width"]) * 72, float(thing["height"]) * 72
        rects[thing["name"]] = x0, _, x1, _ = x - w / 2, y - h / 2, x + w / 2, y + h / 2
        for item in thing.get("_ldraw_", ()):
            if item["op"] == "T":
                half = 0 if item["align"] == "l" else item["width"] / 2
                left = item["pt"][0] - half
                if left < x0 - 1 or left + item["width"] > x1 + 1:
                    outside.append(item["text"])
    for edge in picture.get("edges", ()):
        for item in edge.get("_ldraw_", ()):
            if item["op"] == "T":
                (x, y), half = item["pt"], item["width"] / 2
                labels[f"label {edge['id']}"] = (x - half, y - 2, x + half, y + 7)
    return rects, labels, outside


def overlapping(rects):
    order = sorted(rects.items(), key=lambda item: item[1][0])
    return [
        (name, other)
        for k, (name, (_, b, c, d)) in enumerate(order)
        for other, (e, f, _, h) in itertools.islice(order, k + 1, None)
        if e < c - 0.5 and f < d - 0.5 and h > b + 0.5
    ]


@pytest.mark.parametrize("engine", engines.installed())
@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("kind", "options"), CASES)
def test_nothing_overlaps_and_texts_are_in_their_boxes(
    kind, options, level, numbers, engine
):
    y = unrolled(kind, **options)
    loss = (y * y).mean()
    drawing = mg.draw(
        loss, level=level, values=numbers, gradients=numbers, engine=engine
    )
    rects, labels, outside = rendered(drawing)
    assert overlapping({**rects, **labels}) == []
    assert outside == []


@pytest.mark.parametrize("engine", engines.installed())
@pytest.mark.parametrize(("kind", "options"), CASES)
def test_op_level_has_every_operation_and_edge(kind, options, engine):
    y = unrolled(kind, **options)
    drawing = mg.draw(y, engine=engine)
    nodes = ancestors([y.node])
    assert sum(bool(b.nodes) for b in drawing.picture.boxes.values()) == len(nodes)
    edges = sum(len(node.edges) for node in nodes)
    svg = drawing.svg()
    ElementTree.fromstring(svg)
    assert svg.count('class="edge') == len(drawing.picture.lines) == edges
    assert drawing.dot.count(" -> ") - drawing.dot.count("root ->") >= edges


@pytest.mark.parametrize("engine", engines.installed())
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("kind", MODELS)
def test_steps_are_alike_in_order_and_states_straight(kind, level, engine):
    drawing = mg.draw(unrolled(kind, 5), level=level, engine=engine)
    picture, layout = drawing.picture, drawing.layout
    rects = [layout.tiles[f"r1_t{t}"] for t in range(5)]
    assert [r[0] for r in rects] == sorted(r[0] for r in rects)
    assert len({(r[1], r[3]) for r in rects}) == 1
    inside = [
        [
            (layout.boxes[key][0] - rect[0], layout.boxes[key][1])
            for key in picture.tiles[f"r1_t{t}"].boxes
            if picture.boxes[key].lines[0] not in ("h0", "c0")
        ]
        for t, rect in enumerate(rects)
    ]
    assert all(np.allclose(places, inside[1], atol=0.5) for places in inside)
    heights = {}
    for line in picture.lines:
        if line.kind == "state":
            start = round(layout.lines[line.id][0][1])
            heights.setdefault(line.label, set()).add(start)
    assert sorted(heights) == (["c", "h"] if kind == "lstm" else ["h"])
    assert all(len(found) == 1 for found in heights.values())


@pytest.mark.parametrize("kind", MODELS)
def test_gradients_move_nothing(kind):
    y = unrolled(kind)
    loss = (y * y).mean()
    assert mg.draw(loss).layout.boxes == mg.draw(loss, gradients=True).layout.boxes


@pytest.mark.skipif(os.name != "posix", reason="only where scripts run")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("time.sleep(60)", "took longer than 1 s and was stopped"),
        ("sys.exit(3)", "gave exit code 3"),
        ("os.kill(os.getpid(), 11)", "was ended by signal 11"),
        ("sys.stdin.read(); print('{')", "is not a layout"),
        ("print('version 2.26.3', file=sys.stderr); sys.exit('-V' not in sys.argv)",
         "2.26.3 is too old"),
    ],
)  # fmt: skip
def test_a_dot_that_fails_is_one_clear_error(body, said, tmp_path, monkeypatch):
    path = tmp_path / "bin" / "dot"
    path.parent.mkdir()
    program = tmp_path / "program.py"
    program.write_text(f"import os, sys, time\n{body}\n")
    # By way of a shell: the first line of a script has no room for an interpreter
    # whose path holds a space.
    command = shlex.join([sys.executable, str(program)])
    path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("PATH", str(path.parent), prepend=os.pathsep)
    start = time.monotonic()
    with pytest.raises(DrawingError) as caught:
        mg.draw(unrolled("rnn"), engine="dot", timeout=1).save(tmp_path / "x.svg")
    assert said in str(caught.value)
    assert time.monotonic() - start < 15
    assert not (tmp_path / "x.svg").exists()
