"""The baselines: probabilities that add up, a formula done by hand, a known optimum;
bootstrap intervals that hold what they say."""

import numpy as np
import pytest

from minigrad.tasks import statistics
from minigrad.tasks.baselines import LogisticRegression, NGram


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_add_up_to_one(order, rng):
    text = rng.integers(0, 6, 300).tolist()
    model = NGram([text[:200], text[200:]], order, 6)
    for context in ([], [0], [1, 2, 3], [5, 5, 5, 5, 5], [9, 9]):
        chances = [model.probability(k, context) for k in range(6)]
        assert sum(chances) == pytest.approx(1, abs=1e-12)
        assert min(chances) > 0


def test_kneser_ney_by_hand():
    """Bigrams of a b a b a c (a, b, c = 0, 1, 2), worked out on paper."""
    model = NGram([[0, 1, 0, 1, 0, 2]], 2, 3)
    # ab: 2, ba: 2, ac: 1; n1 = 1, n2 = 2: D = 1 / 5. Preceded by: a: b and the start,
    # b: a, c: a; counted once: 2, twice: 1: D' = 2 / 4.
    unigram = {}
    for token, count in ((0, 2), (1, 1), (2, 1)):
        unigram[token] = (count - 0.5 + 0.5 * 3 * (1 / 3)) / 4
    assert model.probability(0, []) == pytest.approx(unigram[0])
    expected = (2 - 0.2 + 0.2 * 2 * unigram[1]) / 3
    assert model.probability(1, [0]) == pytest.approx(expected)
    expected = (0 + 0.2 * 1 * unigram[2]) / 2  # c never followed b
    assert model.probability(2, [1]) == pytest.approx(expected)
    assert model.probability(1, [2]) == pytest.approx(unigram[1])  # nothing followed c


def test_bits_are_of_each_token_after_what_precedes():
    sequences = [[0, 1, 0, 1, 0, 2], [2, 1]]
    model = NGram(sequences, 3, 3)
    found = model.bits(sequences, skip=1)
    assert len(found) == 5 + 1
    assert found[2] == pytest.approx(-np.log2(model.probability(1, [0, 1, 0])))
    assert found[-1] == pytest.approx(-np.log2(model.probability(1, [2])))


def test_nothing_is_impossible_where_all_was_counted_twice():
    model = NGram([[0, 1, 2, 3] * 5, [0, 1, 2, 3] * 5], 3, 5)
    assert np.isfinite(model.bits([[3, 0, 4, 2, 1]])).all()


def test_a_longer_memory_helps_where_there_is_something_to_remember():
    text = ([0] * 3 + [1]) * 50
    found = [NGram([text], n, 2).bits([text]).mean() for n in (1, 3, 4)]
    assert found[0] > found[1] > found[2] and found[2] < 0.05


def test_logistic_regression_is_at_its_minimum(rng):
    words = ["good", "bad", "film", "plot", "long"]
    texts = [" ".join(rng.choice(words, 4)) for _ in range(60)]
    labels = np.array([["good" in t, "long" in t] for t in texts])
    model = LogisticRegression(texts, labels, C=2.0, min_count=1)
    z = model.logits(texts)
    rows = model._rows([model._features(t) for t in texts])
    error = 2.0 * (1 / (1 + np.exp(-z)) - labels)
    slope = rows.transposed_times(error) + model.weights
    assert np.abs(slope).max() < 0.01 and np.abs(error.sum(axis=0)).max() < 0.01
    assert ((z > 0) == labels).mean() > 0.95
    lengths = np.bincount(rows.row, rows.value**2)
    np.testing.assert_allclose(lengths, 1)
    assert model.logits(["nothing known"]).shape == (1, 2)


def test_products_of_sparse_rows(rng):
    from minigrad.tasks.baselines.linear import Rows

    dense = rng.standard_normal((5, 4)) * (rng.random((5, 4)) < 0.5)
    rows = Rows([{k: v for k, v in enumerate(r) if v} for r in dense], 4)
    right, left = rng.standard_normal((4, 2)), rng.standard_normal((5, 2))
    np.testing.assert_allclose(rows @ right, dense @ right)
    np.testing.assert_allclose(rows.transposed_times(left), dense.T @ left)


# ------------------------------------------------------------- statistics


def test_an_interval_holds_the_mean_as_often_as_it_says():
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        found = statistics.interval(rng.normal(3.0, 1.0, 50), draws=300)
        inside += found.low <= 3.0 <= found.high
    assert 0.88 < inside / 200 < 0.99


def test_a_pair_on_the_same_rows_is_compared_row_by_row(rng):
    hard = rng.standard_normal(400)  # what is common to both cancels
    ours, theirs = hard + 0.1, hard
    found = statistics.paired(lambda k: ours[k].mean() - theirs[k].mean(), 400)
    assert found.value == pytest.approx(0.1) and found.high - found.low < 1e-9
    assert found.clear
    noise = rng.standard_normal(400)
    found = statistics.paired(lambda k: noise[k].mean(), 400)
    assert found.low < noise.mean() < found.high


def test_effect_sizes_are_in_standard_deviations(rng):
    first, second = rng.normal(1.0, 2.0, 4000), rng.normal(0.0, 2.0, 3000)
    found = statistics.difference(first, second, draws=200)
    assert found.effect == pytest.approx(0.5, abs=0.06)
    assert found.interval.low < 1.0 < found.interval.high
    words = [statistics.effect_words(d) for d in (0.1, -0.3, 0.6, -2.0)]
    assert words == ["negligible", "small", "medium", "large"]
    same = np.ones(5)
    assert statistics.difference(same, same, draws=10).effect == 0.0
