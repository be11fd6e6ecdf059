"""Writes events as pictures: numbered frames, or one animated GIF or APNG.

The drawing is made once. Each frame is the drawing with marks over it and a caption
under it. An event has the same marks as on the page.

Read next: `steps_files.py`.
"""

from __future__ import annotations

import html
import io
import os
import re
from collections.abc import Iterable, Iterator
from typing import Any

from minigrad.drawing import Drawing
from minigrad.engine.errors import ArgumentError, GraphError, checked_path, one_of
from minigrad.pages.output_files import make_folder
from minigrad.reading.text import clean
from minigrad.stepping.play.highlights import Mark, Marks
from minigrad.training.checkpoint import write_whole

FORMS = ("svg", "png")
MOST_FRAMES = 2000
CAPTION = 64.0  # points under the drawing
WIDEST = 1280  # pixels of an animation
INK, QUIET, PAPER = "#1b1f24", "#545c66", "#ffffff"
COLOURS = {"now": "#ffcf33", "in": "#0072b2", "out": "#c2185b", "todo": PAPER}


_SIZES = re.compile(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"\s+viewBox="[^"]*"')


def chosen(steps: Any, events: Iterable[int] | None) -> list[int]:
    """The numbers of the events to show, checked. All of them by default."""
    if events is None:
        numbers = list(range(len(steps.events)))
    else:
        numbers = list(events)
    wrong = [k for k in numbers if not (isinstance(k, int) and 0 <= k < len(steps))]
    if wrong or not numbers:
        raise ArgumentError(
            "frames: there is no such event" if wrong else "frames: no event is chosen",
            expect=f"numbers in 0..{len(steps) - 1}",
            actual=clean(repr(wrong[:5]) if wrong else "none", 60),
            hint="events=range(0, 40), say",
        )
    if len(numbers) > MOST_FRAMES:
        raise GraphError(
            f"frames: {len(numbers)} pictures are too many",
            expect=f"at most {MOST_FRAMES}",
            actual=f"{len(numbers)} events",
            hint='choose some, events=range(0, 100), or level="gate" or "cell"',
        )
    return numbers


def frames(
    steps: Any, folder: Any, events: Iterable[int] | None, form: str, drawing: Any
) -> list[str]:
    """Write one picture per event; see `Steps.frames`."""
    one_of("form", form, FORMS)
    numbers = chosen(steps, events)
    folder = os.fspath(checked_path("frames", folder))
    make_folder(folder)
    width = len(str(len(steps) - 1))
    made = []
    pictures: Iterator[bytes]
    if form == "svg":
        pictures = (text.encode() for text in _svgs(steps, numbers, drawing))
    else:
        pictures = (_png(image) for image in _images(steps, numbers, drawing, 4000))
    for k, picture in zip(numbers, pictures, strict=True):
        path = os.path.join(folder, f"event-{k:0{width}d}.{form}")
        write_whole(path, picture)
        made.append(path)
    return made


def moving(
    steps: Any,
    form: str,
    events: Iterable[int] | None = None,
    seconds: float = 0.8,
    drawing: Any = None,
) -> bytes:
    """One animated picture of the events: "gif" or "apng"."""
    one_of("form", form, ("gif", "apng"))
    if not (isinstance(seconds, int | float) and 0.02 <= seconds <= 60):
        raise ArgumentError(
            f"seconds={seconds!r}: a frame cannot be shown that long",
            expect="0.02 to 60 seconds per event",
            actual=clean(repr(seconds), 40),
            hint="seconds=0.8 is a good pace",
        )
    images = list(_images(steps, chosen(steps, events), drawing, WIDEST))
    out = io.BytesIO()
    how: dict[str, Any] = {"save_all": True, "append_images": images[1:], "loop": 0}
    how["duration"] = round(1000 * seconds)
    if form == "gif":  # one palette for all: neighbouring frames differ in little
        palette = images[len(images) // 2].quantize(200)
        images = [image.quantize(palette=palette, dither=0) for image in images]
        how |= {"append_images": images[1:]}
        images[0].save(out, "GIF", **how)
    else:
        images[0].save(out, "PNG", **how)
    return out.getvalue()


def _png(image: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


# ------------------------------------------------------------- SVG


def _svgs(steps: Any, numbers: list[int], drawing: Any) -> Iterator[str]:
    """The drawing with marks over it and a caption under it, event by event."""
    drawing = drawing or steps.drawing()
    base = drawing.svg()
    marks = Marks(steps, drawing, base)
    sizes = re.search(
        r'<svg width="([\d.]+)pt" height="([\d.]+)pt"\s+viewBox="[^"]*"', base
    )
    assert sizes is not None, "bug: an SVG of Graphviz without a size"
    width, height = max(float(sizes[1]), 480.0), float(sizes[2])
    head = (
        f'<svg width="{width}pt" height="{height + CAPTION}pt" '
        f'viewBox="0 0 {width} {height + CAPTION}"'
    )
    base = base.replace(sizes[0], head, 1)
    at = base.rindex("</svg>")
    for k in numbers:
        shapes = [_shape(mark) for mark in marks.of(steps.events[k])]
        caption = [
            f'<text x="12" y="{height + y:.1f}" font-family="Helvetica,Arial,'
            f'DejaVu Sans,sans-serif" font-size="{size}" fill="{colour}">'
            f"{html.escape(text)}</text>"
            for text, y, size, colour in _captions(steps, k)
        ]
        ground = (
            f'<rect x="0" y="{height}" width="{width}" height="{CAPTION}" '
            f'fill="{PAPER}"/>'
        )
        yield base[:at] + "\n".join([*shapes, ground, *caption]) + "\n</svg>\n"


def _shape(mark: Mark) -> str:
    """A mark as SVG."""
    colour = COLOURS[mark.kind]
    if mark.kind == "todo":
        style = f'fill="{colour}" fill-opacity="0.72"'
    else:
        style = f'fill="none" stroke="{colour}" stroke-width="{mark.width}"'
        if mark.kind == "out":
            style += ' stroke-dasharray="5 3"'
        if mark.kind == "now":
            style += ' stroke-opacity="0.85"'
    if mark.line:
        first, *rest = mark.line
        path = f"M{first[0]:.1f},{first[1]:.1f}C" + " ".join(
            f"{x:.1f},{y:.1f}" for x, y in rest
        )
        return f'<path class="mark {mark.kind}" d="{path}" {style}/>'
    x, y, w, h = mark.box
    return (
        f'<rect class="mark {mark.kind}" x="{x:.1f}" y="{y:.1f}" width="{w:.1f}" '
        f'height="{h:.1f}" rx="6" {style}/>'
    )


def _captions(steps: Any, k: int) -> list[tuple[str, float, float, str]]:
    """What stands under the drawing: (text, y, size, colour)."""
    event = steps.events[k]
    place = steps.place(event)
    number = f"{k} of {len(steps) - 1}"
    worked = steps.worked(event)
    last = f"for the first entry: {worked}" if worked else ""
    head = steps.headline(event)
    return [
        (f"{number}   {head}" + (f"   ({place})" if place else ""), 16, 12, INK),
        (steps.formula(event), 36, 13, INK),
        (last, 54, 11, QUIET),
    ]


# ------------------------------------------------------------- painted


def _images(
    steps: Any, numbers: list[int], drawing: Drawing | None, widest: int
) -> Iterator[Any]:
    """The same as images of Pillow, at most `widest` pixels wide."""
    from PIL import Image, ImageDraw

    drawing = drawing or steps.drawing()
    base = drawing.svg()
    marks = Marks(steps, drawing, base)
    picture = Image.open(io.BytesIO(drawing.render("png"))).convert("RGB")
    points = float(re.search(r'<svg width="([\d.]+)pt"', base)[1])  # type: ignore[index]
    if picture.width > widest:
        shape = widest, max(1, round(picture.height * widest / picture.width))
        picture = picture.resize(shape, Image.Resampling.LANCZOS)
    scale = picture.width / points
    unit = max(1.0, min(2.0, scale))  # text stays readable on a small picture
    height = round(CAPTION * unit)
    width = max(picture.width, round(620 * unit))
    fonts = {size: _font(size * unit) for size in (11, 12, 13)}
    for k in numbers:
        image = Image.new("RGB", (width, picture.height + height), PAPER)
        image.paste(picture, (0, 0))
        veil = Image.new("RGBA", image.size, (0, 0, 0, 0))
        pen = ImageDraw.Draw(veil)
        for mark in marks.of(steps.events[k]):
            _paint(pen, mark, scale)
        image = Image.alpha_composite(image.convert("RGBA"), veil).convert("RGB")
        write = ImageDraw.Draw(image)
        for text, y, size, colour in _captions(steps, k):
            place = (12, picture.height + (y - size) * unit)
            write.text(place, text, fill=colour, font=fonts[int(size)])
        yield image


def _font(size: float) -> Any:
    """DejaVu Sans, which comes with matplotlib and has the letters of formulas."""
    from matplotlib import font_manager
    from PIL import ImageFont

    return ImageFont.truetype(font_manager.findfont("DejaVu Sans"), round(size))


def _paint(pen: Any, mark: Mark, scale: float) -> None:
    """A mark, painted."""
    colour = tuple(int(COLOURS[mark.kind][k : k + 2], 16) for k in (1, 3, 5))
    if mark.kind == "todo":
        pen.rectangle(_corners(mark.box, scale), fill=(*colour, 184))
        return
    width = max(2, round(mark.width * scale))
    strong = (*colour, 225)
    if mark.line:
        pen.line([(x * scale, y * scale) for x, y in mark.points()], strong, width)
        return
    x0, y0, x1, y1 = _corners(mark.box, scale)
    pen.rounded_rectangle((x0, y0, x1, y1), 6 * scale, outline=strong, width=width)


def _corners(box: tuple[float, ...], scale: float) -> tuple[float, ...]:
    x, y, w, h = box
    return x * scale, y * scale, (x + w) * scale, (y + h) * scale
