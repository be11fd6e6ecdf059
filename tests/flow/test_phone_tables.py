"""Tables of the flow page on a phone: no number is broken, no column is hidden."""

import numpy as np

import minigrad as mg
from minigrad.commands.main import main
from minigrad.models import LSTM


def test_every_column_is_seen_and_no_number_broken(tmp_path, browser, capsys):
    path = tmp_path / "flow.html"
    assert main(["flow", "--steps", "30", "--hidden", "4", "-o", str(path)]) == 0
    page = browser.new_page(viewport={"width": 360, "height": 740})
    page.goto(path.as_uri())
    tables = page.locator("table.numbers")
    assert tables.count() >= 1
    for k in range(tables.count()):
        table = tables.nth(k)
        wide, room = table.evaluate("t => [t.offsetWidth, t.parentElement.clientWidth]")
        assert wide <= room + 1
        lines = table.evaluate(
            """t => [...t.querySelectorAll("td + td")].map(cell => {
                const range = document.createRange();
                range.selectNodeContents(cell);
                return new Set([...range.getClientRects()].map(r => r.top)).size; })"""
        )
        assert set(lines) <= {0, 1}
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()


def test_no_word_of_a_header_is_broken(tmp_path, browser):
    output, _ = LSTM(2, 3, rng=0)(np.ones((8, 1, 2)))
    path = tmp_path / "diagnosis.html"
    mg.diagnose((output[-1] ** 2).mean()).save(path)
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(path.as_uri())
    broken = page.evaluate(
        """() => [...document.querySelectorAll("table.numbers th")].flatMap((cell) => {
            const node = cell.firstChild, range = document.createRange();
            return [...cell.textContent.matchAll(/\\S+/g)].filter((word) => {
              range.setStart(node, word.index);
              range.setEnd(node, word.index + word[0].length);
              return new Set([...range.getClientRects()].map(r => r.top)).size > 1;
            }).map((word) => word[0]); })"""
    )
    assert page.locator("table.numbers th").count() == 6
    assert broken == []
    page.close()
