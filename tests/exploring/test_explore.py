"""`mg.explore`: what it computes, what it refuses, and how large its page is."""

import warnings

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine.errors import ArgumentError, DTypeError
from minigrad.exploring import Grid, Lines
from minigrad.models import LSTM


def decay(w=0.9, T=5):
    """A little of everything that needs no layout engine."""
    start = mg.tensor(1.0, requires_grad=True)
    h = start
    states = [h]
    for t in range(T):
        with mg.time_step(t):
            h = mg.tanh(h * w)
        states.append(h)
    (g,) = mg.grad(h, [start])
    values = np.array([s.item() for s in states])
    return {
        "gradient": g,
        "states": values,
        "table": np.outer(values, [1, -1]),
        "both": {"up": values, "down": -values},
        "path": Lines({"a": (values**2, values)}, xlabel="square", ylabel="h"),
        "grid": Grid(np.eye(2) * w, rows=["a", "b"]),
        "lost": abs(g.item()) < 1e-2,
        "verdict": f"{T} steps <b>",
    }


RANGES = {"w": [0.1, 0.9, 1.7], "T": [1, 5, 40]}


def test_every_setting_has_what_the_function_returns():
    e = mg.explore(decay, **RANGES)
    assert e.settings == 9 and e.results == tuple(decay())
    for w in RANGES["w"]:
        for T in RANGES["T"]:
            found, wanted = e.at(w=w, T=T), decay(w, T)
            assert found["gradient"] == wanted["gradient"].item()
            assert np.array_equal(found["states"], wanted["states"])
            assert np.array_equal(found["table"], wanted["table"])
            assert np.array_equal(found["both"].series["down"][1], -wanted["states"])
            x, y = found["path"].series["a"]
            assert np.array_equal(x, y**2) and found["path"].xlabel == "square"
            assert np.array_equal(found["grid"].values, np.eye(2) * w)
            assert found["grid"].rows == ("a", "b")
            assert found["lost"] is (abs(wanted["gradient"].item()) < 1e-2)
            assert found["verdict"] == f"{T} steps <b>"
    assert np.array_equal(e.at()["states"], decay()["states"])  # fn's own defaults


def test_hard_numbers_come_back_bit_by_bit():
    hard = np.array([0.1 + 0.2, 5e-324, 1.7e308, -0.0, np.nan, np.inf, -np.inf, 2**53])
    e = mg.explore(lambda k: hard[k:], k=[0, 1, 2])
    for k in range(3):
        found = e.at(k=k)["result"]
        assert found.tobytes() == hard[k:].tobytes()


def test_arrays_of_any_kind():
    def fn(kind):
        array = np.arange(24).reshape(2, 3, 4)
        return {"a": array.astype(kind), "b": mg.tensor(array.astype(float))}

    e = mg.explore(fn, kind=["float32", "int16", "bool", "float64"])
    found = e.at(kind="float32")
    assert found["a"].shape == found["b"].shape == (2, 3, 4)
    assert np.array_equal(found["a"], np.arange(24).reshape(2, 3, 4))
    assert e.at(kind="bool")["a"].sum() == 23


def test_values_may_be_anything_with_a_label():
    def mine(x, h):
        return mg.tanh(x + 0.5 * h)

    def fn(cell):
        output = mg.tensor([[0.0]])
        for _ in range(3):
            output = cell(mg.tensor([[1.0]]), output)
        return {"last": output}

    e = mg.explore(fn, cell={"mine": mine, "sum": lambda x, h: x + h})
    assert e.at(cell="sum")["last"] == np.array([[3.0]])
    assert e.at(cell="mine")["last"] == fn(mine)["last"].data


def test_a_result_may_be_missing_and_shapes_may_change():
    e = mg.explore(lambda T: {"h": np.ones(T)} if T else {"none": "nothing"}, T=[0, 2])
    assert e.at(T=0) == {"none": "nothing"}
    assert e.at(T=2)["h"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("ranges", "named"),
    [
        ({}, "nothing to explore"),
        ({"w": []}, "'w'"),
        ({"w": 3}, "'w'"),
        ({"w": "abc"}, "'w'"),
        ({"w": [1, 1]}, "'w'"),
        ({"w": [[1], [2]]}, "'w'"),
        ({"w": np.ones((2, 2))}, "'w'"),
        ({"W": [1]}, "did you mean w?"),
    ],
)
def test_ranges_that_make_no_sense(ranges, named):
    with pytest.raises(ArgumentError) as caught:
        mg.explore(decay, **ranges)
    assert named in str(caught.value)


def test_a_parameter_without_range_or_default():
    with pytest.raises(ArgumentError, match="'b' has no range"):
        mg.explore(lambda a, b: a, a=[1])


def test_not_a_function_and_no_size():
    with pytest.raises(ArgumentError, match="no function"):
        mg.explore(3, a=[1])
    with pytest.raises(ArgumentError, match="max_mb"):
        mg.explore(decay, w=[1], max_mb=0)


@pytest.mark.parametrize(
    "returned", [None, {}, [[1], [1, 2]], {"a": object()}, {"a": 1j}, {"a": {"b": 1.0}}]
)
def test_results_that_cannot_be_shown(returned):
    with pytest.raises((DTypeError, ArgumentError)) as caught:
        mg.explore(lambda a: returned, a=[1])
    assert "a=1" in "".join(caught.value.__notes__)


def test_results_that_change_their_kind():
    with pytest.raises(DTypeError, match="'result' is not always of one kind"):
        mg.explore(lambda a: 1.0 if a else "one", a=[0, 1])


def test_what_the_function_raises_names_the_setting():
    with pytest.raises(ZeroDivisionError) as caught:
        mg.explore(lambda a, b: a / b, a=[1], b=[1, 0])
    assert caught.value.__notes__ == [
        "while mg.explore called the function with a=1, b=0"
    ]


def test_too_many_settings_name_the_parameter():
    calls = []
    with pytest.raises(ArgumentError) as caught:
        mg.explore(lambda a, b: calls.append(a), a=range(300), b=range(200))
    assert "a makes the page too large" in str(caught.value)
    assert "give a fewer values: 100 would fit" in str(caught.value) and not calls


def test_too_large_results_name_the_parameter():
    rng = np.random.default_rng(0)

    def fn(few, many):
        return {"noise": rng.standard_normal(1000)}

    with pytest.raises(ArgumentError) as caught:
        mg.explore(fn, few=[1, 2], many=range(500), max_mb=1)
    text = str(caught.value)
    assert "many makes the page too large" in text and "1 MB" in text
    assert "MB for 1000 settings" in text
    small = mg.explore(fn, few=[1, 2], many=range(40), max_mb=1)
    assert small.size < 1.2e6


def test_one_large_value_names_its_parameter():
    def fn(T, b):
        return np.random.default_rng(T).standard_normal(T)

    with pytest.raises(ArgumentError) as caught:
        mg.explore(fn, T=[10, 100, 200_000], b=range(50), max_mb=1)
    assert "T makes the page too large" in str(caught.value)
    assert "leave out T=200000" in str(caught.value)


def test_at_refuses_what_was_not_explored():
    e = mg.explore(decay, **RANGES)
    with pytest.raises(ArgumentError, match="w was not explored at this value"):
        e.at(w=0.5)
    with pytest.raises(ArgumentError, match="no parameter 'v'"):
        e.at(v=0.5)
    thirds = np.linspace(0, 1, 4)
    e = mg.explore(lambda a: a, a=thirds)
    assert e.at(a=1 / 3)["result"] == thirds[1]


def test_the_same_is_kept_once():
    big = np.random.default_rng(0).standard_normal(20_000)
    one = mg.explore(lambda a: {"big": big}, a=[1]).size
    assert mg.explore(lambda a: {"big": big}, a=range(50)).size < one + 2000


def test_saving(tmp_path):
    e = mg.explore(decay, w=[1.0], title="a <title>")
    path = e.save(tmp_path / "new" / "folder" / "x.html")
    text = path.read_text()
    assert text == e.html() and e.size == len(text.encode())
    assert "a &lt;title&gt;" in text and "<title>a <title>" not in text
    with pytest.raises(ArgumentError, match="ending"):
        e.save(tmp_path / "x.svg")
    with pytest.raises(ArgumentError, match="no path"):
        e.save(3)


def test_notebooks_get_the_page_and_words():
    e = mg.explore(decay, w=[1.0])
    bundle = e._repr_mimebundle_()
    assert bundle["text/plain"] == repr(e) and "1 settings of w (1)" in repr(e)
    assert 'sandbox="allow-scripts"' in bundle["text/html"]


def test_drawings_and_figures():
    pytest.importorskip("pygraphviz", reason="needs dot and pygraphviz")
    from minigrad.pages.plots import blank_figure

    def fn(bias):
        output, _ = LSTM(1, 1, forget_bias=bias, rng=0)(np.ones((2, 1, 1)))
        figure = blank_figure(2, 1)
        figure.subplots().plot([0, bias])
        drawing = mg.draw(output.sum(), level="cell", gradients=True)
        return {"graph": drawing, "plot": figure}

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        e = mg.explore(fn, bias=[0.0, 1.0])
    for bias in (0.0, 1.0):
        assert e.at(bias=bias)["graph"].startswith("<svg")
        assert "matplotlib" in e.at(bias=bias)["plot"]
    assert e.at(bias=0.0)["graph"] != e.at(bias=1.0)["graph"]
    assert 'data-theme="dark"' in e.html()


def test_a_picture_for_where_no_script_runs():
    def fn(w=0.5, cell="lstm"):
        t = np.arange(5.0)
        return {
            "loss": w**2,
            "what $happens$": f"{cell} <b>",
            "decay": {"_a": np.exp(-9 * w * t), "b$": np.exp(-w * t)},
            "states": np.outer(t - 2, t) * w,
        }

    e = mg.explore(fn, w=[0.5, 1.0], cell=["lstm", "gru"])
    svg = e.svg()
    assert svg == e.svg(w=0.5, cell="lstm") and svg.count("<svg") == 1
    assert svg != e.svg(w=1.0) != e.svg(cell="gru")
    bundle = e._repr_mimebundle_()
    assert bundle["image/svg+xml"] == svg and "<iframe" in bundle["text/html"]
    assert "data:image/svg+xml;base64," in bundle["text/html"].replace("&amp;", "&")
    with pytest.raises(mg.errors.ArgumentError, match="no parameter"):
        e.svg(u=1)
