"""The legend: parameters with their uses, forward and backward, the gradients' scale.

Read next: `graphviz_engines.py`.
"""

from __future__ import annotations

from collections.abc import Sequence

from minigrad.drawing.read.operation_symbols import short, text_width
from minigrad.drawing.read.picture import Picture, Use
from minigrad.drawing.style import ALARM, SMALL, SMALL_TO_LARGE, Theme, lightness
from minigrad.drawing.write.dot_attributes import (
    attributes,
    box_style,
    pairs,
    quote,
)
from minigrad.reading.text import shape_text

MOST = 40  # parameters listed


def legend(picture: Picture, theme: Theme, placed: bool) -> list[str]:
    """Lines of DOT. With `placed` they stand under the picture, which ends at y = 0."""
    words = _uses(picture.legend)
    out = []
    y = -18.0
    if words:
        height = len(words) * SMALL * 1.25 + 10
        out.append(_parameters(words, height, theme, y if placed else None))
        y -= height + 20
    if any([box.backward for box in picture.boxes.values()]):
        out += _passes(picture, theme, y - 10 if placed else None)
        y -= 30
    if picture.scale:
        out += _scale(picture, theme, y - 10 if placed else None)
    return out


def _uses(legend: Sequence[Use]) -> list[str]:
    """The parameters, and then the other tensors that have a gradient."""
    heads = {True: "parameters", False: "tensors with a gradient"}
    if any([use.parameter for use in legend]):
        heads[False] = "other tensors with a gradient"
    words: list[str] = []
    for parameter, head in heads.items():
        uses = [use for use in legend if use.parameter is parameter]
        if uses:
            words.append(head)
        words += [_use(use) for use in uses[:MOST]]
        if len(uses) > MOST:
            words.append(f"and {len(uses) - MOST} more")
    return words


def _use(use: Use) -> str:
    """One entry: its name, its shape, how often it is used, its values."""
    times = {0: "not used", 1: "used once"}.get(use.count, f"used {use.count} times")
    if use.backward:
        read = "once" if use.backward == 1 else f"{use.backward} times"
        times += f", and {read} by rules of the backward pass"
    entry = "  ".join([use.name, *filter(None, [shape_text(use.shape)]), times])
    return "  ".join([entry, *filter(None, use.values)])


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
    entries: list[tuple[str, str]] = []
    for words, fill, ink in texts:
        style = {"style": "filled", "fillcolor": fill, "color": fill, "fontcolor": ink}
        entries.append((words, pairs(style)))
    return _in_a_row("scale", entries, picture.recurrent, y)


def _passes(picture: Picture, theme: Theme, y: float | None) -> list[str]:
    """How forward and backward look: one box of each."""
    kinds: list[tuple[str, str, bool]] = [
        ("forward", "op", False),
        ("backward: part of the rule ∂ of an operation", "op", True),
    ]
    if any([box.kind == "saved" for box in picture.boxes.values()]):
        kinds.append(("a value computed elsewhere that a rule reads", "saved", False))
    entries = [
        (words, box_style(theme, kind, None, False, None, back))
        for words, kind, back in kinds
    ]
    return _in_a_row("pass", entries, picture.recurrent, y)


def _in_a_row(
    name: str, entries: Sequence[tuple[str, str]], recurrent: bool, y: float | None
) -> list[str]:
    """Boxes of the legend, (words, looks), side by side."""
    out = []
    x = 0.0
    for k, (words, looks) in enumerate(entries):
        width = text_width(words, SMALL) + 10
        style: dict[str, object] = {
            "fontsize": SMALL, "width": f"{width / 72:.3f}", "height": "0.25",
            "tooltip": quote(words),
        }  # fmt: skip
        if y is not None:
            style["pos"] = f"{x + width / 2:.2f},{y:.2f}"
        first = f'id="{name}{k}" class="{name}" label={quote(words)}'
        out.append(f"{name}{k} [{first} {looks} {pairs(style)}]")
        x += width + 3
    if y is None:  # in a line from left to right, whatever dot's direction
        names = [f"{name}{k}" for k in range(len(entries))]
        if recurrent:
            out.append(f"{{rank=same {' '.join(names)}}}")
        else:
            out.append(" -> ".join(names) + " [style=invis]")
    return out
