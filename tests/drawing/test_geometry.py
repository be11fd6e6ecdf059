"""Every picture by its layout's own coordinates, with each engine that is there."""

import itertools
import json

import numpy as np
import pytest
from drawn import LEVELS, NAMES, example, gradients_of, loss_of, needs_an_engine

import minigrad as mg
from minigrad.drawing.arrange.state_lines import States
from minigrad.drawing.write import graphviz_engines

CASES = [
    *(("dot", name, level) for name in NAMES for level in LEVELS),
    *(("pygraphviz", "lstm", level) for level in LEVELS),
    ("pygraphviz", "gru-two-layers-bidirectional", "gate"),
    ("pygraphviz", "plain", "op"),
]
here = [case for case in CASES if case[0] in graphviz_engines.installed()]


def rendered(drawing):
    """Rectangles of nodes and of texts beside lines, and texts outside their box."""
    rects, labels, outside = {}, {}, []
    picture = json.loads(drawing.render("json"))
    for thing in picture["objects"]:
        if "bb" in thing or "pos" not in thing or "_heat" in thing["name"]:
            continue
        x, y = map(float, thing["pos"].split(","))
        w, h = float(thing["width"]) * 72, float(thing["height"]) * 72
        rects[thing["name"]] = x0, y0, x1, y1 = (
            x - w / 2, y - h / 2, x + w / 2, y + h / 2,
        )  # fmt: skip
        size = 0
        for item in thing.get("_ldraw_", ()):
            size = item.get("size", size)
            if item["op"] == "T" and item["text"]:
                half = 0 if item["align"] == "l" else item["width"] / 2
                (left, base) = item["pt"][0] - half, item["pt"][1]
                across = left < x0 - 1 or left + item["width"] > x1 + 1
                if across or base < y0 or base + size * 0.75 > y1 + 1:
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


def within(inner, outer, room=0.5):
    """Does one rectangle lie in another?"""
    (a, b, c, d), (e, f, g, h) = inner, outer
    return a >= e - room and b >= f - room and c <= g + room and d <= h + room


def check_frames(drawing):
    """Each box is within its step and its gates, and in no other's; steps apart."""
    picture, layout = drawing.picture, drawing.layout
    initial = States(picture).initial  # they stand beside the first step, not in it
    gates = {}
    for tile, names in layout.clusters:
        gates.setdefault(tile, []).append(names)
    for key, (x, y, w, h) in layout.boxes.items():
        rect = (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        box = picture.boxes[key]
        own = tuple(level.name for level in box.clusters)
        for names in gates.get(box.tile, ()):
            frame = layout.clusters[box.tile, names]
            if own[: len(names)] == names and len(own) >= len(names):
                if within(rect, frame) or key in initial:
                    continue
                raise AssertionError(f"{key} is outside {names}")
            assert not overlapping({"box": rect, "gate": frame}), (key, names)
        tile = layout.tiles.get(box.tile)
        if tile is not None and key not in initial:
            assert within(rect, tile), key
    for (tile, _), frame in layout.clusters.items():
        if tile in layout.tiles:
            assert within(frame, layout.tiles[tile])
    assert overlapping(layout.tiles) == []


def check(drawing):
    rects, labels, outside = rendered(drawing)
    assert overlapping({**rects, **labels}) == []
    assert outside == []
    check_frames(drawing)


@pytest.mark.parametrize(("engine", "name", "level"), here)
def test_nothing_overlaps_and_texts_are_in_their_boxes(engine, name, level):
    loss = loss_of(name, batch=2, hidden=4)
    check(mg.draw(loss, level, values=True, gradients=True, engine=engine))


@pytest.mark.parametrize("name", NAMES)
def test_without_numbers_too_and_gradients_move_nothing(name):
    needs_an_engine()
    loss = loss_of(name)
    bare = mg.draw(loss)
    check(bare)
    sized = mg.draw(loss, gradients=True)
    assert bare.layout.boxes == sized.layout.boxes
    assert bare.layout.lines == sized.layout.lines


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru-before-take"])
def test_the_backward_graph_has_room_too(name, level):
    needs_an_engine()
    check(mg.draw(gradients_of(name), level))


@pytest.mark.parametrize("steps", [1, 10, 100])
@pytest.mark.parametrize("level", LEVELS)
def test_short_and_long_sequences(steps, level):
    needs_an_engine()
    check(mg.draw(example("lstm", steps), level))
    if level == "cell":
        check(mg.draw(example("lstm", steps), level, max_steps=None))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", ["rnn", "lstm", "gru"])
def test_steps_are_alike_in_order_and_states_straight(name, level):
    needs_an_engine()
    drawing = mg.draw(example(name, 5), level)
    picture, layout = drawing.picture, drawing.layout
    initial = States(picture).initial
    rects = [layout.tiles[f"r1_t{t}"] for t in range(5)]
    assert [r[0] for r in rects] == sorted(r[0] for r in rects)
    assert len({(r[1], r[3]) for r in rects}) == 1
    inside = [
        [
            (layout.boxes[key][0] - rect[0], layout.boxes[key][1])
            for key in picture.tiles[f"r1_t{t}"].boxes
            if key not in initial
        ]
        for t, rect in enumerate(rects)
    ]
    assert all(np.allclose(places, inside[1], atol=0.5) for places in inside)
    heights = {}
    for line in picture.lines:
        if line.kind == "state":
            start = round(layout.lines[line.id][0][1])
            letter, _, number = line.label.partition("_")
            heights.setdefault(letter, set()).add(start)
            assert int(number) in range(1, 5)
    assert sorted(heights) == (["c", "h"] if name == "lstm" else ["h"])
    assert all(len(found) == 1 for found in heights.values())


def test_layers_lie_above_one_another_and_both_directions_side_by_side():
    needs_an_engine()
    drawing = mg.draw(example("gru-two-layers-bidirectional"), "gate")
    rows = [row for row in drawing.picture.rows if row.title]
    titles = [row.title for row in rows]
    assert titles == [
        "layer 0, GRU", "layer 0 reverse, GRU", "layer 1, GRU", "layer 1 reverse, GRU",
    ]  # fmt: skip
    assert [row.reverse for row in rows] == [False, True, False, True]
    heights = [drawing.layout.rows[row.id][1] for row in rows]
    assert heights == sorted(heights)
    for row in rows:
        state = [
            drawing.layout.lines[line.id]
            for line in drawing.picture.lines
            if line.kind == "state"
            and drawing.picture.boxes[line.tail].tile[:2] == row.id
        ]
        assert state
        assert all((way[-1][0] < way[0][0]) == row.reverse for way in state)
