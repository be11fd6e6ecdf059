"""Makes the page of an exploration: a slider per parameter, one view per result.

The page is one file. Numbers are embedded as the bytes of float64; the scripts
(`result_data.js`, `line_plot.js`, `grid_view.js`, `explore_page.js`) look them up and
compute nothing but places on the screen.

Read next: `static_picture.py`.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

from minigrad.pages.glossary import BUTTON
from minigrad.pages.page import asset, document
from minigrad.reading.text import clean

if TYPE_CHECKING:
    from minigrad.exploring.packed_results import Packed
    from minigrad.exploring.parameter_ranges import Parameter

SCRIPTS = ("result_data", "line_plot", "grid_view", "explore_page")
KEYS = (
    ("← → ↑ ↓", "move the slider that was used last"),
    ("1 2 3 …", "go to a slider"),
    ("Home End", "its first, its last value"),
    (
        "k",
        "keep this setting in the plots, to compare; again: let it go",
    ),
    (
        "f",
        "axes that fit this setting, or the same axes for all settings of one length",
    ),
    ("x", "all digits of every number, or few"),
    ("r", "back to the start"),
    ("d", "light or dark"),
    ("?", "this help; Esc closes it"),
)
BODY = """<header><h1>{title}</h1>
<button type="button" data-do="theme" title="key d">light / dark</button>
{words}
<button type="button" data-do="help" title="key ?" aria-haspopup="dialog">keys</button>
</header>
<main>
<section id="mg-knobs" aria-label="parameters">{sliders}
<div class="tools">
<button type="button" data-do="keep" aria-pressed="false" title="key k">keep</button>
<button type="button" data-do="fitted" aria-pressed="false" title="key f">fit axes
</button>
<button type="button" data-do="exact" aria-pressed="false" title="key x">all digits
</button>
<button type="button" data-do="reset" title="key r">reset</button></div>
<p id="mg-kept" class="facts" hidden></p></section>
<section id="mg-results" aria-label="results"></section>
</main>
<footer><p>{about}</p></footer>
<dialog id="mg-help" aria-labelledby="mg-help-title"><h2 id="mg-help-title">Keys</h2>
<dl>{keys}</dl><p>Every number was computed before this page was written. Point at a
plot, or go to it with Tab and use the arrow keys, to read its numbers.</p>
<button type="button" data-do="help">close</button></dialog>
<p id="mg-say" role="status"></p>"""


def page(title: str, parameters: tuple[Parameter, ...], packed: Packed) -> str:
    """The whole page."""
    data = {
        "parameters": [
            {
                "name": clean(p.name),
                "labels": p.labels,
                "exact": list(map(_exact, p.values, p.labels)),
                "start": p.start,
            }
            for p in parameters
        ],
        **packed.data(),
    }
    size = packed.size / 1e6
    told = f"{size:.1f} MB" if size >= 1 else f"{max(1, round(size * 1000))} kB"
    about = (
        f"{packed.settings} settings, each computed by minigrad; {told} of results. "
        "Nothing on this page is interpolated."
    )
    body = BODY.format(
        title=html.escape(title),
        words=BUTTON,
        about=about,
        sliders="".join(_slider(k, p) for k, p in enumerate(parameters)),
        keys="".join(
            f"<dt>{' '.join(f'<kbd>{key}</kbd>' for key in keys.split())}</dt>"
            f"<dd>{what}</dd>"
            for keys, what in KEYS
        ),
    )
    script = "\n".join(asset(__package__, f"{name}.js") for name in SCRIPTS)
    return document(
        title,
        body,
        style=packed.colours.style() + asset(__package__, "explore_page.css"),
        script=f'"use strict";\n(() => {{\n{script}\n}})();',
        data=data,
    )


def _slider(k: int, p: Parameter) -> str:
    """One row: a name, a slider (none for a single value), the value."""
    name = html.escape(clean(p.name).replace("_", " "))
    label = html.escape(p.labels[p.start])
    last = len(p.values) - 1
    if not last:
        return (
            f'<div class="knob"><span class="name">{name}</span>'
            f'<output id="mg-value-{k}">{label}</output></div>'
        )
    return (
        f'<div class="knob"><label for="mg-slider-{k}" class="name">{name}</label>'
        f'<output id="mg-value-{k}" for="mg-slider-{k}">{label}</output>'
        f'<input type="range" id="mg-slider-{k}" name="{html.escape(clean(p.name))}" '
        f'min="0" max="{last}" step="1" value="{p.start}" aria-valuetext="{label}">'
        "</div>"
    )


def _exact(value: Any, label: str) -> str:
    """A value in full; its label where it is no number."""
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return repr(value) if plain else label
