"""The models of the tasks: shapes, padding that does not count, noise that can be
repeated, and one batch that each of them learns by heart."""

import numpy as np
import pytest
from minigrad.models.word_models import SpelledWords, WordDropout

import minigrad as mg
from minigrad.engine import errors
from minigrad.models import LanguageModel, SentimentReader, TextTagger, WordTagger

MASK = np.array([[1, 1, 1], [1, 1, 0], [1, 0, 0]], bool)
TOKENS = np.array([[2, 3, 4], [5, 2, 0], [3, 0, 0]])


def sentiment(**options):
    return SentimentReader(6, embedding_size=4, hidden_size=3, **options)


class Tagger(WordTagger):
    """Reads the tokens as the others do: six words, of one to three pieces."""

    PIECES = np.array([[0] * 3, [2, 0, 0], [3, 4, 0], [5, 2, 3], [6, 0, 0], [4, 5, 6]])

    def forward(self, tokens, mask):
        words, places = np.unique(tokens, return_inverse=True)
        return super().forward(
            words, self.PIECES[words], places.reshape(tokens.shape), mask
        )


def tagger(**options):
    return Tagger(6, 7, embedding_size=4, hidden_size=3, **options)


def texts(**options):
    return TextTagger(6, 2, embedding_size=4, hidden_size=3, **options)


MODELS = {"sentiment": sentiment, "words": tagger, "texts": texts}


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_padding_does_not_count(make):
    model = make(rng=0).eval()
    whole = model(TOKENS, mask=MASK).data
    for column, length in enumerate((3, 2, 1)):
        rows = slice(0, length), slice(column, column + 1)
        alone = model(TOKENS[rows], mask=MASK[rows]).data
        kept = whole[rows] if alone.ndim == 2 and make is not texts else whole[column]
        np.testing.assert_allclose(alone.reshape(kept.shape), kept, rtol=1e-5)


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_noise_only_while_training_and_the_same_for_a_seed(make):
    first, second = (make(rng=0, noise=np.random.default_rng(4)) for _ in range(2))
    once, again = (m(TOKENS, mask=MASK).data for m in (first, second))
    np.testing.assert_array_equal(once, again)
    assert (first(TOKENS, mask=MASK).data != once).any()  # other noise
    first.eval()
    np.testing.assert_array_equal(
        first(TOKENS, mask=MASK).data, first(TOKENS, mask=MASK).data
    )


@pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
def test_a_batch_is_learned_by_heart(make):
    model = make(rng=0).eval()  # no noise
    shape = model(TOKENS, mask=MASK).shape
    target = np.random.default_rng(1).integers(0, 2, shape).astype("float32")
    mask = None if make is texts else MASK
    optimizer = mg.optim.Adam(model.parameters(), lr=0.05)
    for _ in range(150):
        logits = model(TOKENS, mask=MASK)
        loss = mg.losses.binary_cross_entropy(logits, target, mask=mask)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.05


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_carried_state_is_the_whole_text(kind):
    model = LanguageModel(6, kind, 4, 3, dropout=(0, 0), rng=0, dtype="float64").eval()
    tokens = np.array([[1], [2], [3], [4], [5]])
    whole, _ = model(tokens)
    first, state = model(tokens[:2])
    second, _ = model(tokens[2:], state)
    np.testing.assert_allclose(first.data, whole.data[:2], rtol=1e-12)
    np.testing.assert_allclose(second.data, whole.data[2:], rtol=1e-12)
    assert whole.shape == (5, 1, 6)


def test_what_follows_counts_in_both_directions_only():
    later = TOKENS.copy()
    later[2, 0] = 5
    for both in (True, False):
        model = tagger(bidirectional=both, rng=0).eval()
        moved = model(later, mask=MASK).data != model(TOKENS, mask=MASK).data
        assert moved[0, 0] == both and not moved[:, 1:].any()


def test_a_word_is_its_own_vector_and_the_mean_of_its_pieces():
    words = SpelledWords(4, 6, 3, word_dropout=0.5, dtype="float64", rng=0).eval()
    own, pieces = words.words.weight.data, words.pieces.weight.data
    found = words([2, 1, 3], [[4, 5, 0], [2, 0, 0], [0, 0, 0]]).data
    expected = [own[2] + (pieces[4] + pieces[5]) / 2, own[1] + pieces[2], own[3]]
    np.testing.assert_allclose(found, expected, rtol=1e-15)
    words.train()
    lost = words([2] * 50, [[4, 0]] * 50).data
    assert {tuple(row) for row in lost} == {
        tuple(own[k] + pieces[4]) for k in (1, 2)
    }  # of a lost word the pieces stay
    words(np.array([1, 2]), np.array([[4, 0], [4, 5]])).sum().backward()
    gradient = words.pieces.weight.grad.data
    np.testing.assert_allclose(gradient[[0, 4, 5]], [[0] * 3, [1.5] * 3, [0.5] * 3])


def test_words_are_lost_in_training_only():
    lose = WordDropout(0.3, rng=0)
    tokens = np.full((100, 100), 7)
    lost = lose(tokens)
    assert set(np.unique(lost)) == {1, 7} and 0.27 < (lost == 1).mean() < 0.33
    assert (lose.eval()(tokens) == 7).all()


def test_what_is_not_offered():
    with pytest.raises(errors.ArgumentError, match="kind='cnn' is not offered"):
        sentiment(kind="cnn")
    with pytest.raises(errors.ArgumentError, match="not a probability"):
        sentiment(word_dropout=1.5)


def test_tied_vectors_are_read_and_said():
    model = LanguageModel(6, "gru", 4, 4, dropout=(0, 0), tied=True, rng=0)
    names = [name for name, _ in model.named_parameters()]
    assert "bias" in names and not any(name.startswith("out") for name in names)
    tokens = np.array([[1, 2], [3, 4]])
    logits, _ = model(tokens)
    output, _ = model.recurrent(model.embed(tokens))
    expected = output.data @ model.embed.weight.data.T + model.bias.data
    np.testing.assert_allclose(logits.data, expected, rtol=1e-5)
    mg.losses.cross_entropy(logits, tokens).backward()
    assert (model.embed.weight.grad.data[5] != 0).any()  # said, though never read
    with pytest.raises(errors.ArgumentError, match="two sizes"):
        LanguageModel(6, "gru", 4, 5, tied=True)
