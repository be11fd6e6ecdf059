"""Plots of matplotlib's in pages: their colours on light and on dark pages."""

import re

import pytest

from minigrad.pages import plots
from minigrad.pages.dark_plots import BRIGHT, DARK, DEEP, dark_too


def plotted():
    figure = plots.blank_figure(3, 2)
    axes = plots.plain_axes(figure)
    axes.plot([0, 1], [1, 0], color=plots.BLUE, label="falls")
    axes.text(0.5, 0.5, "on a heat map", color=BRIGHT)
    axes.legend()
    return plots.svg(figure).decode()


def brightness(colour):
    """Relative luminance, as WCAG 2.2 defines it."""
    parts = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [
        p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts
    ]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_every_colour_of_ours_has_one_for_dark_pages():
    svg = plotted()
    (rules,) = re.findall(
        r"@media \(prefers-color-scheme:dark\)\{(.*?)\}\}</style>", svg
    )
    body = svg.partition("</style>")[2]
    used = set(re.findall(r"(?:fill|stroke): (#[0-9a-f]{6})", body))
    assert "#0072b2" in used and BRIGHT in used
    for colour in used - {BRIGHT, DEEP}:
        assert f": {colour}" in rules, colour
    assert BRIGHT not in rules  # it stands on a colour that stays


@pytest.mark.parametrize(
    "light", ["#000000", "#1d2733", "#0072b2", "#d55e00", "#009e73"]
)
def test_what_is_read_stands_out_from_the_paper(light):
    paper, ink = brightness(DARK["#ffffff"]), brightness(DARK[light])
    assert (ink + 0.05) / (paper + 0.05) > 4.5


def test_the_same_figure_gives_the_same_bytes():
    assert plotted() == plotted()


def test_an_svg_without_a_style_stays_as_it_is():
    assert dark_too("<svg><path/></svg>") == "<svg><path/></svg>"
