"""The picture as one HTML file: pan, zoom, search, folding; nothing is loaded.

What the page knows about boxes is embedded as JSON; text of the user's is only ever set
as text.

Its script is `picture_page.js`.

Read next: `minigrad/stepping/` (the events of a pass, one by one).
"""

from __future__ import annotations

import html
import re
from typing import Any

from minigrad.drawing.arrange.layout import Layout
from minigrad.drawing.read.picture import Box, Picture
from minigrad.drawing.read.values import summary
from minigrad.drawing.write.dot_attributes import title as box_title
from minigrad.engine import scope
from minigrad.engine.user_code import line as code_line
from minigrad.pages.glossary import BUTTON
from minigrad.pages.page import asset, document
from minigrad.reading.text import clean, number

COLOUR = re.compile(r'(?<=\s)(?:fill|stroke)="([^"]*)"')
BODY = """<header><h1>{title}</h1>
<div role="search"><input id="mg-search" type="search" placeholder="search ( / )"
 aria-label="search boxes"><span id="mg-found" role="status"></span></div>
<div role="toolbar" aria-label="view">
<button data-do="fit" title="all of it (key 0)">fit</button>
<button data-do="in" title="larger (key +)" aria-label="zoom in">+</button>
<button data-do="out" title="smaller (key -)" aria-label="zoom out">−</button>
<button data-do="gates" title="key g" aria-pressed="false">fold gates</button>
<button data-do="steps" title="key s" aria-pressed="false">fold steps</button>
<button data-do="dark" title="key d" aria-pressed="false">dark</button>
{words}</div></header>
<main aria-label="{title}">{svg}<aside id="mg-note" aria-label="about this box" hidden>
<button id="mg-close" aria-label="close">×</button><dl></dl></aside></main>
<footer>drag or arrow keys: move · wheel, pinch, + and −: zoom · click a frame: fold ·
click a box: what it is</footer>"""


def page(
    picture: Picture, layout: Layout, svg: str, theme: str, other: str | None = None
) -> str:
    """The whole page. `other`: the SVG in the other theme, for its colours."""
    title = picture.title or "minigrad"
    return document(
        title,
        BODY.format(
            title=html.escape(clean(title, 80)),
            words=BUTTON,
            svg=svg[svg.index("<svg") :],
        ),
        style=asset("minigrad.drawing.write", "picture_page.css"),
        script=asset("minigrad.drawing.write", "picture_page.js"),
        data={
            "theme": theme,
            "boxes": _boxes(picture),
            "folds": _folds(picture, layout),
            "colours": _colours(svg, other) if other else None,
        },
    )


def _colours(svg: str, other: str) -> dict[str, Any] | None:
    """The other theme's colours, in the order of the picture's own: a palette, and for
    each colour that is written in the SVG its number in the palette."""
    here = re.findall(COLOUR, svg[svg.index("<svg") :])
    there = re.findall(COLOUR, other[other.index("<svg") :])
    if len(here) != len(there):
        return None
    palette = {colour: k for k, colour in enumerate(dict.fromkeys(there))}
    return {"palette": list(palette), "used": [palette[colour] for colour in there]}


def _boxes(picture: Picture) -> dict[str, Any]:
    """What the note about each box says, and what search looks at."""
    box_of = {n: box.id for box in picture.boxes.values() for n in box.nodes}
    numbers = {node: n for n, node in enumerate(picture.nodes)}
    gradients = {
        line.tail: line.gradient for line in picture.lines if line.gradient is not None
    }
    found = {}
    for box in picture.boxes.values():
        facts = {"what": box_title(box, picture.nodes), **_facts(picture, box)}
        if box.id in gradients:
            facts["gradient"] = number(gradients[box.id])
        scopes = [clean(level) for level in box.clusters]
        words = " ".join([*box.lines, *scopes, facts["what"], box.name])
        found[box.id] = {"facts": facts, "search": words.lower()}
        if box.saved:
            found[box.id]["tied"] = [box.saved]
        if box.backward:
            origins = {picture.nodes[n].origin for n in box.nodes}
            tied = {box_of.get(numbers.get(o, -1)) for o in origins if o is not None}
            found[box.id]["tied"] = sorted(name for name in tied if name)
    return found


def _facts(picture: Picture, box: Box) -> dict[str, str]:
    facts = {}
    if box.name:
        facts["called"] = box.name
    if box.nodes and box.kind != "elision":
        node = picture.nodes[box.nodes[-1]]
        place = code_line(node.where)
        if place is not None:
            facts["line"] = clean(f"{place[0].rpartition('/')[2]}:{place[1]}", 80)
        facts["place"] = clean(scope.path(node.scope), 120)
    if box.array is not None:
        facts["value"] = ", ".join(part for part in summary(box.array) if part)
    return facts


def _folds(picture: Picture, layout: Layout) -> dict[str, Any]:
    """What each cluster hides when folded: its boxes, heat maps, lines and inner
    clusters. What stands beside its step (an initial state) is not hidden."""

    def within(key: str) -> bool:
        x0, _, x1, _ = layout.tiles.get(picture.boxes[key].tile, (0, 0, 0, 0))
        return x0 <= layout.boxes[key][0] <= x1

    folds: dict[str, Any] = {}
    of_box: dict[str, set[str]] = {}
    for tile in picture.tiles.values():
        if tile.kind != "step":
            continue
        boxes = [key for key in tile.boxes if within(key)]
        inside = {"title": tile.title, "kind": "step", "boxes": boxes}
        folds[tile.id] = {**inside, "lines": _heat(picture, boxes), "inner": []}
        for key in boxes:
            of_box.setdefault(key, set()).add(tile.id)
    for (tile_id, levels), name in picture.cluster_ids().items():
        boxes = [
            key
            for key in picture.tiles[tile_id].boxes
            if picture.boxes[key].clusters[: len(levels)] == levels
            and (tile_id not in folds or within(key))
        ]
        kind = "gate" if levels[-1].kind == "gate" else "scope"
        inside = {"title": clean(levels[-1].name), "kind": kind, "boxes": boxes}
        folds[name] = {**inside, "lines": _heat(picture, boxes), "inner": []}
        for key in boxes:
            of_box.setdefault(key, set()).add(name)
        if tile_id in folds:
            folds[tile_id]["inner"].append(name)
    for line in picture.lines:
        for name in of_box.get(line.tail, set()) & of_box.get(line.head, set()):
            folds[name]["lines"].append(line.id)
    return folds


def _heat(picture: Picture, boxes: list[str]) -> list[str]:
    """The ids of the heat maps in these boxes."""
    return [
        f"{key}_heat{k}" for key in boxes for k in range(len(picture.boxes[key].heat))
    ]
