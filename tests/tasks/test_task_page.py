"""The page and the terminal: figures, curves, and text that wants to be more."""

import io
from types import SimpleNamespace

import pytest
from rich.console import Console

from minigrad import tasks
from minigrad.tasks.task import Prepared, Section, Table, Trained
from minigrad.tasks.task_page import curves, figures_table, html_of, show, write

EVIL = '</script><script>alert(1)</script><img src=x onerror="alert(2)">[bold]\x1b[31m'


class Evil:
    """A task whose every text is an attack."""

    name, help, monitor = EVIL, EVIL, "f1"

    label = tasks.Task.label
    shown = tasks.Task.shown
    units = {}  # noqa: RUF012
    learned = EVIL

    def examples(self, trained, data):
        return [Section(EVIL, [EVIL], [Table(EVIL, [EVIL, EVIL], [[EVIL, 3]])])]


@pytest.fixture
def evil(tmp_path):
    history = [
        {"epoch": k, "loss": 1 / (k + 1), "metrics": {"f1": 0.1 * k}, "best": True}
        | {"clipped": 0.5, "largest_norm": 3.0}
        for k in range(3)
    ]
    trained = Trained(
        task=Evil(),
        model=SimpleNamespace(parameters=lambda: []),
        settings=SimpleNamespace(clip_norm=1.0, data=EVIL),
        config={},
        reading={},
        figures={"the model": {"f1": 0.5}, EVIL: {"f1": float("nan")}},
        history=history,
        seconds=3.0,
    )
    return write(tmp_path, trained, Prepared(0, 0, 0, {}, [EVIL])), trained


def test_hostile_text_stays_text(evil, page):
    path, _ = evil
    page.on("dialog", lambda dialog: pytest.fail("a script ran"))
    page.goto(path.as_uri())
    assert page.locator("script, img[src=x]").count() == 0
    assert "alert(1)" in page.locator("h1").inner_text()
    assert "\x1b" not in path.read_text()
    assert page.locator("tr.own").inner_text().split() == ["the", "model", "0.5000"]
    assert page.locator("figure img").count() == 2
    widths = "[...document.querySelectorAll('img')].map(i => i.naturalWidth)"
    assert all(width > 100 for width in page.evaluate(widths))


def test_the_page_fits_a_phone(evil, page):
    path, _ = evil
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_table_of_long_texts_fits_the_page(evil, page, tmp_path):
    """Text wraps in every column: none is beyond the page's edge."""
    _, trained = evil
    texts = ["interface::graphical, use::gameplaying, implemented-in::c " * 3] * 3
    table = Table("", ["text", "given", "wanted"], [texts])
    trained.task.examples = lambda *_: [Section("", [], [table])]
    path = write(tmp_path, trained, Prepared(0, 0, 0, {}, []))
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(path.as_uri())
    beyond = "e => e.scrollWidth > e.clientWidth"
    assert not any(
        page.evaluate(f"[...document.querySelectorAll('.scroll')].map({beyond})")
    )


def test_the_words_above_a_wide_table_are_not_cut(evil, page, tmp_path):
    """The table can be scrolled on a phone; what is said of it fits."""
    _, trained = evil
    table = Table("what it says " * 5, ["a"] * 12, [["0.123"] * 12])
    trained.task.examples = lambda *_: [Section("", [], [table])]
    path = write(tmp_path, trained, Prepared(0, 0, 0, {}, []))
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(path.as_uri())
    assert page.get_by_text("what it says").bounding_box()["width"] < 390
    assert page.locator("table", has_text="0.123").bounding_box()["width"] > 390


def test_the_terminal_shows_text_as_text(evil):
    _, trained = evil
    said = io.StringIO()
    console = Console(file=said, width=200)
    show(console, Section(EVIL, [EVIL], [figures_table(trained)]))
    assert "[bold]" in said.getvalue()
    assert "\x1b" not in said.getvalue()
    assert "F1" in said.getvalue() and "0.5000" in said.getvalue()


def test_the_page_of_a_real_training(series, tmp_path, page):
    options = {"days": 7, "hidden": 3, "epochs": 2}
    tasks.train("weather", folder=tmp_path, data=str(series), **options)
    page.goto((tmp_path / "index.html").as_uri())
    text = page.locator("body").inner_text()
    for words in (
        "persistence",
        "RMSE",
        "bootstrap over weeks",
        "held out",
        "epochs run",
    ):
        assert words in text


def test_one_epoch_has_one_tick():
    line = {"epoch": 0, "loss": 0.9, "metrics": {"loss": 0.7}, "best": True}
    line |= {"clipped": 0.0, "largest_norm": 0.5}
    task = SimpleNamespace(monitor="loss", units={}, label=str, learned="Nats.")
    for epochs, ticks in ((1, [1]), (3, [1, 2, 3])):
        history = [line | {"epoch": k} for k in range(epochs)]
        settings = SimpleNamespace(clip_norm=1.0)
        trained = SimpleNamespace(history=history, task=task, settings=settings)
        for figure, _ in curves(trained).figures:
            low, high = figure.axes[0].get_xlim()
            shown = [k for k in figure.axes[0].get_xticks() if low <= k <= high]
            assert shown == ticks


def test_columns_of_words_stand_to_the_left():
    rows = [["a", "Das ist gut.", 0.5, "-"], ["b", "Nein!", 12, "-"]]
    table = Table("", ["", "the model", "score", "none"], rows)
    html = html_of(Section("Title", tables=[table]))
    assert '<td class="text">Nein!</td>' in html
    assert 'class="text">0.5' not in html and 'class="text">-' not in html
