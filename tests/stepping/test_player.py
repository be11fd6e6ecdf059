"""The player in a real browser: keys, clicks, links, breakpoints, phones, notebooks."""

import html as markup
import re

import numpy as np
import pytest

import minigrad as mg
from minigrad.models import LSTM, RNN
from minigrad.stepping import Contribution, Incoming, Steps


def lstm_steps(**how):
    rng = np.random.default_rng(0)
    net = LSTM(3, 4, rng=0)
    output, _ = net(mg.tensor(rng.standard_normal((4, 2, 3)), name="x"))
    return mg.steps((output * output).sum(), title="an <LSTM> & more", **how)


@pytest.fixture(scope="module")
def steps():
    return lstm_steps()


@pytest.fixture(scope="module")
def file(steps, tmp_path_factory):
    path = tmp_path_factory.mktemp("player") / "steps.html"
    steps.save(path)
    return path


def opened(page, path, event=None):
    page.goto("about:blank")
    page.goto(f"file://{path}" + ("" if event is None else f"#event={event}"))
    page.wait_for_selector('html[data-ready="1"]')
    return page


def at(page):
    """The number of the current event."""
    return int(page.inner_text("#mg-count").split("/")[0])


def soon(page, holds):
    """Wait until something holds (the page's policy forbids Playwright's own way)."""
    for _ in range(500):
        if holds():
            return
        page.wait_for_timeout(20)
    raise AssertionError("it never held")


def press(page, *keys):
    for key in keys:
        page.keyboard.press(key)
    return at(page)


def words(page):
    return re.sub(r"\s+", "", page.inner_text("#mg-panel h2"))


def test_opens_alone_and_strict(steps, file, page):
    text = file.read_text()
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert not re.search(r"https?://(?!www\.w3\.org/)", text)
    opened(page, file)
    assert page.title() == "an <LSTM> & more"
    assert at(page) == 0 and len(page.query_selector_all(".cell")) > 10


def test_the_policy_stops_scripts_and_requests(file, browser):
    page = browser.new_page()
    opened(page, file)
    stopped = page.evaluate(
        """() => new Promise(done => {
            const found = [];
            document.addEventListener("securitypolicyviolation", event => {
                found.push(event.effectiveDirective);
                if (found.length === 3) done(found.sort());
            });
            const add = (tag, fields) => document.body.append(
                Object.assign(document.createElement(tag), fields));
            add("script", { textContent: "window.ran = true" });
            add("img", { src: "http://127.0.0.1:9/x.png" });
            fetch("http://127.0.0.1:9/").catch(() => 0);
        })"""
    )
    assert stopped == ["connect-src", "img-src", "script-src-elem"]
    assert page.evaluate("window.ran") is None
    page.close()


def test_keys_go_where_python_goes(steps, file, page):
    """The page's next gate, step, pass and contribution are those of `Steps.seek`."""
    opened(page, file)
    W_h = steps.find("W_h").number
    units = {"n": "event", "g": "gate", "t": "step", "c": "contribution"}
    page.select_option("#mg-watch-name", str(W_h))
    page.evaluate("document.activeElement.blur()")
    now = 0
    for key in "nngngtttgncccnngt":
        now = steps.seek(now, units[key], target=W_h if key == "c" else None)
        assert press(page, key) == now, key
    for key in "GTCp":
        unit = {**units, "p": "event"}[key.lower()]
        target = W_h if key == "C" else None
        now = steps.seek(now, unit, back=True, target=target)
        assert press(page, key) == now
    assert press(page, "End") == len(steps) - 1
    assert press(page, "Home") == 0
    assert press(page, "ArrowRight", "ArrowRight", "ArrowLeft") == 1
    assert press(page, "b") == steps.seek(0, "pass")
    assert press(page, "b") == 0


def test_help_theme_zoom_and_entries(file, page):
    opened(page, file)
    page.keyboard.press("?")
    assert page.is_visible("#mg-help") and "next event" in page.inner_text("#mg-help")
    page.keyboard.press("Escape")
    assert not page.is_visible("#mg-help")
    before = page.evaluate("document.documentElement.dataset.theme")
    page.keyboard.press("d")
    assert page.evaluate("document.documentElement.dataset.theme") != before
    zoom = float(page.get_attribute("#mg-stage", "data-zoom"))
    page.keyboard.press("+")
    assert float(page.get_attribute("#mg-stage", "data-zoom")) > zoom
    page.keyboard.press("g")
    first = page.inner_text("#mg-numbers")
    page.keyboard.press("]")
    second = page.inner_text("#mg-numbers")
    assert "[0, 0]" in first and "[0, 1]" in second
    assert len(page.query_selector_all(".entry.at")) == 2
    page.keyboard.press("[")
    assert page.inner_text("#mg-numbers") == first


def test_play_and_pause(file, page):
    opened(page, file)
    page.select_option("#mg-speed", "30")
    page.click("#mg-play")
    soon(page, lambda: at(page) > 5)
    page.click("#mg-play")
    now = at(page)
    page.wait_for_timeout(150)
    assert at(page) == now > 5
    assert page.get_attribute("#mg-play", "aria-pressed") == "false"


def test_lights_and_panel_say_what_the_event_says(steps, file, page):
    event = steps.until("receives W_h", after=steps.until("receives W_h").number)
    opened(page, file, event.number)
    assert "contribution2of4" in words(page)
    assert "sum after 2 of 4" in page.inner_text("#mg-panel")
    box = page.query_selector("g.node.now").get_attribute("id")
    assert box == f"n{event.operation}"
    assert len(page.query_selector_all("g.node.out")) == 1
    assert len(page.query_selector_all("g.edge.out")) == 1
    assert "2 of 4 contributions" in page.inner_text("#mg-watched")
    norm = steps.running(event).facts.norm
    assert f"norm {norm:.3g}" in page.inner_text("#mg-watched")
    assert "lstm.py" in page.inner_text(".source")
    assert "self.W_h" in page.inner_text(".source mark")


def test_the_worked_entry_is_python_s(steps, file, page):
    """Numbers in formulas: the page and `Steps.worked` say the same."""
    checked = 0
    opened(page, file)
    for event in [*steps.events[:20], *steps.events[80:120]]:
        if event.number == 80:
            opened(page, file, 80)
        elif event.number:
            page.keyboard.press("n")
        line = steps.worked(event)
        if line is None or "⋯" in line or "/" in line or "²" in line or " if " in line:
            continue
        shown = page.evaluate(
            "[...document.querySelectorAll('#mg-numbers math')]"
            ".map(m => m.textContent).join('')"
        )
        assert shown.replace("·10", "e").replace("e−", "e-") == re.sub(
            r"\s", "", line
        ), event.number
        checked += 1
    assert checked > 15


def test_click_on_a_box_and_on_the_time_line(steps, file, page):
    opened(page, file)
    page.keyboard.press("0")
    page.wait_for_timeout(300)
    page.click("#n9", force=True)
    assert steps.events[at(page)].operation == 9 and steps.events[at(page)].forward
    page.click(".cell.backward >> nth=2")
    event = steps.events[at(page)]
    assert not event.forward
    page.click("#n9", force=True)
    assert steps.events[at(page)].operation == 9
    assert isinstance(steps.events[at(page)], Incoming)
    page.click("#n9", force=True)
    assert isinstance(steps.events[at(page)], Contribution)
    page.click("#mg-bars .bar >> nth=1")
    assert isinstance(steps.events[at(page)], Contribution)


def test_what_stands_between_two_loops_has_a_column(page, tmp_path, rng):
    encoder, decoder = RNN(2, 3, rng=0), RNN(2, 3, rng=1)
    _, h = encoder(rng.standard_normal((3, 1, 2)))
    output, _ = decoder(rng.standard_normal((2, 1, 2)), mg.tanh(h))
    steps = mg.steps((output**2).sum())
    steps.save(tmp_path / "two.html")
    opened(page, tmp_path / "two.html")
    heads = page.locator("#mg-grid .head:not(.over)").all_inner_texts()
    assert [head for head in heads if head] == ["in", *"012", "·", *"01", "out"]
    titles = [c.get_attribute("title") for c in page.locator("#mg-grid .cell").all()]
    between = [title for title in titles if "before RNN 2" in title]
    assert [title.split(",")[0] for title in between] == ["forward", "backward"]
    for title in between:
        number = int(title.split("event ")[1])
        operation = steps.operations[steps.events[number].operation]
        assert operation.step is None
    assert any(o.name == "tanh" and o.step is None for o in steps.operations)


def test_deep_links(steps, file, page):
    opened(page, file, 55)
    assert at(page) == 55
    page.keyboard.press("n")
    soon(page, lambda: page.url.endswith("#event=56"))
    page.reload()
    page.wait_for_selector('html[data-ready="1"]')
    assert at(page) == 56
    page.evaluate("location.hash = '#event=3'")
    soon(page, lambda: at(page) == 3)
    opened(page, file, 10**9)
    assert at(page) == len(steps) - 1
    opened(page, file, "x")
    assert at(page) == 0


def test_breakpoints_are_python_s(tmp_path, page, rng):
    net = RNN(2, 3, rng=0)
    for p in net.parameters():
        p.data = p.data * 0.3
    x = np.zeros((9, 1, 2))
    output, _ = net(mg.tensor(x))
    z = mg.tensor([0.0], requires_grad=True, name="z")
    steps = mg.steps(output[8].sum() + (mg.log(z) * z).sum())
    steps.save(tmp_path / "x.html")
    opened(page, tmp_path / "x.html")
    for text in ("norm < 1e-2", "norm of h < 1e-4", "receives W_h", "nan", "inf"):
        page.keyboard.press("Home")
        page.keyboard.press("u")
        page.fill("#mg-until", text)
        page.keyboard.press("Enter")
        page.evaluate("document.activeElement.blur()")
        expected = steps.until(text, after=0)
        assert expected is not None and at(page) == expected.number, text
        said = page.locator("#mg-until-said")
        assert said.is_visible() and said.bounding_box()["width"] > 50
        assert said.inner_text() == f"stopped at event {expected.number}: {text}"
        mark = page.locator("#mg-grid .cell.stopped")
        assert mark.count() == 1 and mark.get_attribute("aria-current") == "true"
    page.fill("#mg-until", "until I say so")
    page.click("#mg-run button")
    assert page.get_attribute("#mg-until", "aria-invalid") == "true"
    assert "not a condition" in page.inner_text("#mg-until-said")


def test_a_zero_contribution_has_no_bar(steps, file, page):
    """h_0 is zero, so the first use of W_h gives nothing to its gradient."""
    opened(page, file)
    page.select_option("#mg-watch-name", str(steps.find("W_h").number))
    bars = page.eval_on_selector_all(
        "#mg-bars .bar", "all => all.map(e => [e.className, e.title])"
    )
    zeros = [title for name, title in bars if "zero" in name]
    assert zeros == [title for _, title in bars if title.endswith("norm 0")]
    assert len(zeros) == 1 and "step 0" in zeros[0]


def test_colours_are_explained(file, page):
    opened(page, file, 60)
    ranges = page.locator("#mg-panel .array .range").all_inner_texts()
    assert ranges and all("−" in text for text in ranges)


def test_values_over_time_and_states_that_are_alike(tmp_path, page):
    rng = np.random.default_rng(0)
    net = LSTM(3, 4, rng=0)
    x = mg.tensor(rng.standard_normal((4, 1, 3)), name="x")
    trace = net.trace(x)
    steps = mg.steps((trace.output * trace.output).sum())
    steps.save(tmp_path / "x.html", words="to be or not")
    opened(page, tmp_path / "x.html")
    page.keyboard.press("o")
    page.select_option("#mg-series-name", "f")
    page.select_option("#mg-unit", "2")
    rows = page.locator("#mg-series button")
    shown = [float(rows.nth(k).get_attribute("data-value")) for k in range(4)]
    assert shown == trace["f"][:, 0, 2].tolist()
    assert rows.nth(1).locator(".name").inner_text() == "1: be"
    page.select_option("#mg-series-name", "h")
    rows.nth(2).click()
    h = trace["h"][:, 0]
    cosines = h @ h[2] / np.linalg.norm(h, axis=1) / np.linalg.norm(h[2])
    best = sorted((k for k in range(4) if k != 2), key=lambda k: -cosines[k])
    told = page.locator("#mg-alike li")
    assert [text.split(":")[0] for text in told.all_inner_texts()] == list(
        map(str, best)
    )
    found = [float(told.nth(k).get_attribute("data-value")) for k in range(3)]
    np.testing.assert_allclose(found, cosines[best], rtol=1e-12)
    page.keyboard.press("Escape")
    page.locator("#mg-grid button.head").nth(3).click()  # a word of the time line
    assert rows.nth(3).get_attribute("aria-pressed") == "true"
    page.click("[data-do=closeSeries]")
    forget = next(
        e.number
        for e in steps.events
        if e.forward and any(str(steps.values[k].symbol) == "f_1"
                             for k in steps.operations[e.operation].outputs)
    )  # fmt: skip
    opened(page, tmp_path / "x.html", forget)
    page.locator("#mg-panel button.symbol.over").first.click()  # what σ takes
    assert page.input_value("#mg-series-name") == "a_f"
    page.click("[data-do=closeSeries]")
    page.locator("#mg-panel button.symbol.over").last.click()  # what it makes
    assert page.input_value("#mg-series-name") == "f"


def test_on_a_phone(file, browser):
    page = browser.new_page(viewport={"width": 390, "height": 844}, has_touch=True)
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    opened(page, file, 70)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.tap("[data-do=next]")
    assert at(page) == 71
    box = page.query_selector("#mg-play").bounding_box()
    assert box["y"] + box["height"] <= 844 and box["height"] >= 36
    page.tap("[data-do=theme]")
    page.close()
    assert faults == []


def test_reduced_motion_and_labels(file, browser):
    page = browser.new_page(reduced_motion="reduce", color_scheme="dark")
    opened(page, file)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.keyboard.press("End")
    assert page.query_selector("#mg-stage > svg.gliding") is None
    unnamed = page.evaluate(
        """[...document.querySelectorAll("button, input, select, section, dialog")]
        .filter(e => !e.textContent.trim() && !e.getAttribute("aria-label")
            && !e.getAttribute("aria-labelledby") && !e.labels?.length)
        .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert unnamed == []
    assert "complete" in page.inner_text("#mg-say")
    page.close()


def test_several_in_one_notebook(steps, page, tmp_path):
    bundle = steps._repr_mimebundle_()
    assert bundle["text/plain"] == repr(steps)
    frame = bundle["text/html"]
    assert 'sandbox="allow-scripts"' in frame and "an &lt;LSTM&gt;" in frame
    path = tmp_path / "notebook.html"
    path.write_text(f"<!DOCTYPE html><title>n</title>{frame}{frame}")
    page.goto(f"file://{path}")
    frames = [f for f in page.frames if f != page.main_frame]
    assert len(frames) == 2
    for frame in page.query_selector_all("iframe"):
        frame.scroll_into_view_if_needed()
        frame.content_frame().wait_for_selector('html[data-ready="1"]')
    first, second = [f.content_frame() for f in page.query_selector_all("iframe")]
    first.click("[data-do=nextGate]")
    assert first.inner_text("#mg-count") != second.inner_text("#mg-count")


def test_without_an_engine_the_player_still_plays(page, tmp_path, monkeypatch):
    from minigrad.drawing.write import graphviz_engines
    from minigrad.engine.errors import DrawingError

    def none(*_):
        raise DrawingError("no layout engine was found")

    monkeypatch.setattr(graphviz_engines, "run", none)
    steps = lstm_steps(level="gate")
    steps.save(tmp_path / "x.html")
    opened(page, tmp_path / "x.html")
    assert "no layout engine" in page.inner_text("#mg-stage")
    assert press(page, "n", "g") == steps.seek(1, "gate")


HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x00'\"&amp;"


def test_hostile_names_are_text(page, tmp_path):
    w = mg.tensor([1.0, 2.0], requires_grad=True, name=HOSTILE)
    with mg.scope(HOSTILE), mg.time_step(0):
        y = mg.tanh(w * w)
    y.name = HOSTILE
    steps = Steps.from_json(mg.steps((y * y).sum(), title=HOSTILE).to_json())
    steps.save(tmp_path / "x.html")
    opened(page, tmp_path / "x.html")
    for _ in range(len(steps)):
        page.keyboard.press("n")
    assert page.query_selector("img") is None
    assert "<img src=x" in page.inner_text("#mg-panel")


def test_nan_infinity_and_huge_arrays_are_shown(page, tmp_path):
    x = mg.tensor(np.linspace(0, 1, 300_000).reshape(300, 1000), requires_grad=True,
                  name="x")  # fmt: skip
    z = mg.tensor([0.0, -1.0, 2.0], requires_grad=True, name="z")
    steps = mg.steps((x * x).sum() + (mg.log(z) * z).sum())
    steps.save(tmp_path / "x.html")
    assert (tmp_path / "x.html").stat().st_size < 2_000_000
    opened(page, tmp_path / "x.html")
    seen = []
    for _ in range(len(steps)):
        seen.append(page.inner_text("#mg-panel"))
        page.keyboard.press("n")
    text = "\n".join(seen)
    assert "300,000 entries: too many to keep" in text
    assert "NaN" in text and "∞" in text


def test_markup_of_the_frame_is_escaped(steps):
    frame = steps._repr_mimebundle_()["text/html"]
    inside = re.search(r'srcdoc="([^"]*)"', frame)[1]
    assert markup.unescape(inside) == steps.html()
