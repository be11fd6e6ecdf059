"""The picture as one HTML file: pan, zoom, search, folding; nothing is loaded.

The page carries a content security policy that allows its own script and style by their
hashes and nothing else. What it knows about boxes is embedded as JSON, with every
character escaped that could end the element; text of the user's is only ever set as
text.

Read next: `page.js`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from functools import cache
from importlib.resources import files
from typing import Any

from minigrad.drawing.dress import title
from minigrad.drawing.model import Box, Picture
from minigrad.drawing.values import summary
from minigrad.drawing.words import clean, number
from minigrad.graph import line as code_line

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
script-src 'sha256-{script_hash}'; style-src 'sha256-{style_hash}'; \
base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head><body>
<header><h1>{title}</h1>
<input id="mg-search" type="search" placeholder="search ( / )" 
 aria-label="search boxes"> <span id="mg-found" role="status"></span>
<button data-do="fit" title="key 0">fit</button>
<button data-do="in" title="key +" aria-label="zoom in">+</button>
<button data-do="out" title="key -" aria-label="zoom out">−</button>
<button data-do="gates" title="key g">fold gates</button>
<button data-do="steps" title="key s">fold steps</button>
<button data-do="dark" title="key d">light / dark</button></header>
<main aria-label="{title}">{svg}<aside id="mg-note" hidden></aside></main>
<script type="application/json" id="mg-data">{data}</script>
<script>{script}</script></body></html>
"""


@cache
def _asset(name: str) -> tuple[str, str]:
    """A file of the page's, and its hash as a policy has it."""
    text = files("minigrad.drawing").joinpath(name).read_text(encoding="utf-8")
    digest = hashlib.sha256(text.encode()).digest()
    return text, base64.b64encode(digest).decode()


def page(picture: Picture, svg: str, theme: str) -> str:
    """The whole page."""
    style, style_hash = _asset("page.css")
    script, script_hash = _asset("page.js")
    return PAGE.format(
        title=html.escape(clean(picture.title or "minigrad", 80)),
        style=style,
        style_hash=style_hash,
        script=script,
        script_hash=script_hash,
        svg=svg[svg.index("<svg") :],
        data=embedded(
            {"theme": theme, "boxes": _boxes(picture), "folds": _folds(picture)}
        ),
    )


def embedded(data: Any) -> str:
    """JSON that may stand inside a script element."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"))
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def _boxes(picture: Picture) -> dict[str, Any]:
    """What the note about each box says, and what search looks at."""
    box_of = {n: box.id for box in picture.boxes.values() for n in box.nodes}
    found = {}
    for box in picture.boxes.values():
        facts = {"what": title(box, picture.nodes), **_facts(picture, box)}
        words = " ".join([*box.lines, *(s.name for s in box.clusters), facts["what"]])
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
