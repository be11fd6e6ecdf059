"""Every model and level in every format: well-formed, and nothing lost on the way."""

import collections
import json
import re
import shutil
import struct
import subprocess
import xml.etree.ElementTree as ElementTree

import pytest
from drawn import LEVELS, NAMES, example, gradients_of, loss_of, needs_an_engine

import minigrad as mg
from minigrad.engine.graph import Node, ancestors

SVG = "{http://www.w3.org/2000/svg}"
every = pytest.mark.parametrize("name", NAMES)


def uses_of(nodes):
    """(operation, input) of every edge of the graph."""
    return {(n, k) for n, node in enumerate(nodes) for k in range(len(node.edges))}


def graph_of(svg):
    """The ids of the boxes and lines of an SVG picture; each is there once."""
    found = {"node": [], "edge": []}
    for group in ElementTree.fromstring(svg).iter(f"{SVG}g"):
        kind = group.get("class", "-").split()[0]
        if kind in found:
            found[kind].append(group.get("id"))
    for ids in found.values():
        assert len(ids) == len(set(ids))
    # What stands for nothing in the graph.
    beside = r"legend|scale|node|pass\d|\w+_heat"
    boxes = {name for name in found["node"] if not re.match(beside, name)}
    return boxes, set(found["edge"])


def page_parts(page):
    """The SVG of a page, and what its script is told."""
    start, end = page.index("<svg"), page.rindex("</svg>") + len("</svg>")
    [data] = re.findall(r'id="mg-data">(.*?)</script>', page, re.S)
    return page[start:end], json.loads(data)


@every
@pytest.mark.parametrize("level", LEVELS)
def test_boxes_and_lines_stand_for_the_whole_graph(name, level):
    output = example(name)
    picture = mg.draw(output, level).picture
    nodes = ancestors([output.node])
    # Each operation is in one box, each edge on one line, or within a box.
    inside = [n for box in picture.boxes.values() for n in box.nodes]
    assert sorted(inside) == list(range(len(nodes)))
    drawn = collections.Counter(use for line in picture.lines for use in line.uses)
    assert set(drawn.values()) == {1} and set(drawn) <= uses_of(nodes)
    box_of = {n: box for box in picture.boxes.values() for n in box.nodes}
    for n, k in uses_of(nodes) - set(drawn):
        source = nodes[n].edges[k].source
        assert level != "op" and len(box_of[n].nodes) > 1
        assert source is None or box_of[nodes.index(source)] is box_of[n]
    # And each line joins the boxes of the two ends of its edges.
    for line in picture.lines:
        for n, k in line.uses:
            source = nodes[n].edges[k].source
            assert box_of[n].id == line.head
            if type(source) is Node:
                assert box_of[nodes.index(source)].id == line.tail
            else:
                assert picture.boxes[line.tail].leaf is source


@every
def test_all_levels_are_the_same_in_svg_and_page(name):
    needs_an_engine()
    output = loss_of(name)
    for level in LEVELS:
        drawing = mg.draw(output, level, gradients=True, values=True)
        boxes, lines = set(drawing.picture.boxes), drawing.picture.lines
        everything = (boxes, {line.id for line in lines})
        assert graph_of(drawing.svg()) == everything
        svg, data = page_parts(drawing.html())
        assert graph_of(svg) == everything
        assert set(data["boxes"]) == boxes
        if level == "op":
            edges = sum(len(node.edges) for node in ancestors([output.node]))
            assert len(lines) == edges


def parsed(texts):
    """What Graphviz' own parser makes of DOT texts: (boxes, lines) of each."""
    pygraphviz = pytest.importorskip("pygraphviz", reason="needs pygraphviz")
    for text in texts:
        graph = pygraphviz.AGraph(string=text)
        boxes = {n for n in graph.nodes() if n != "root" and "legend" not in n}
        seen = [e for e in graph.edges() if "invis" not in (e.attr["style"] or "")]
        # What comes from above is written from its end, for dot's order.
        lines = [tuple(e)[::-1] if e.attr["dir"] == "back" else tuple(e) for e in seen]
        names = {n for n in boxes if n.startswith("w_")}  # lines go through them
        into = {b: a for a, b in lines if b in names}
        out = {a: b for a, b in lines if a in names}
        whole = [(a, b) for a, b in lines if a not in names and b not in names]
        whole += [(into[name], out[name]) for name in names]
        yield boxes - names, sorted((str(a), str(b)) for a, b in whole)


@pytest.fixture(scope="module")
def drawings():
    return [mg.draw(example(name), level) for name in NAMES for level in LEVELS]


def test_dot_text_holds_every_box_and_line(drawings):
    for drawing, (boxes, lines) in zip(
        drawings, parsed(d.dot for d in drawings), strict=True
    ):
        assert boxes == set(drawing.picture.boxes)
        pairs = sorted((line.tail, line.head) for line in drawing.picture.lines)
        assert lines == pairs


def test_the_program_alone_lays_the_text_out(drawings):
    """`dot -Tsvg x.dot`, without minigrad, shows the same boxes and lines."""
    program = shutil.which("dot")
    if not program:
        pytest.skip("needs dot")
    text = "".join(drawing.dot for drawing in drawings)
    made = subprocess.run([program, "-Tsvg"], input=text.encode(), capture_output=True)
    assert made.returncode == 0 and not made.stderr
    pictures = made.stdout.split(b"<?xml")[1:]
    for drawing, svg in zip(drawings, pictures, strict=True):
        boxes, lines = graph_of(b"<?xml" + svg)
        assert boxes == set(drawing.picture.boxes)
        assert lines >= {line.id for line in drawing.picture.lines}


def test_parallel_edges_are_kept():
    needs_an_engine()
    x = mg.tensor([3.0], requires_grad=True, name="x")
    y = x * x
    drawing = mg.draw(y * y)
    pairs = [(line.tail, line.head) for line in drawing.picture.lines]
    assert pairs == [("l0_r0_out0", "n0")] * 2 + [("n0", "n1")] * 2
    assert graph_of(drawing.svg())[1] == {"e0", "e1", "e2", "e3"}
    curves = [drawing.layout.lines[f"e{k}"] for k in range(4)]
    assert curves[0] != curves[1] and curves[2] != curves[3]


@pytest.mark.parametrize("level", LEVELS)
def test_pictures_and_documents_have_their_magic(level, tmp_path):
    needs_an_engine()
    drawing = mg.draw(loss_of("lstm"), level, values=True)
    for ending in ("png", "pdf", "svg", "html", "dot"):
        drawing.save(tmp_path / f"x.{ending}")
    png, pdf = ((tmp_path / f"x.{e}").read_bytes() for e in ("png", "pdf"))
    assert png.startswith(b"\x89PNG\r\n\x1a\n") and png.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", png[16:24])
    assert width > drawing.layout.width and height > drawing.layout.height
    assert pdf.startswith(b"%PDF-") and pdf.rstrip().endswith(b"%%EOF")
    assert (tmp_path / "x.svg").read_text() == drawing.svg()
    assert (tmp_path / "x.html").read_text() == drawing.html()
    assert (tmp_path / "x.dot").read_text() == drawing.dot
    assert len(list(tmp_path.iterdir())) == 5


def test_a_wide_picture_is_no_huge_bitmap():
    needs_an_engine()
    drawing = mg.draw(example("rnn", 150), "cell", max_steps=None)
    width, height = struct.unpack(">II", drawing.render("png")[16:24])
    assert drawing.layout.width > 12000 and width <= 16500 and width * height < 7e7


def test_the_backward_graph_is_whole_too():
    needs_an_engine()
    grads = gradients_of("lstm")
    nodes = ancestors([g.node for g in grads])
    drawing = mg.draw(grads)
    assert sum(len(b.nodes) for b in drawing.picture.boxes.values()) == len(nodes)
    assert {u for line in drawing.picture.lines for u in line.uses} == uses_of(nodes)
    assert len(drawing.picture.lines) == len(uses_of(nodes))
    boxes, lines = graph_of(drawing.svg())
    assert boxes == set(drawing.picture.boxes)
    assert len(lines) == len(drawing.picture.lines)


def test_source_is_a_graphviz_source():
    graphviz = pytest.importorskip("graphviz", reason="needs graphviz")
    drawing = mg.draw(example("rnn"))
    assert isinstance(drawing.source, graphviz.Source)
    assert drawing.source.source == drawing.dot
