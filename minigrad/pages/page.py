"""Makes the frame of every HTML page: one file that loads nothing else.

A page carries a content security policy that allows its own style and script by their
hashes and nothing else: no network, no inline handler, no other script. Data is
embedded as JSON with every character escaped that could end its element; the pages'
scripts set text only ever as text. Figures stand in the page: inline SVG, or `image`.

Read next: `glossary.py`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from minigrad.pages import glossary
from minigrad.reading.text import clean


@cache
def asset(package: str, name: str) -> str:
    """The text of a style or script that lies in a package: `x.css`, `x.js`."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def house_style() -> str:
    """The style of pages that are read: headings, tables, figures, light and dark."""
    return asset("minigrad.pages", "page.css")


def embedded(data: Any) -> str:
    """JSON that may stand inside a script element. NaN and infinity are an error."""
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text


def document(
    title: str, body: str, *, style: str, script: str = "", data: Any = None
) -> str:
    """The whole page; `body` is HTML, in which text of users' is escaped already.

    Every page ends with the box of words and symbols (`glossary.py`). Where the body
    has no button that opens it, one stands at the top.

    `data` is found by the script as the text of the element `mg-data`. Pictures in the
    body may be inline SVG or `data:` images; styles stand in `style` (the policy
    forbids style attributes in HTML; SVG's own attributes are allowed).
    """
    style += glossary.STYLE
    if glossary.BUTTON not in body:
        body = f"{glossary.BUTTON}\n{body}"
    body = f"{body}\n{glossary.box()}"
    policy = (
        f"default-src 'none'; img-src data:; style-src {_allowed(style)}; "
        f"script-src {_allowed(script)}; base-uri 'none'; form-action 'none'"
    )
    data_element = (
        f'<script type="application/json" id="mg-data">{embedded(data)}</script>\n'
        if data is not None
        else ""
    )
    script_element = f"<script>{script}</script>" if script else ""
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(clean(title, 80))}</title><style>{style}</style></head>\n"
        f"<body>\n{body}\n{data_element}{script_element}</body></html>\n"
    )


def image(path: Path, alt: str, fit: bool = True) -> str:
    """An image element that carries a picture: a .png or .svg file."""
    return picture(path.read_bytes(), path.suffix.removeprefix("."), alt, fit)


def picture(data: bytes, format: str, alt: str, fit: bool = True) -> str:
    """An image element that carries a picture's bytes; format is "png" or "svg"."""
    kind = {"png": "png", "svg": "svg+xml"}[format]
    code = base64.b64encode(data).decode()
    kept = f' class="{_fitting(data)}"' if fit else ""
    text = html.escape(alt)
    return f'<img{kept} src="data:image/{kind};base64,{code}" alt="{text}">'


def _fitting(data: bytes) -> str:
    """The classes of a picture that fits the page: plots up to 480 points wide are
    still readable on a phone, where wider ones are scrolled."""
    width = re.search(rb'<svg [^>]*?\bwidth="([\d.]+)pt"', data[:2000])
    return "fit whole" if width and float(width[1]) <= 480 else "fit"


def drawing(drawn: Any, alt: str, fit: bool = True) -> str:
    """An image element of a drawing (`mg.draw`), light or dark as the page is."""
    light = picture(drawn.svg().encode(), "svg", alt, fit)
    dark = base64.b64encode(drawn.in_theme("dark").svg().encode()).decode()
    source = f'srcset="data:image/svg+xml;base64,{dark}"'
    media = 'media="(prefers-color-scheme: dark)"'
    return f"<picture><source {media} {source}>{light}</picture>"


def framed(page: str, title: str, height: int) -> str:
    """A whole page for a notebook's cell: in a frame that may run scripts, no more.

    Several of them, with their keys and ids, do not meet.
    """
    label = html.escape(clean(title, 80))
    return (
        '<iframe sandbox="allow-scripts" loading="lazy" width="100%" '
        f'height="{height}" frameborder="0" title="{label}" '
        f'srcdoc="{html.escape(page)}"></iframe>'
    )


def _allowed(text: str) -> str:
    """One style or script, as a policy names it."""
    if not text:
        return "'none'"
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
