"""Words and symbols: one file, on every page, opened without a script."""

import html
import re

from minigrad.pages import glossary
from minigrad.pages.page import document, house_style


def test_every_word_is_explained_once():
    names = [entry.name for entry in (*glossary.symbols(), *glossary.terms())]
    assert len(set(names)) == len(names) > 70
    for name, means in (*glossary.symbols(), *glossary.terms()):
        assert means.count("`") % 2 == 0 and means.endswith((".", ".)")), name


def test_every_page_has_the_box_and_one_button():
    page = document("a", "<h1>a</h1>", style=house_style())
    assert page.count(glossary.BUTTON) == 1 and 'id="mg-glossary"' in page
    own = document("a", f"<header>{glossary.BUTTON}</header>", style="")
    assert own.count(glossary.BUTTON) == 1
    for name, _ in glossary.terms():
        assert f"<dt>{html.escape(name)}</dt>" in page
    assert not re.search("`", glossary.box())


def test_it_opens_and_closes(tmp_path, page):
    path = tmp_path / "page.html"
    path.write_text(document("a", "<h1>a</h1>", style=house_style()), "utf-8")
    page.goto(path.as_uri())
    box = page.locator("#mg-glossary")
    assert not box.is_visible()
    for close in (
        lambda: page.keyboard.press("Escape"),
        box.get_by_text("close").click,
    ):
        page.click("button.mg-words")
        assert "forget gate" in box.inner_text()
        close()
        assert not box.is_visible()
