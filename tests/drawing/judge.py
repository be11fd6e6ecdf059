"""A judge of pictures: looks at one as a teacher would, and names what is wrong.

Each question is about a fault that once was in a picture. `test_judge.py` asks them all
of many pictures, and shows that each question finds its fault.
"""

import math
import re
import subprocess

from minigrad.drawing.arrange.line_labels import around, bezier
from minigrad.drawing.style import LIGHT
from minigrad.drawing.write.dot_attributes import line_words
from minigrad.drawing.write.legend import legend
from minigrad.engine.graph import Leaf
from minigrad.nn import Parameter
from minigrad.reading.text import shape_text

SHAPE = re.compile(r"\d+(×\d+)*( each)?")


def points(curve, count=24):
    """Points along a curve of Bezier pieces."""
    for k in range(0, len(curve) - 3, 3):
        for step in range(count + 1):
            yield bezier(curve[k : k + 4], step / count)


def shapes_are_those_of_values(drawing):
    """A box that takes a value apart shows the shape of what it takes apart."""
    picture = drawing.picture
    for box in picture.boxes.values():
        if box.kind not in ("group", "cell") or not box.nodes:
            continue
        last = picture.nodes[box.nodes[-1]]
        value = last.edges[0].array if last.primitive.multiple else last.outputs[0]
        if value.shape and box.lines[-1] != shape_text(value.shape):
            yield f"{box.lines} has the shape {shape_text(value.shape)}"


def lines_reach_their_boxes(drawing):
    """Both ends of every line lie on the border of a box, or in it."""
    layout = drawing.layout
    for line in drawing.picture.lines:
        curve = layout.lines[line.id]
        for key, (x, y) in ((line.tail, curve[0]), (line.head, curve[-1])):
            bx, by, w, h = layout.boxes[key]
            far = math.hypot(max(abs(x - bx) - w / 2, 0), max(abs(y - by) - h / 2, 0))
            if far > 8.5:  # parallel lines begin up to 8 points beside each other
                yield f"{line.tail} -> {line.head} ends {far:.0f} points from {key}"


def boxes_say_what_they_compute(drawing):
    """A box between the layers shows more than the number of its step."""
    picture = drawing.picture
    for box in picture.boxes.values():
        if box.kind == "cell":
            cell = any(
                level.kind == "cell"
                for n in box.nodes
                for level in picture.nodes[n].scope
            )
            words = [w for w in box.lines[1:] if not SHAPE.fullmatch(w)]
            if not cell and not words:
                yield f"{box.lines} does not say what it is"


def numbers_stand_beside_their_line(drawing):
    """The line that is nearest to a number is the number's own."""
    layout, picture = drawing.layout, drawing.picture
    traced = {line.id: list(points(layout.lines[line.id])) for line in picture.lines}
    for line in picture.lines:
        if line.id not in layout.labels:
            continue
        text = line_words(line, line.id not in layout.branches)
        a, b, c, d = around(layout.labels[line.id], text)
        far = {
            name: min(
                math.hypot(max(a - x, 0, x - c), max(b - y, 0, y - d)) for x, y in way
            )
            for name, way in traced.items()
        }
        nearest = min(far.values())
        if far[line.id] > nearest + 6:
            yield f"{text!r} stands beside another line"


def legend_lists_parameters_apart(drawing):
    """Under "parameters" there are the parameters of modules, and nothing else."""
    owners = {}
    for node in drawing.picture.nodes:
        for edge in node.edges:
            if isinstance(edge.source, Leaf):
                owners[edge.source] = isinstance(edge.source.owner(), Parameter)
    text = "".join(legend(drawing.picture, LIGHT, True))
    for use in drawing.picture.legend:
        known = use.leaf.owner() is not None  # a model may be gone
        if known and use.parameter != owners[use.leaf]:
            yield f"{use.name} is listed as a parameter"
        if use.parameter and use.name.split(" ")[0] in ("x", "h_0", "c_0"):
            yield f"{use.name} is no parameter"
    if "parameters" in text and not any(u.parameter for u in drawing.picture.legend):
        yield "the legend speaks of parameters, and there are none"


def uses_are_counted_forward(drawing):
    """A parameter that each step uses once is used as often as there are steps."""
    uses = {}
    for node in drawing.picture.nodes:
        for edge in node.edges:
            if node.origin is None and isinstance(edge.source, Leaf):
                uses[edge.source] = uses.get(edge.source, 0) + 1
    for use in drawing.picture.legend:
        if use.count != uses.get(use.leaf, 0):
            yield f"{use.name} is used {uses.get(use.leaf, 0)} times, not {use.count}"


def gradients_are_named(drawing):
    """A gradient that is drawn says of what."""
    picture = drawing.picture
    for key in picture.outputs:
        box = picture.boxes[key]
        if box.kind == "op" and box.backward and "dL/d" not in box.lines[0]:
            yield f"{box.lines} is the gradient of what?"


def nothing_lies_over_another(drawing):
    """Boxes do not overlap; numbers do not lie over boxes."""
    layout = drawing.layout
    rects = {
        key: (x - w / 2, y - h / 2, x + w / 2, y + h / 2)
        for key, (x, y, w, h) in layout.boxes.items()
    }
    lines = {line.id: line for line in drawing.picture.lines}
    for name, place in layout.labels.items():
        text = line_words(lines[name], name not in layout.branches)
        a, b, c, d = around(place, text)
        for key, (e, f, g, h) in rects.items():
            if a < g - 1 and c > e + 1 and b < h - 1 and d > f + 1:
                yield f"{text!r} lies over {key}"
    names = list(rects)
    for k, one in enumerate(names):
        a, b, c, d = rects[one]
        for other in names[k + 1 :]:
            e, f, g, h = rects[other]
            if a < g - 1 and c > e + 1 and b < h - 1 and d > f + 1:
                yield f"{one} lies over {other}"


def own_dot_places_bars(drawing, program="dot"):
    """In the DOT text, laid out by `dot` alone, a bar stands below what it feeds."""
    made = subprocess.run(
        [program, "-Tplain"], input=drawing.dot.encode(), capture_output=True
    )
    if made.returncode or made.stderr:
        yield f"dot says {made.stderr.decode()[:100]}"
    rows = [line.split(" ") for line in made.stdout.decode().splitlines()]
    at = {row[1]: float(row[2]) for row in rows if row[0] == "node"}
    picture = drawing.picture
    for box in picture.boxes.values():
        fed = [line.head for line in picture.lines if line.tail == box.id]
        fed = [key for key in fed if picture.boxes[key].kind != "bar"]
        if box.kind == "bar" and len(fed) > 2 and not box.backward:
            places = [at[key] for key in fed]
            if not min(places) <= at[box.id] <= max(places):
                yield f"{box.lines} stands beside what it feeds"


def own_dot_orders_gates(drawing, program="dot"):
    """In the DOT text, laid out by `dot` alone, the steps of a row have their gates in
    one order, and a row of steps is in the order of time."""
    made = subprocess.run(
        [program, "-Tplain"], input=drawing.dot.encode(), capture_output=True
    )
    rows = [line.split(" ") for line in made.stdout.decode().splitlines()]
    at = {row[1]: (float(row[2]), float(row[3])) for row in rows if row[0] == "node"}
    orders, lefts = {}, {}
    for tile in drawing.picture.tiles.values():
        gates = [k for k in tile.boxes if drawing.picture.boxes[k].kind == "gate"]
        if gates:
            levels = sorted(gates, key=lambda k: (round(at[k][1], 1), at[k][0]))
            names = tuple(drawing.picture.boxes[k].lines[0] for k in levels)
            orders.setdefault(tile.row, set()).add(names)
            lefts.setdefault(tile.row, []).append((tile.column, at[gates[0]][0]))
    for row, found in orders.items():
        if len(found) > 1:
            yield f"{row}: the gates stand in different orders: {found}"
    for row, places in lefts.items():
        if [x for _, x in sorted(places)] != sorted(x for _, x in places):
            yield f"{row}: the steps are not in the order of time"


def opens_whole(page):
    """A picture's page, as it opens: no part of the picture is cut off."""
    script = (
        "() => { const a = document.querySelector('main').getBoundingClientRect(),"
        " b = document.querySelector('main > svg').getBoundingClientRect();"
        " return [a.left - b.left, a.top - b.top, b.right - a.right,"
        " b.bottom - a.bottom] }"
    )
    sides = ("left", "top", "right", "bottom")
    for side, over in zip(sides, page.evaluate(script), strict=True):
        if over > 1:
            yield f"{over:.0f} pixels are cut off at the {side}"


def bars_around_a_norm(mathml):
    """What stands below a norm belongs to the norm, not to its second bar."""
    for found in re.finditer(r"<m(sub|sup|subsup|under)>\s*<mo[^>]*>[‖|]</mo>", mathml):
        yield f"{found[0]!r}: only the bar has an index"


QUESTIONS = (
    shapes_are_those_of_values,
    lines_reach_their_boxes,
    boxes_say_what_they_compute,
    numbers_stand_beside_their_line,
    legend_lists_parameters_apart,
    uses_are_counted_forward,
    gradients_are_named,
    nothing_lies_over_another,
)


def faults(drawing):
    """All that is wrong with a picture, in words."""
    return [
        f"{question.__name__}: {fault}"
        for question in QUESTIONS
        for fault in question(drawing)
    ]
