"""The page's two themes, and what a fold leaves alone."""

import numpy as np
import pytest
from drawn import needs_an_engine

import minigrad as mg
from minigrad.models import LSTM

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(tmp_path, page):
    needs_an_engine()
    x = mg.tensor(np.linspace(-1, 1, 6).reshape(2, 1, 3), name="x")
    drawing = mg.draw(LSTM(3, 4, rng=0)(x)[0], values=True)
    drawing.save(tmp_path / "x.html")
    page.emulate_media(color_scheme="light")
    page.goto((tmp_path / "x.html").as_uri())
    return page


def test_each_theme_has_its_own_colours_and_lids_too(opened):
    paper = opened.locator("main > svg g.graph polygon").first
    opened.keyboard.press("s")
    lid = opened.locator(".mg-lid rect").first
    light = paper.get_attribute("fill"), lid.get_attribute("fill")
    assert light[0].lower() in ("white", "#ffffff")
    opened.keyboard.press("d")
    dark = paper.get_attribute("fill"), lid.get_attribute("fill")
    assert dark[0].lower() == "#14171b" and dark[1] != light[1]
    opened.keyboard.press("d")
    assert (paper.get_attribute("fill"), lid.get_attribute("fill")) == light


def test_initial_states_stand_beside_the_folded_step(opened):
    opened.keyboard.press("s")
    assert opened.locator("g.node.input", has_text="h_0").is_visible()
    assert opened.locator("g.node.input", has_text="x").first.is_visible()
    assert opened.locator("g.node.weight").first.is_hidden()
