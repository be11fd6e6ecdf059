"""What notebooks show of every object: HTML, a picture, text; stripped or not."""

import base64
import re
import warnings
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import minigrad as mg
from minigrad.drawing.write import graphviz_engines
from minigrad.models import GRU, LSTM, RNN
from minigrad.pages.notebook_view import LARGEST, with_picture

FRAMED = ("drawing", "steps", "diagnosis", "monitor")
NAMES = (*FRAMED, "ledger", "products", "explanation")


def monitored(model, batches=3):
    monitor = mg.Monitor(every=1, tell=len)
    rng = np.random.default_rng(0)
    for _ in range(batches):
        monitor.watch((model(rng.standard_normal((4, 2, 2)))[0] ** 2).mean())
    return monitor


def made(name, kind=LSTM):
    model = kind(2, 3, rng=0)
    trace = model.trace(np.random.default_rng(1).standard_normal((4, 1, 2)))
    losses = (trace.output**2).mean(axis=(1, 2))
    loss = losses.sum()
    if name == "drawing":
        return mg.draw(loss, "gate")
    if name == "steps":
        return mg.steps(loss)
    if name == "ledger":
        return mg.ledger(losses, model.parameters())
    if name == "products":
        return mg.jacobian_products(trace)
    if name == "diagnosis":
        return mg.diagnose(loss)
    if name == "explanation":
        return mg.explain(model.cells[0].W_h, (0, 1), loss)
    return monitored(model)


def stripped(text):
    """HTML as a viewer leaves it that takes out what could do harm."""
    return re.sub(r"<(iframe|style|script)\b.*?</\1>", "", text, flags=re.DOTALL)


def images(text):
    """The SVG pictures that an HTML text carries."""
    codes = re.findall(r'<img [^>]*src="data:image/svg\+xml;base64,([^"]+)"', text)
    return [base64.b64decode(code).decode() for code in codes]


@pytest.mark.parametrize(
    "kind", [RNN, LSTM, pytest.param(GRU, marks=pytest.mark.nightly)]
)
@pytest.mark.parametrize("name", NAMES)
def test_everything_has_html_a_picture_and_text(name, kind):
    shown = made(name, kind)
    bundle = shown._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    assert bundle["text/html"] == shown._repr_html_()
    assert bundle["text/plain"].startswith(("<", "dL/d")) or name == "diagnosis"
    root = ET.fromstring(bundle["image/svg+xml"])
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(root.iter())) > 20
    assert bundle == made(name, kind)._repr_mimebundle_()  # the same each time


@pytest.mark.parametrize("name", FRAMED)
def test_a_picture_is_left_where_the_frame_is_taken_away(name):
    bundle = made(name)._repr_mimebundle_()
    left = stripped(bundle["text/html"])
    assert "srcdoc" not in left and images(left) == [bundle["image/svg+xml"]]
    hidden = re.search(r'<div class="(mg-\w+)"><p>', left)[1]
    assert f".{hidden} {{ display: none; }}" in bundle["text/html"]


@pytest.mark.parametrize("name", ["ledger", "products"])
def test_what_has_no_frame_has_its_picture_in_sight(name):
    bundle = made(name)._repr_mimebundle_()
    html = bundle["text/html"]
    assert images(html) == [bundle["image/svg+xml"]] and stripped(html) == html
    assert bundle["text/plain"].count("\n") > 3  # with the table


def test_the_text_of_an_explanation_and_a_diagnosis_is_what_they_print():
    explanation, diagnosis = made("explanation"), made("diagnosis")
    assert explanation._repr_mimebundle_()["text/plain"] == str(explanation)
    assert diagnosis._repr_mimebundle_()["text/plain"] == str(diagnosis)


def test_two_outputs_do_not_hide_each_other():
    one, other = made("drawing")._repr_html_(), made("drawing", GRU)._repr_html_()
    names = [re.search(r"\.(mg-\w+) \{", text)[1] for text in (one, other)]
    assert len(set(names)) == 2


@pytest.mark.parametrize("name", ["drawing", "steps"])
def test_without_an_engine_words_say_why(name, monkeypatch):
    monkeypatch.setattr(graphviz_engines, "installed", lambda: [])
    bundle = made(name)._repr_mimebundle_()
    assert "image/svg+xml" not in bundle
    assert "pip install pygraphviz" in bundle["text/plain"]


def test_a_very_large_picture_stands_there_once():
    text = with_picture("<iframe></iframe>", "x" * (LARGEST + 1), "what it is of")
    assert "<img" not in text and "<p>what it is of</p>" in stripped(text)


def test_text_of_users_is_escaped():
    text = with_picture("", "<svg/>", '<b onclick="x">')
    assert "<b" not in text and 'onclick="' not in text


def test_a_monitor_that_saw_nothing():
    bundle = mg.Monitor()._repr_mimebundle_()
    assert "no batch was seen" not in bundle["text/plain"]
    assert images(stripped(bundle["text/html"])) == [bundle["image/svg+xml"]]


def test_a_monitor_without_loops():
    monitor = mg.Monitor(tell=len)
    w = mg.tensor(2.0, requires_grad=True)
    monitor.watch(w * w)
    assert "no loop over time" in monitor._repr_mimebundle_()["text/plain"]


def test_a_ledger_of_many_losses_takes_one_pass():
    w = mg.tensor(1.1, requires_grad=True, name="w")
    x = mg.tensor(1.0)
    losses = []
    for t in range(150):
        with mg.time_step(t):
            x = mg.tanh(x * w)
            losses.append(x * x)
    led = mg.ledger(losses, [w])
    bundle = led._repr_mimebundle_()
    assert bundle["text/plain"] == repr(led) and "image/svg+xml" in bundle
    assert not led._norms


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.0])
@pytest.mark.parametrize("name", ["ledger", "explanation", "diagnosis"])
def test_numbers_that_are_not_finite(name, bad):
    model = RNN(2, 3, rng=0)
    trace = model.trace(np.ones((4, 1, 2)))
    loss = trace.output.sum() * bad
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shown = {
            "ledger": lambda: mg.ledger(loss, model.parameters()),
            "explanation": lambda: mg.explain(model.cells[0].W_h, (0, 0), loss),
            "diagnosis": lambda: mg.diagnose(loss),
        }[name]()
        ET.fromstring(shown._repr_mimebundle_()["image/svg+xml"])


def test_seen_in_a_browser(page, tmp_path):
    text = made("drawing")._repr_html_()
    path = tmp_path / "notebook.html"
    for content, visible in ((text, False), (stripped(text), True)):
        path.write_text(f"<!DOCTYPE html><title>n</title>{content}", encoding="utf-8")
        page.goto(path.as_uri())
        assert page.is_visible('div[class^="mg-"] > img') is visible
        assert (page.query_selector("iframe") is not None) is not visible
    assert page.evaluate("document.images[0].naturalWidth") > 100
