"""The page in a real browser: it loads nothing, and does what its buttons say."""

import re

import pytest
from drawn import example, loss_of, needs_an_engine
from test_hostile import FRAGMENTS, batches, corpus, drawing_of

import minigrad as mg


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """The page of a small LSTM at op level."""
    needs_an_engine()
    path = tmp_path_factory.mktemp("page") / "lstm.html"
    words = ["the", "film", "was"]
    mg.draw(loss_of("lstm"), gradients=True, values=True, words=words).save(path)
    return path


@pytest.fixture
def opened(page, file):
    """The page, opened and ready."""
    page.goto(file.as_uri())
    page.wait_for_selector("html[data-ready='1']")
    return page


def zoom(page):
    return float(page.get_attribute("main", "data-zoom"))


def place(page):
    """Where the picture is: its transform."""
    return page.evaluate("document.querySelector('main > svg').style.transform")


def shown(page, selector):
    """How many of these are to be seen."""
    script = (
        "all => all.filter(one => !one.closest('.mg-hidden')"
        " && getComputedStyle(one).display != 'none').length"
    )
    return page.eval_on_selector_all(selector, script)


def cluster(page, title):
    """The id of the first frame with this title."""
    [number] = page.evaluate(
        "title => { const folds = JSON.parse(document.getElementById('mg-data')"
        ".textContent).folds; return Object.keys(folds)"
        ".filter(id => folds[id].title.includes(title)).slice(0, 1) }",
        title,
    )
    return number


def test_a_gate_is_folded_and_opened_again(opened):
    before = shown(opened, "g.node")
    gate = cluster(opened, "forget gate")
    frame = opened.locator(f"#{gate}")
    frame.focus()
    frame.press("Enter")
    assert frame.get_attribute("aria-expanded") == "false"
    assert shown(opened, "g.node") < before
    lid = opened.locator(f".mg-lid[data-of='{gate}']")
    assert "forget gate" in lid.text_content()
    lid.click()
    assert frame.get_attribute("aria-expanded") == "true"
    assert shown(opened, "g.node") == before and lid.count() == 0


def test_a_frame_shows_that_it_has_the_keyboard(opened):
    script = """frame => getComputedStyle(frame.querySelector("path, polygon"))
        .strokeWidth"""
    frame = opened.locator(".mg-fold").first
    before = frame.evaluate(script)
    opened.locator("#mg-find, input").first.focus()
    for _ in range(20):
        opened.keyboard.press("Tab")
        if frame.evaluate("frame => frame === document.activeElement"):
            break
    assert frame.evaluate(script) == "2.2px" != before


def test_a_gate_is_folded_by_a_click_on_its_frame(opened):
    gate = cluster(opened, "forget gate")
    opened.locator(f"#{gate} text").first.click(force=True)
    assert opened.locator(f".mg-lid[data-of='{gate}']").count() == 1


def test_a_step_is_folded_with_the_gates_in_it(opened):
    before = shown(opened, "g.node"), shown(opened, "g.edge")
    step = opened.locator(f"#{cluster(opened, '1: film')}")
    step.focus()
    step.press(" ")
    assert shown(opened, "g.node") < before[0] - 10
    assert shown(opened, "g.edge") < before[1] - 10
    step.focus()
    step.press(" ")
    assert (shown(opened, "g.node"), shown(opened, "g.edge")) == before


def test_all_gates_and_all_steps_by_button_and_key(opened):
    before = shown(opened, "g.node")
    opened.click("button[data-do=gates]")
    folded = shown(opened, "g.node")
    assert folded < before
    opened.click("button[data-do=steps]")
    assert shown(opened, "g.node") < folded
    opened.keyboard.press("s")
    assert shown(opened, "g.node") == folded
    opened.keyboard.press("g")
    assert shown(opened, "g.node") == before


def test_search_finds_and_goes_there(opened):
    opened.keyboard.press("/")
    opened.keyboard.type("Tanh")
    assert opened.text_content("#mg-found") == "6 found"
    assert opened.locator("g.node.mg-hit").count() == 6
    assert opened.locator("g.node.mg-dim").count() > 6
    before = place(opened)
    opened.keyboard.press("Enter")
    assert opened.text_content("#mg-found") == "1 of 6" and place(opened) != before
    opened.keyboard.press("Escape")
    assert opened.locator(".mg-hit, .mg-dim").count() == 0
    opened.fill("#mg-search", "no such thing")
    assert opened.text_content("#mg-found") == "0 found"


def test_zoom_by_wheel_button_and_key(opened):
    start = zoom(opened)
    opened.mouse.move(400, 300)
    opened.mouse.wheel(0, -300)
    opened.wait_for_function(f"document.querySelector('main').dataset.zoom > {start}")
    closer = zoom(opened)
    opened.click("button[data-do=in]")
    assert zoom(opened) == pytest.approx(closer * 1.25, rel=0.01)
    opened.click("button[data-do=out]")
    assert zoom(opened) == pytest.approx(closer, rel=0.01)
    opened.keyboard.press("+")
    assert zoom(opened) > closer
    opened.keyboard.press("-")
    opened.keyboard.press("0")
    opened.click("button[data-do=fit]")
    whole = opened.evaluate(
        "() => { const a = document.querySelector('main').getBoundingClientRect(),"
        " b = document.querySelector('main > svg').getBoundingClientRect();"
        " return b.width <= a.width + 1 && b.height <= a.height + 1 }"
    )
    assert whole


def test_pan_by_mouse_and_arrow_keys(opened):
    before = place(opened)
    opened.keyboard.press("ArrowRight")
    keyed = place(opened)
    assert keyed != before
    opened.mouse.move(600, 400)
    opened.mouse.down()
    opened.mouse.move(640, 430, steps=4)
    opened.mouse.up()
    x, y = (float(n) for n in re.findall(r"-?[\d.]+(?=px)", keyed))
    u, v = (float(n) for n in re.findall(r"-?[\d.]+(?=px)", place(opened)))
    assert (u - x, v - y) == pytest.approx((40, 30), abs=1)
    assert opened.locator("#mg-note").is_hidden()  # a drag is no click


def test_a_click_tells_what_a_box_is(opened):
    opened.locator("g.node.op").first.click(force=True)
    note = opened.locator("#mg-note")
    assert note.is_visible() and "matmul" in note.inner_text()
    opened.click("#mg-close")
    assert note.is_hidden()


def test_dark_and_back(opened):
    colour = "getComputedStyle(document.body).backgroundColor"
    picture = "document.querySelector('main > svg g.node path').getAttribute('fill')"
    light = opened.evaluate(colour), opened.evaluate(picture)
    opened.click("button[data-do=dark]")
    assert opened.evaluate(colour) != light[0]
    opened.keyboard.press("d")
    assert (opened.evaluate(colour), opened.evaluate(picture)) == light


def test_every_level_and_theme_opens(page, tmp_path):
    needs_an_engine()
    for level, theme in (("cell", "dark"), ("gate", "light")):
        mg.draw(example("gru"), level, theme=theme).save(tmp_path / "x.html")
        page.goto((tmp_path / "x.html").as_uri())
        page.wait_for_selector("html[data-ready='1']")
        dark = "document.body.classList.contains('mg-dark')"
        assert page.evaluate(dark) == (theme == "dark")


def test_hostile_names_are_text_in_the_browser(page, tmp_path):
    needs_an_engine()
    drawing_of(FRAGMENTS).save(tmp_path / "x.html")
    page.goto((tmp_path / "x.html").as_uri())
    page.wait_for_selector("html[data-ready='1']")
    assert page.locator("script").count() == 2
    assert page.locator("img, iframe, main a[href], b, table").count() == 0
    hits = page.evaluate(
        "() => { const search = document.getElementById('mg-search');"
        " search.value = '<script>'; search.dispatchEvent(new Event('input'));"
        " return document.getElementById('mg-found').textContent }"
    )
    assert int(hits.split()[0]) >= 2
    page.keyboard.press("/")
    page.keyboard.press("Enter")
    assert "<script>alert(1)</script>" in page.locator("#mg-note").inner_text()


@pytest.mark.nightly
def test_many_hostile_names_are_text_in_the_browser(page, proof, tmp_path):
    """Nothing of them is an element, nothing runs, nothing is asked of the network."""
    needs_an_engine()
    row = proof("files", "hostile labels in a real browser", seed=7)
    page.set_default_timeout(200_000)
    page.on("dialog", lambda dialog: row.wrong.append(f"a dialog: {dialog.message}"))
    for batch in batches(corpus(1500)):
        drawing_of(batch).save(tmp_path / "x.html")
        page.goto((tmp_path / "x.html").as_uri())
        page.wait_for_selector("html[data-ready='1']")
        foreign = page.locator("img, iframe, main a[href], b, table, object, form")
        scripts = page.locator("script").count()
        row.tried += len(batch) - 1
        row.expect(foreign.count() == 0 and scripts == 2, f"{batch}")


def test_a_script_that_is_put_in_does_not_run(browser, file, tmp_path):
    """The policy allows the page's own script by its hash, and nothing else."""
    inserted = (
        "<script>window.hacked = 1</script>"
        "<img src='http://127.0.0.1:9/x' onerror='window.hacked = 2'>"
        "<svg onload='window.hacked = 3'></svg>"
        "<a id='lure' href='javascript:window.hacked = 4'>x</a>"
    )
    text = file.read_text(encoding="utf-8").replace("<main", f"{inserted}<main")
    assert inserted in text
    (tmp_path / "x.html").write_text(text, encoding="utf-8")
    page = browser.new_page()
    said, answered = [], []
    page.on("console", lambda message: said.append(message.text))
    page.on("response", lambda response: answered.append(response.url))
    page.goto((tmp_path / "x.html").as_uri())
    page.wait_for_selector("html[data-ready='1']")
    page.evaluate("document.getElementById('lure').click()")
    assert page.evaluate("window.hacked") is None
    assert sum("Content Security Policy" in text for text in said) >= 3
    assert not [url for url in answered if url.startswith("http")]
    page.close()


def test_in_a_notebook_it_works_within_its_sandbox(page, tmp_path):
    needs_an_engine()
    frame = mg.draw(example("rnn"), "gate")._repr_html_()
    (tmp_path / "x.html").write_text(f"<!DOCTYPE html><body>{frame}</body>", "utf-8")
    page.goto((tmp_path / "x.html").as_uri())
    inner = page.frame_locator("iframe")
    inner.locator("html[data-ready='1']").wait_for(state="attached")
    before = inner.locator("main").get_attribute("data-zoom")
    inner.locator("button[data-do=in]").click()
    assert inner.locator("main").get_attribute("data-zoom") > before
