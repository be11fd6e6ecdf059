"""Makes the player's page: one HTML file that needs no server and no network.

The data are embedded as JSON: the events as `json_writing.py` writes them, and
which boxes and lines of the drawing belong to which operation. Formulas and symbols are
typeset here, once each, in templates; letters in formulas are places that the scripts
fill. The scripts set text only as text; they are `data.js`, `formula.js`, `arrays.js`,
`stage.js`, `panel.js`, `over_time.js` and `player.js`. The drawing is there once, in
light and dark: its colours are variables.

Read next: `highlights.py`.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.drawing import Drawing
from minigrad.engine.errors import DrawingError
from minigrad.pages.glossary import BUTTON
from minigrad.pages.notebook_view import View, with_picture
from minigrad.pages.page import asset, document, framed
from minigrad.pages.themed_svg import Colours
from minigrad.reading.formula_printers import mathml, template
from minigrad.reading.text import clean
from minigrad.stepping.play.drawing_links import ties
from minigrad.stepping.record.json_writing import to_data

SCRIPTS = ("data", "formula", "arrays", "stage", "panel", "over_time", "player")
LARGEST = 16_384  # entries of an array that the page has whole
MOST_BOXES = 1200  # a larger drawing loses the middle of its steps
SHOWN_STEPS = 40


def page(steps: Any, words: Any = None) -> str:
    """The whole page of `steps`; `words`: what is read at each step."""
    return _page(steps, *_drawn(steps, words), words)


def _page(
    steps: Any,
    drawing: Drawing,
    svg: str,
    colours: str,
    trouble: str,
    words: Any = None,
) -> str:
    data = to_data(steps, LARGEST)
    title = steps.title or "minigrad: step by step"
    body = BODY.format(
        formulas=_typeset(template, data["formulas"]),
        symbols=_typeset(mathml, [value.symbol for value in steps.values]),
        title=html.escape(clean(title, 80)),
        words=BUTTON,
        stage=svg
        or f'<p class="none">The graph cannot be drawn: {html.escape(trouble)}</p>',
        keys="".join(
            f"<dt>{' '.join(f'<kbd>{key}</kbd>' for key in keys.split())}</dt>"
            f"<dd>{what}</dd>"
            for keys, what in KEYS
        ),
        moves="".join(_move(*move) for move in MOVES),
        speeds="".join(
            f"<option{' selected' * (speed == 2)} value='{speed}'>{speed}/s</option>"
            for speed in (0.5, 1, 2, 5, 10, 30)
        ),
    )
    script = "\n".join(
        asset("minigrad.stepping.play", f"{name}.js") for name in SCRIPTS
    )
    return document(
        title,
        body,
        style=colours + asset(__package__, "player_page.css"),
        script=f'"use strict";\n(() => {{\n{script}\n}})();',
        data={"steps": data, "words": _shown(words), **ties(steps, drawing, svg)},
    )


def _shown(words: Any) -> list[str] | None:
    """The words that are read, one per step, as the drawing takes them."""
    if words is None:
        return None
    listed = words.split() if isinstance(words, str) else list(words)
    return [clean(word, 18) for word in listed]


def _typeset(written: Callable[[Any], str], trees: Sequence[Any]) -> str:
    """Formulas for the script to copy, in their order."""
    return "".join(f"<math>{written(tree)}</math>" for tree in trees)


def view(steps: Any) -> View:
    """The player for a notebook's cell: in a frame, with the drawing as a picture."""
    found = drawing, _, _, trouble = _drawn(steps, None)
    frame = framed(_page(steps, *found), steps.title or "step by step", 720)
    svg = None if trouble else drawing.svg()
    text = f"{steps!r}\nThere is no drawing: {trouble}" if trouble else repr(steps)
    return View(with_picture(frame, svg, repr(steps)), svg, text)


def _drawn(steps: Any, words: Any) -> tuple[Drawing, str, str, str]:
    """The drawing, its SVG, the style of its colours, or why there is none."""
    options = {"words": words}
    shown = sorted(steps.time_steps)
    drawing = steps.drawing(**options)
    if len(drawing.picture.boxes) > MOST_BOXES:
        drawing = steps.drawing(max_steps=SHOWN_STEPS, **options)
    if shown and len(shown) < len(drawing.picture.columns):
        around = {*shown, shown[0] - 1, shown[-1] + 1}
        if len(around) <= SHOWN_STEPS:
            drawing = steps.drawing(steps=around, **options)
    try:
        light = drawing.svg()
        colours = Colours()
        svg = colours.merge(light, drawing.in_theme("dark").svg())
    except DrawingError as error:
        return drawing, "", "", f"{error.what}: {error.hint}"
    return drawing, svg[svg.index("<svg") :], colours.style(), ""


def _move(name: str, what: str, back: str, ahead: str) -> str:
    """Two buttons, back and ahead, around a word."""
    return (
        f'<span class="move" role="group" aria-label="{what}">'
        f'<button type="button" data-do="previous{name}" title="previous {what}, '
        f'key {back}" aria-label="previous {what}">&lsaquo;</button><span>{what}</span>'
        f'<button type="button" data-do="next{name}" title="next {what}, key {ahead}" '
        f'aria-label="next {what}">&rsaquo;</button></span>'
    )


MOVES = (
    ("", "event", "←", "→"),
    ("Gate", "gate", "G", "g"),
    ("Step", "time step", "T", "t"),
    ("Gift", "contribution", "C", "c"),
)
KEYS = (
    ("→ n", "next event"),
    ("← p", "previous event"),
    ("space", "play, pause"),
    ("g G", "next, previous gate"),
    ("t T", "next, previous time step"),
    ("c C", "next, previous contribution to the watched parameter"),
    ("b", "to the backward pass, and back to the start"),
    ("Home End", "first, last event"),
    ("w", "watch the next parameter"),
    ("u", "type a condition and press Enter: run until it holds"),
    ("] [", "next, previous entry to calculate"),
    ("&gt; &lt;", "faster, slower"),
    ("+ − 0 h", "zoom in, zoom out, whole graph, back to the current event"),
    ("o", "values of a gate or state over time, and the states that are most alike"),
    ("d", "light or dark"),
    ("?", "this help; Esc closes it"),
)
BODY = """<header><h1>{title}</h1>
<button type="button" data-do="overTime" title="key o" aria-haspopup="dialog">over time
</button>
<button type="button" data-do="theme" title="key d">light / dark</button>
{words}
<button type="button" data-do="help" title="key ?" aria-haspopup="dialog">keys</button>
</header>
<main>
<section id="mg-stage" aria-label="the graph; the current event is marked">{stage}
<div class="tools"><button type="button" class="tool" data-do="here" title="key h"
 aria-label="back to the current event">◎</button><button type="button" class="tool"
 data-do="fit" title="key 0" aria-label="the whole graph">⤢</button><button
 type="button" class="tool" data-do="in" title="key +" aria-label="zoom in">+</button>
<button type="button" class="tool" data-do="out" title="key −"
 aria-label="zoom out">−</button></div>
<p class="key" aria-hidden="true"><span>now</span><span class="in">goes in</span><span
 class="out">comes out</span><span class="felt">has a gradient</span></p></section>
<section id="mg-panel" tabindex="0" aria-label="what happens"></section>
<section id="mg-time" aria-label="time">
<div class="transport"><button type="button" id="mg-play" data-do="play"
 aria-pressed="false" aria-label="play" title="key space"></button>
<select id="mg-speed" aria-label="speed, in events per second">{speeds}</select>
{moves}
<button type="button" class="tool" data-do="turn" title="key b">forward ⇄ backward
</button>
<form id="mg-run"><label class="quiet" for="mg-until">run until</label>
<input id="mg-until" type="text" list="mg-offers" value="norm &lt; 1e-6"
 autocomplete="off" spellcheck="false" title="key u">
<datalist id="mg-offers"></datalist>
<button type="submit">run until</button></form></div>
<output id="mg-until-said" for="mg-until"></output>
<div class="scrub"><input type="range" id="mg-slider" min="0" value="0" step="1"
 aria-label="event"><output id="mg-count" for="mg-slider"></output></div>
<div id="mg-grid" role="group" aria-label="by time step and pass"></div></section>
<section id="mg-watch" aria-label="the gradient of a parameter">
<div class="watch-head"><h2>Gradient of</h2><select id="mg-watch-name"
 aria-label="parameter to watch"></select><label title="if not checked: show the
 parameter of the current event"><input type="checkbox" id="mg-pin"> stay on it</label>
</div>
<div id="mg-watched"></div><div id="mg-sum"></div><div id="mg-bars"></div></section>
</main>
<dialog id="mg-help" aria-labelledby="mg-help-title"><h2 id="mg-help-title">Keys</h2>
<dl>{keys}</dl><p>Click a box to go to its event; click again for the next one. Point at
an entry of an array to see the formula with its numbers. Conditions for “run until”:
“norm &lt; 1e-6”,
“norm of h &lt; 1e-6”, “receives W_h”, “nan”, “inf”.</p>
<button type="button" class="tool" data-do="help">close</button></dialog>
<dialog id="mg-over-time" aria-labelledby="mg-over-title">
<h2 id="mg-over-title">Over time</h2><p class="facts"><label>gate or state
<select id="mg-series-name"></select></label> <label>unit <select id="mg-unit"></select>
</label></p><div id="mg-series"></div><div id="mg-alike"></div>
<button type="button" class="tool" data-do="closeSeries">close</button></dialog>
<p id="mg-say" class="quiet" role="status"></p>
<template id="mg-formulas">{formulas}</template>
<template id="mg-symbols">{symbols}</template>"""
