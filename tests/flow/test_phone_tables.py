"""Tables of the flow page on a phone: no number is broken, no column is hidden."""

from minigrad.commands.main import main


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
