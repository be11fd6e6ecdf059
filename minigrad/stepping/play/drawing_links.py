"""Which box and which lines of a drawing belong to an operation, and where they are.

Read next: `player_page.py`.
"""

from __future__ import annotations

import re
from typing import Any

from minigrad.drawing import Drawing


def ties(steps: Any, drawing: Drawing, svg: str) -> dict[str, Any]:
    """Which box, which line: what the page needs to light the drawing."""
    picture = drawing.picture
    boxes: dict[int, str] = {}
    for box in picture.boxes.values():
        boxes.update(dict.fromkeys(box.nodes, box.id))
    lines: dict[str, str] = {}
    leaving: dict[int, list[str]] = {}
    ghosts: dict[int, list[str]] = {}
    for line in picture.lines:
        for number, k in line.uses:
            lines[f"{number},{k}"] = line.id
            value = steps.values[steps.operations[number].inputs[k]]
            if value.operation is not None:
                known = leaving.setdefault(value.operation, [])
                if line.id not in known:
                    known.append(line.id)
            elif line.tail not in ghosts.setdefault(value.target, []):
                ghosts[value.target].append(line.tail)
    return {
        "boxes": boxes,
        "lines": lines,
        "tails": {line.id: line.tail for line in picture.lines},
        "ends": {line.id: [line.tail, line.head] for line in picture.lines},
        "leaving": leaving,
        "ghosts": ghosts,
        "areas": _areas(drawing, svg) if svg else {},
    }


def _areas(drawing: Drawing, svg: str) -> dict[str, list[float]]:
    """Where each box is in the SVG: left, top, width, height, in points."""
    right, down = offset(drawing, svg)
    return {
        key: [round(n, 1) for n in (x - w / 2 + right, down - y - h / 2, w, h)]
        for key, (x, y, w, h) in drawing.layout.boxes.items()
    }


def offset(drawing: Drawing, svg: str) -> tuple[float, float]:
    """What to add to a position (x, -y) of the layout, to have it in the SVG.

    Graphviz moves the picture so that it begins at 0; by how much is read off one box.
    """
    moved = re.search(r"translate\(([-\d.]+)[ ,]+([-\d.]+)\)", svg)
    key, (x, y, _, _) = next(
        (key, box)
        for key, box in drawing.layout.boxes.items()
        if drawing.picture.boxes[key].kind in ("op", "bar", "gate", "cell", "group")
    )
    element = re.search(
        rf'<g id="{key}" class="node.*?\s(?:points|d|cx)="([^"]+)"(?: cy="([^"]+)")?',
        svg,
        re.S,
    )
    assert moved and element, "bug: an SVG that is not of Graphviz"
    numbers = [float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", element[1])]
    if element[2]:  # a circle
        at = numbers[0], float(element[2])
    else:
        xs, ys = numbers[::2], numbers[1::2]
        at = (min(xs) + max(xs)) / 2, (min(ys) + max(ys)) / 2
    return at[0] - x + float(moved[1]), at[1] + y + float(moved[2])
