"""The ready-made functions with sliders: their numbers against other ways to them."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.commands.main import main
from minigrad.demos import demo, descent_at_the_cliff, gradient_by_distance, one_bit
from minigrad.demos.gates_demo import ReadAgain
from minigrad.flow import cliff
from minigrad.models import LSTM, SentimentReader
from minigrad.trial import WhatIf, read


def test_gradient_is_that_of_the_engine():
    T, size = 7, 1.5
    found = gradient_by_distance("lstm", 2.0, size, T=T)
    lstm = LSTM(3, 6, forget_bias=2.0, rng=0)
    W_h = lstm.cells[0].W_h
    W_h.data = W_h.data * size / np.linalg.norm(W_h.data, 2)
    assert np.linalg.norm(W_h.data, 2) == pytest.approx(size)
    trace = lstm.trace(np.random.default_rng(1).standard_normal((T, 1, 3)))
    jp = mg.jacobian_products(trace)
    _, norms = found["gradient by distance"].series["all paths"]
    np.testing.assert_allclose(norms, jp.norms()[::-1], rtol=1e-12)
    _, alone = found["gradient by distance"].series["through c alone"]
    products = np.cumprod(trace["f"][::-1, 0], axis=0).max(axis=1)
    np.testing.assert_allclose(alone[1:], products, rtol=1e-12)
    values = found["singular values by distance"].series
    last = [values[str(k + 1)][1][-1] for k in range(12)]
    svd = np.linalg.svd(jp.product(0), compute_uv=False)
    np.testing.assert_allclose(last[0], svd[0], rtol=1e-9)
    np.testing.assert_allclose(found["gates"].series["f"][1], trace["f"].mean((1, 2)))
    assert found["gradient at the first step"] == norms[-1]


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_a_forget_bias_is_only_of_an_lstm(cell):
    one, other = (gradient_by_distance(cell, bias, T=3) for bias in (0.0, 4.0))
    assert one["gradient at the first step"] == other["gradient at the first step"]
    scaled = gradient_by_distance(cell, scale=3.0, T=3)
    assert scaled["gradient at the first step"] != one["gradient at the first step"]


def test_one_bit_is_a_product_of_forget_gates():
    found = one_bit(forget_gate=0.9, input_gate=0.3, T=12)
    _, gradient = found["gradient of the last c"].series["with respect to the input"]
    wanted = 0.9 ** np.arange(11, -1, -1.0)
    wanted[1:] *= 0.3
    np.testing.assert_allclose(gradient, wanted, rtol=1e-12)
    _, memory = found["memory over time"].series["the bit was +1"]
    assert memory[0] == 1.0
    kept = one_bit(forget_gate=1.0, input_gate=0.0, T=50)
    assert kept["right at the end"] == 1.0
    noisy = one_bit(forget_gate=0.5, input_gate=1.0, T=50)
    assert 0.3 < noisy["right at the end"] < 0.7


def test_the_cliff_is_descended_step_by_step():
    path = cliff.descend(1.52, 0.05, 40, None)
    for step in (0, 3, 40):
        found = descent_at_the_cliff(0.05, None, 1.52, step)
        assert found["w"] == path.w[step] and found["loss"] == path.loss[step]
        x, y = found["on the loss surface"].series["the way taken"]
        assert np.array_equal(x, path.w[: step + 1])
        assert np.array_equal(y, path.loss[: step + 1])
    clipped = descent_at_the_cliff(0.05, 0.2, 1.52)
    assert abs(clipped["w"] - 1.52) <= 40 * 0.05 * 0.2 + 1e-12


@pytest.fixture(scope="module")
def asked():
    """An untrained reader of a few words, and a sentence."""
    words = ["a", "great", "film", "but", "long", "not"]
    vocabulary = mg.data.Vocabulary([words], min_count=1)
    model = SentimentReader(len(vocabulary), "lstm", 4, 5, rng=0).eval()
    return ReadAgain(model, vocabulary, ["a", "great", "film"])


def test_gates_are_held_as_in_a_trial(asked):
    ranges = asked.ranges()
    assert ranges["hold"] == ["nothing", *(f"{k} = {v}" for k in "ifo" for v in (0, 1))]
    assert set(ranges["becomes"]) == {"itself", "great", "but", "not"}
    reading = read(asked.model, asked.vocabulary, ["a", "not", "film"])
    what = WhatIf(reading, asked.model, asked.vocabulary)
    found = asked(1, "not", "f = 0", "this word")
    _, sentiment = found["positive after each word"].series["now"]
    np.testing.assert_allclose(sentiment, what.clamped("f", 0.0, [1]), rtol=1e-12)
    state = found["the state c, a row for each unit"].values
    i, g = reading.units["i"], reading.units["g"]
    np.testing.assert_allclose(state[:, 1], (i * g)[1], rtol=1e-6)  # nothing was kept
    everywhere = asked(0, "itself", "o = 1", "every word")
    _, sentiment = everywhere["positive after each word"].series["now"]
    what = WhatIf(asked.before, asked.model, asked.vocabulary)
    np.testing.assert_allclose(sentiment, what.clamped("o", 1.0), rtol=1e-12)
    assert "great" in asked()["verdict"] and "not" in found["verdict"]


def test_the_page_of_a_trained_model(asked):
    from types import SimpleNamespace

    reading = {"words": asked.vocabulary}
    trained = SimpleNamespace(model=asked.model, reading=reading)
    e = demo("gates", sentence="a great film", trained=trained)
    assert e.settings == 3 * 4 * 7 * 2
    found = e.at(word="2: great", becomes="but", hold="i = 0", at="this word")
    wanted = asked(1, "but", "i = 0", "this word")
    name = "positive after the last word"
    assert found[name] == wanted[name]


def test_the_command_writes_a_page(tmp_path, capsys):
    path = tmp_path / "pages" / "memory.html"
    assert main(["explore", "memory", "-o", str(path)]) == 0
    assert "252 settings" in capsys.readouterr().out
    assert "Hold one bit" in path.read_text()


def test_the_command_says_what_is_wrong(tmp_path, capsys):
    out = str(tmp_path / "x.html")
    assert main(["explore", "gradient", "--cells", "lstn", "-o", out]) == 2
    assert main(["explore", "memory", "-o", str(tmp_path / "x.png")]) == 2
    assert main(["explore", "gates", "--model", str(tmp_path), "-o", out]) == 2
    told = capsys.readouterr().err
    assert "--cells='lstn'" in told and "ending" in told and "minigrad train" in told
    assert list(tmp_path.iterdir()) == []
