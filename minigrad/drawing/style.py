"""The style of a picture: fonts, sizes, and colours for a light and a dark theme.

The hues are Okabe and Ito's, made for colour-blind readers; each kind of box also has a
border or a shape of its own, so that a black-and-white print says the same.

Read next: `minigrad/drawing/arrange/` (from a picture to places).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from minigrad.drawing.read.operation_symbols import text_width
from minigrad.drawing.read.picture import Box

if TYPE_CHECKING:
    from minigrad.drawing.read.values import Scale

GHOSTS = ("weight", "input", "constant", "saved")  # kinds of boxes for users' tensors
FONT = "Helvetica,Arial,DejaVu Sans,sans-serif"
SIZE = 11.0  # of text in boxes, points
SMALL = 9.0  # of ghosts, labels on lines, titles of gates
ROUND = 24.0  # diameter of a circle
HEAT = 7.0  # height of a row of a heat map

# The colour of a gate or state, by its letter (`GATES` in `engine/scope.py`). The two
# candidates, an LSTM's g and a GRU's n, share one.
HUES = {
    "i": "#009E73",
    "f": "#D55E00",
    "g": "#E69F00",
    "n": "#E69F00",
    "o": "#0072B2",
    "r": "#CC79A7",
    "z": "#56B4E9",
    "c": "#8A6D00",
    "h": "#4A5AA8",
}
OTHER = "#7A7A7A"


@dataclass(frozen=True)
class Theme:
    """The colours that are not hues of gates."""

    name: str
    paper: str
    ink: str
    faint: str  # lines between boxes
    tile: str  # background of a time step
    edge: str  # its border
    box: str  # fill of an operation
    quiet: str  # text of ghosts
    weight: str
    input: str
    backward: str  # boxes and lines of a recorded backward pass
    tint: float  # how much of a hue goes into a gate's background
    strong: float  # ... and into its boxes


LIGHT = Theme(
    "light", "#FFFFFF", "#1B1F24", "#5B6470", "#F6F7F9", "#C9CFD6", "#FFFFFF",
    "#4A525C", "#82559B", "#2F7D4F", "#A3401A", 0.13, 0.30,
)  # fmt: skip
DARK = Theme(
    "dark", "#14171B", "#ECEFF3", "#98A2AE", "#1C2026", "#424A54", "#262B32",
    "#B9C1CB", "#C9A3DC", "#7CCB9A", "#FF9E6D", 0.18, 0.42,
)  # fmt: skip
THEMES = {"light": LIGHT, "dark": DARK}


@lru_cache(maxsize=1024)
def mix(colour: str, ground: str, part: float) -> str:
    """`part` of a colour on a ground, as #rrggbb."""
    a = [int(colour[k : k + 2], 16) for k in (1, 3, 5)]
    b = [int(ground[k : k + 2], 16) for k in (1, 3, 5)]
    return "#" + "".join(
        f"{round(x * part + y * (1 - part)):02x}" for x, y in zip(a, b, strict=True)
    )


def lightness(colour: str) -> float:
    """How light a colour is for the eye, 0..1: text on it is dark above about 0.42."""
    red, green, blue = (int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5))
    return (0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2) ** 0.75


SMALL_TO_LARGE = {  # sizes of gradients; lightness grows one way, for print
    "light": (
        "#DCD3A0", "#B3BC84", "#7FA57E", "#4B8C84", "#2B6D86", "#26507C", "#1B2A55",
    ),
    "dark": (
        "#3A4672", "#3A5C90", "#2F7592", "#2A948E", "#4DB87C", "#A3D14E", "#FDE725",
    ),
}  # fmt: skip
ALARM = {"light": "#C2185B", "dark": "#FF7AB0"}  # NaN and infinities
LIT = {"light": "#0072B2", "dark": "#56B4E9"}  # the current step, in frames
NEGATIVE, POSITIVE = "#0072B2", "#E69F00"


def gradient_style(theme: Theme, size: float | None, scale: Scale) -> dict[str, object]:
    """A line's colour and width by the size of its gradient; marks for 0, NaN, inf."""
    if size is None:  # no gradient flows here
        return {"color": mix(theme.faint, theme.paper, 0.35), "penwidth": 0.6}
    if size == 0:
        return {"color": theme.faint, "penwidth": 1, "style": "dotted"}
    if not math.isfinite(size):
        return {"color": ALARM[theme.name], "penwidth": 4, "style": "dashed"}
    part = scale.part(size)
    ramp = SMALL_TO_LARGE[theme.name]
    return {
        "color": ramp[min(int(part * len(ramp)), len(ramp) - 1)],
        "penwidth": round(0.7 + 3.8 * part, 2),
    }


def heat_colours(theme: Theme, row: tuple[float, ...]) -> str:
    """Stripes: blue below zero, orange above; entries that are no numbers have the
    colour of alarm."""
    colours = []
    for part in row:
        if not math.isfinite(part):
            colours.append(ALARM[theme.name])
        else:
            base = POSITIVE if part > 0 else NEGATIVE
            colours.append(mix(base, theme.box, abs(part)))
    return ":".join(colours)


def hue(letter: str | None) -> str:
    """A gate's colour."""
    return HUES.get(letter or "", OTHER)


def font_size(box: Box) -> float:
    """The size of a box's text."""
    return SMALL if box.kind in GHOSTS else SIZE


def text_of(box: Box) -> tuple[str, ...]:
    """All lines of text in a box."""
    return (*box.lines, *box.values)


def heat_height(box: Box) -> float:
    """The height of a box's heat map, with the room above it."""
    return len(box.heat) * HEAT + 4 if box.heat else 0.0


def box_size(box: Box) -> tuple[float, float]:
    """Width and height of a box, in points: its text fits whatever the font."""
    lines = text_of(box)
    size = font_size(box)
    if box.round and not box.values:
        return ROUND, ROUND
    width = max((text_width(line, size) for line in lines), default=0) + 12
    width = max(width, text_width(box.widest, size) + 12 if box.widest else 0)
    leading = 1.45 if box.values else 1.25  # glyphs of other fonts make lines higher
    height = len(lines) * size * leading + (6 if box.kind == "constant" else 9)
    height += heat_height(box)
    if box.kind == "cell":
        return max(width + 20, 84), height + 26
    if box.kind == "gate":
        return max(width + (6 if box.values else 14), 64), height + 12
    if box.kind == "elision":
        return max(width, 44), height + 10
    return max(width, 28 if size == SIZE else 18), max(height, 20)
