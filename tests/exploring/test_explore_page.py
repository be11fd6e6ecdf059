"""The page of `mg.explore` in a real browser: sliders show what was computed."""

import re
import urllib.parse

import numpy as np
import pytest

import minigrad as mg
from minigrad.exploring import Lines
from minigrad.models import LSTM

BIASES, SCALES, STEPS = [-1.0, 0.0, 1.0, 3.0], np.linspace(0.5, 2, 4), [2, 6, 12]


def forgetting(forget_bias=0.0, scale=1.0, T=6):
    """An LSTM whose gradients, gates and states are measured."""
    lstm = LSTM(2, 3, forget_bias=forget_bias, rng=0)
    W_h = lstm.cells[0].W_h
    W_h.data = W_h.data * scale
    trace = lstm.trace(np.random.default_rng(0).standard_normal((T, 1, 2)))
    norms = mg.jacobian_products(trace).norms()
    return {
        "reach": norms[0],
        "by distance": Lines({"norm": norms[::-1]}, xlabel="steps back"),
        "gates": {gate: trace[gate].mean(axis=(1, 2)) for gate in "ifgo"},
        "cell state": trace["c"][:, 0],
        "verdict": "it fades" if norms[0] < 0.1 else "it is <b>felt</b>",
    }


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    e = mg.explore(forgetting, forget_bias=BIASES, scale=SCALES, T=STEPS)
    return e.save(tmp_path_factory.mktemp("explore") / "page.html")


def lit(bias=0.0):
    """A drawing that is wider than a phone."""
    output, _ = LSTM(2, 3, forget_bias=bias, rng=0)(np.ones((4, 1, 2)))
    return {"drawing": mg.draw(output[-1].sum(), "cell", gradients=True)}


def opened(page, file, at=""):
    page.goto("about:blank")
    page.goto(f"file://{file}{at}")
    page.wait_for_selector('html[data-ready="1"]')
    return page


def numbers(page, result, where):
    """The exact numbers behind those that one card shows."""
    card = f'.card[data-result="{result}"]'
    found = page.eval_on_selector_all(
        f"{card} {where}", "all => all.map(e => [e.dataset.value, e.textContent])"
    )
    for value, told in found:  # what is read is the number, rounded
        told = float(told.replace("−", "-").replace("∞", "inf"))
        assert told == pytest.approx(float(value), rel=1e-3)
    return np.array([float(value) for value, _ in found])


def agrees(page, **setting):
    """Is all that the page shows what the engine gives for this setting?"""
    wanted = forgetting(**setting)
    exact = {"rtol": 1e-12, "atol": 0}
    reach = numbers(page, "reach", ".big output")
    np.testing.assert_allclose(reach, [wanted["reach"]], **exact)
    _, norms = wanted["by distance"].series["norm"]
    table = numbers(page, "by distance", "td")
    np.testing.assert_allclose(table, norms, **exact)
    gates = np.stack(list(wanted["gates"].values()), axis=1)
    table = numbers(page, "gates", "td").reshape(-1, 4)
    np.testing.assert_allclose(table, gates, **exact)
    table = numbers(page, "cell state", "td").reshape(-1, 3)
    np.testing.assert_allclose(table, wanted["cell state"], **exact)
    assert page.inner_text('[data-result="verdict"] .words') == wanted["verdict"]


def open_tables(page):
    for summary in page.query_selector_all("summary"):
        summary.click()


def test_sliders_driven_by_keys_show_what_the_engine_gives(file, page):
    opened(page, file)
    open_tables(page)
    agrees(page)
    at = {"forget_bias": 1, "scale": 1, "T": 1}  # where the sliders start
    values = {"forget_bias": BIASES, "scale": SCALES, "T": STEPS}

    def press(number, key):
        page.keyboard.press(str(number))
        page.keyboard.press(key)
        name = list(at)[number - 1]
        last = len(values[name]) - 1
        at[name] = {"Home": 0, "End": last}.get(
            key, at[name] + (1 if key in ("ArrowRight", "ArrowUp") else -1)
        )
        at[name] = min(max(at[name], 0), last)
        agrees(page, **{n: values[n][k] for n, k in at.items()})

    press(1, "ArrowRight")
    press(2, "End")
    press(3, "ArrowUp")
    press(3, "ArrowRight")  # there is no further value
    press(1, "Home")
    press(2, "ArrowLeft")
    press(3, "Home")


def test_only_computed_values_are_drawn(file, page):
    """The sweep of a number has one dot for each value of the slider, in its place."""
    opened(page, file)
    page.keyboard.press("2")
    dots = page.eval_on_selector_all(
        '.card[data-result="reach"] .curve .dot',
        "all => all.map(e => [e.getAttribute('cx'), e.getAttribute('cy')].map(Number))",
    )
    across, up = np.array(dots).T
    wanted = [forgetting(scale=scale)["reach"] for scale in SCALES]
    assert len(dots) == len(SCALES)
    assert np.allclose(np.diff(across), np.diff(across)[0], atol=0.02)
    logs = np.log10(wanted)
    line = np.polyfit(logs, up, 1)  # a logarithmic axis: pixels against exponents
    assert np.abs(np.polyval(line, logs) - up).max() < 0.02 and line[0] < 0


def test_pointing_reads_out_exact_numbers(file, page):
    opened(page, file)
    page.focus('.card[data-result="gates"] svg.plot')
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    wanted = forgetting()["gates"]
    read = numbers(page, "gates", ".readout b")
    assert read.tolist() == [wanted[gate][2] for gate in "ifgo"]
    page.focus('.card[data-result="cell state"] canvas')
    for key in ("ArrowDown", "ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    read = numbers(page, "cell state", ".readout b")
    assert read.tolist() == [forgetting()["cell state"][1, 1]]


def test_keep_compares_and_links_come_back(file, page):
    opened(page, file)
    page.keyboard.press("k")
    page.keyboard.press("ArrowRight")  # the slider that was used last: the first
    assert "forget bias 0" in page.inner_text("#mg-kept")
    kept = numbers(page, "reach", ".was span")
    assert kept.tolist() == [forgetting()["reach"]]
    assert page.locator('[data-result="gates"] .kept').count() == 4
    page.wait_for_timeout(400)
    link = urllib.parse.unquote(page.url.partition("#")[2])
    assert link == "forget_bias=1&scale=1&T=6"
    opened(page, file, "#forget_bias=3&scale=2&T=12")
    open_tables(page)
    agrees(page, forget_bias=3.0, scale=2.0, T=12)
    page.keyboard.press("r")
    agrees(page)


def test_digits_theme_help_and_axes(file, page):
    opened(page, file)
    page.keyboard.press("x")
    told = page.inner_text('[data-result="reach"] .big output')
    assert float(told) == forgetting()["reach"]
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("d")
    after = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert before != after
    page.keyboard.press("?")
    assert page.is_visible("#mg-help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#mg-help")
    ticks = page.locator('[data-result="gates"] .tick').all_text_contents()
    page.keyboard.press("f")
    fitted = page.locator('[data-result="gates"] .tick').all_text_contents()
    assert ticks != fitted


def test_a_phone_sees_all_of_it(file, browser):
    page = browser.new_page(
        viewport={"width": 360, "height": 740}, has_touch=True, color_scheme="dark"
    )
    opened(page, file)
    open_tables(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    box = page.locator("#mg-slider-0").bounding_box()
    assert box["height"] >= 30 and box["width"] > 100
    page.touchscreen.tap(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2)
    agrees(page, forget_bias=3.0)
    for svg in page.query_selector_all("svg.plot"):  # nothing is cut off
        inside = svg.evaluate(
            "e => [...e.querySelectorAll('text, circle')].every(t => {"
            "const b = t.getBoundingClientRect(), a = e.getBoundingClientRect();"
            "return b.left >= a.left - 1 && b.right <= a.right + 1; })"
        )
        assert inside
    page.close()


def test_strict_and_alone(file):
    text = file.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)


def test_drawings_change_at_once(tmp_path, page):
    pytest.importorskip("pygraphviz", reason="needs dot and pygraphviz")

    def fn(bias=0.0):
        output, _ = LSTM(1, 1, forget_bias=bias, rng=0)(np.ones((3, 1, 1)))
        return {"graph": mg.draw(output[-1].sum(), level="cell", gradients=True)}

    e = mg.explore(fn, bias=[0.0, 4.0])
    opened(page, e.save(tmp_path / "x.html"))
    drawing = page.locator('[data-result="graph"] .drawing svg')

    def shown():
        return [text.strip() for text in drawing.locator("text").all_text_contents()]

    first = shown()
    page.keyboard.press("ArrowRight")
    assert shown() != first
    words = re.findall(r"<text[^>]*>([^<]*)</text>", e.at(bias=4.0)["graph"])
    assert len(words) == len(shown()) > 5
    light = drawing.locator("polygon").first.evaluate("e => getComputedStyle(e).fill")
    page.keyboard.press("d")
    dark = drawing.locator("polygon").first.evaluate("e => getComputedStyle(e).fill")
    assert light != dark


def test_a_notebook_frame_runs_it(tmp_path, page):
    bundle = mg.explore(lambda a: {"twice": 2 * a}, a=[1, 2])._repr_mimebundle_()
    page.set_content(bundle["text/html"])
    frame = page.frame_locator("iframe")
    frame.locator('html[data-ready="1"]').wait_for()
    frame.locator("#mg-slider-0").press("ArrowRight")
    assert frame.locator(".big output").inner_text() == "4"


@pytest.mark.parametrize("wide", [390, 1400])
def test_a_drawing_opens_where_its_result_is(tmp_path, browser, wide):
    pytest.importorskip("pygraphviz", reason="needs dot and pygraphviz")
    path = mg.explore(lit, bias=[0.0, 1.0]).save(tmp_path / "lit.html")
    page = opened(browser.new_page(viewport={"width": wide, "height": 800}), path)
    seen = """() => { const stage = document.querySelector('.drawing');
        const box = stage.getBoundingClientRect();
        const tops = [...stage.querySelectorAll('g.node')]
          .map((node) => node.getBoundingClientRect());
        const result = tops.reduce((a, b) => (b.top < a.top ? b : a));
        return [result.left >= box.left, result.right <= box.right,
          stage.scrollWidth > stage.clientWidth]; }"""
    left, right, scrolled = page.evaluate(seen)
    assert left and right
    assert scrolled == (wide < 500)  # a large screen shows all of it
    page.locator("input[type=range]").press("ArrowRight")
    assert page.evaluate(seen) == [left, right, scrolled]
    page.close()
