"""The picture as one HTML file: pan, zoom, search, folding; nothing is loaded.

What the page knows about boxes is embedded as JSON; text of the user's is only ever set
as text.

Read next: `page.js`.
"""

from __future__ import annotations

import html
from typing import Any

from minigrad.drawing.dress import title as box_title
from minigrad.drawing.model import Box, Picture
from minigrad.drawing.values import summary
from minigrad.graph import line as code_line
from minigrad.pages import asset, document
from minigrad.words import clean, number

BODY = """<header><h1>{title}</h1>
<input id="mg-search" type="search" placeholder="search ( / )" 
 aria-label="search boxes"> <span id="mg-found" role="status"></span>
<button data-do="fit" title="key 0">fit</button>
<button data-do="in" title="key +" aria-label="zoom in">+</button>
<button data-do="out" title="key -" aria-label="zoom out">−</button>
<button data-do="gates" title="key g">fold gates</button>
<button data-do="steps" title="key s">fold steps</button>
<button data-do="dark" title="key d">light / dark</button></header>
<main aria-label="{title}">{svg}<aside id="mg-note" hidden></aside></main>"""


def page(picture: Picture, svg: str, theme: str) -> str:
    """The whole page."""
    title = picture.title or "minigrad"
    return document(
        title,
        BODY.format(title=html.escape(clean(title, 80)), svg=svg[svg.index("<svg") :]),
        style=asset("minigrad.drawing", "page.css"),
        script=asset("minigrad.drawing", "page.js"),
        data={"theme": theme, "boxes": _boxes(picture), "folds": _folds(picture)},
    )


def _boxes(picture: Picture) -> dict[str, Any]:
    """What the note about each box says, and what search looks at."""
    box_of = {n: box.id for box in picture.boxes.values() for n in box.nodes}
    found = {}
    for box in picture.boxes.values():
        facts = {"what": box_title(box, picture.nodes), **_facts(picture, box)}
        scopes = [clean(level.name) for level in box.clusters]
        words = " ".join([*box.lines, *scopes, facts["what"]])
        found[box.id] = {"facts": facts, "search": words.lower()}
        if box.saved:
            found[box.id]["tied"] = [box.saved]
        if box.backward:
            numbers = {node: n for n, node in enumerate(picture.nodes)}
            origins = {picture.nodes[n].origin for n in box.nodes}
            tied = {box_of.get(numbers.get(o, -1)) for o in origins if o is not None}
            found[box.id]["tied"] = sorted(name for name in tied if name)
    return found


def _facts(picture: Picture, box: Box) -> dict[str, str]:
    facts = {}
    if box.nodes and box.kind != "elision":
        node = picture.nodes[box.nodes[-1]]
        place = code_line(node.where)
        if place is not None:
            facts["line"] = clean(f"{place[0].rpartition('/')[2]}:{place[1]}", 80)
        facts["place"] = clean(" / ".join(str(level) for level in node.scope), 120)
    if box.array is not None:
        facts["value"] = ", ".join(part for part in summary(box.array) if part)
    for line in picture.lines if len(picture.lines) < 3000 else ():
        if line.tail == box.id and line.gradient is not None:
            facts["gradient"] = number(line.gradient)
    return facts


def _folds(picture: Picture) -> dict[str, Any]:
    """What each cluster hides when folded: its boxes, lines and inner clusters."""
    folds: dict[str, Any] = {}
    of_box: dict[str, set[str]] = {}
    for tile in picture.tiles.values():
        if tile.kind != "step":
            continue
        inside = {"title": tile.title, "kind": "step", "boxes": [*tile.boxes]}
        folds[tile.id] = {**inside, "lines": [], "inner": []}
        for key in tile.boxes:
            of_box.setdefault(key, set()).add(tile.id)
    for (tile_id, path), name in picture.cluster_ids().items():
        boxes = [
            key
            for key in picture.tiles[tile_id].boxes
            if picture.boxes[key].clusters[: len(path)] == path
        ]
        kind = "gate" if path[-1].kind == "gate" else "scope"
        inside = {"title": clean(path[-1].name), "kind": kind, "boxes": boxes}
        folds[name] = {**inside, "lines": [], "inner": []}
        for key in boxes:
            of_box.setdefault(key, set()).add(name)
        if tile_id in folds:
            folds[tile_id]["inner"].append(name)
    for line in picture.lines:
        for name in of_box.get(line.tail, set()) & of_box.get(line.head, set()):
            folds[name]["lines"].append(line.id)
    return folds
