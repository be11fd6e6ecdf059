"""Gives a plot of matplotlib's, as SVG, a second set of colours for dark pages.

A picture in a page takes the colours that the page takes: the style is in the SVG, and
the browser chooses. Colours of heat maps stay as they are, because they are numbers.

Read next: `plots.py`.
"""

from __future__ import annotations

import re

INK, PAPER = "#e4e9ee", "#14191f"  # as in page.css
BRIGHT, DEEP = "#fefefe", "#010101"  # numbers on heat maps, which stay as they are
DARK = {  # the colour on light pages -> on dark ones
    "#ffffff": PAPER,
    "#000000": INK,
    "#1d2733": INK,
    "#262626": INK,
    "#333333": "#d3dae1",
    "#444444": "#d3dae1",
    "#666666": "#a9b4be",
    "#6b7580": "#a9b4be",
    "#999999": "#8a95a0",
    "#b0b0b0": "#77828d",
    "#cccccc": "#4a5662",
    "#e6e9ec": "#2b343d",
    "#0072b2": "#56b4e9",
    "#d55e00": "#ff9a5c",
    "#009e73": "#4fd1a5",
    "#cc79a7": "#ef9ac9",
    "#8a6d00": "#e6cf6a",
}
_KINDS = ("fill", "stroke")
_COLOUR = re.compile(r"(fill|stroke): (#[0-9a-f]{6})")


def dark_too(svg: str) -> str:
    """The SVG with a style that dark pages use. What is no plot stays as it is."""
    used = sorted(set(_COLOUR.findall(svg)) & {(k, c) for c in DARK for k in _KINDS})
    rules = "".join(
        f'[style*="{kind}: {colour}"]{{{kind}:{DARK[colour]}!important}}'
        for kind, colour in used
    )
    whole = f"@media (prefers-color-scheme:dark){{svg{{fill:{INK}}}{rules}}}"
    return svg.replace("</style>", f"{whole}</style>", 1)
