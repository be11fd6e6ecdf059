"""The legend: parameters with their numbers of uses, and the scale of the gradients.

Read next: `graphviz_engines.py`.
"""

from __future__ import annotations

from minigrad.drawing.read.operation_symbols import short, text_width
from minigrad.drawing.read.picture import Picture
from minigrad.drawing.style import ALARM, SMALL, SMALL_TO_LARGE, Theme, lightness
from minigrad.drawing.write.dot_attributes import attributes, quote
from minigrad.reading.text import shape_text

MOST = 40  # parameters listed


def legend(picture: Picture, theme: Theme, placed: bool) -> list[str]:
    """Lines of DOT. With `placed` they stand under the picture, which ends at y = 0."""
    words = []
    for use in picture.legend[:MOST]:
        times = "once" if use.count == 1 else f"{use.count} times"
        entry = f"{use.name}  {shape_text(use.shape)}  used {times}"
        words.append(
            "  ".join([entry.replace("    ", "  "), *filter(None, use.values)])
        )
    if len(picture.legend) > MOST:
        words.append(f"and {len(picture.legend) - MOST} more")
    out = []
    y = -18.0
    if words:
        words.insert(0, "parameters")
        height = len(words) * SMALL * 1.25 + 10
        out.append(_parameters(words, height, theme, y if placed else None))
        y -= height + 20
    if picture.scale:
        out += _scale(picture, theme, y - 10 if placed else None)
    return out


def _parameters(
    words: list[str], height: float, theme: Theme, top: float | None
) -> str:
    """One entry per parameter: how often it is used."""
    left = '"' + "".join(quote(line)[1:-1] + "\\l" for line in words) + '"'
    width = max(text_width(line, SMALL) for line in words) + 20
    style: dict[str, object] = {
        "id": "legend", "class": "legend", "label": left, "fontsize": SMALL,
        "style": "dashed", "color": theme.weight, "fontcolor": theme.weight,
        "margin": "0.08,0.04", "tooltip": "parameters, and how often each is used",
        "width": f"{width / 72:.3f}", "height": f"{height / 72:.3f}",
    }  # fmt: skip
    if top is not None:
        style["pos"] = f"{width / 2:.2f},{top - height / 2:.2f}"
    return f"legend {attributes(style)}"


def _scale(picture: Picture, theme: Theme, y: float | None) -> list[str]:
    """One box per colour of the gradients' scale, and the marks."""
    scale, ramp = picture.scale, SMALL_TO_LARGE[theme.name]
    texts = [(f"size of the gradient of {scale.what}", theme.paper, theme.quiet)]
    for k, colour in enumerate(ramp):
        power = scale.low + (k + 0.5) * (scale.high - scale.low) / len(ramp)
        ink = "#1B1F24" if lightness(colour) > 0.42 else "#FFFFFF"
        texts.append((short(10.0**power), colour, ink))
    texts.append(("exactly 0: dotted", theme.paper, theme.quiet))
    texts.append(("NaN, ∞: dashed", theme.paper, ALARM[theme.name]))
    out = []
    x = 0.0
    for k, (words, fill, ink) in enumerate(texts):
        width = text_width(words, SMALL) + 10
        style: dict[str, object] = {
            "id": f"scale{k}", "class": "scale", "label": quote(words),
            "style": "filled", "fillcolor": fill, "color": fill, "fontcolor": ink,
            "fontsize": SMALL, "width": f"{width / 72:.3f}", "height": "0.25",
            "tooltip": quote(words),
        }  # fmt: skip
        if y is not None:
            style["pos"] = f"{x + width / 2:.2f},{y:.2f}"
        out.append(f"scale{k} {attributes(style)}")
        x += width + 3
    if y is None:  # in a line from left to right, whatever dot's direction
        names = [f"scale{k}" for k in range(len(texts))]
        if picture.recurrent:
            out.append(f"{{rank=same {' '.join(names)}}}")
        else:
            out.append(" -> ".join(names) + " [style=invis]")
    return out
