"""Translation: reading pairs, the two attentions, the search, BLEU, the ledger."""

import itertools

import numpy as np
import pytest

import minigrad as mg
from minigrad import tasks
from minigrad.commands.main import main
from minigrad.data import tokenize
from minigrad.engine.errors import ArgumentError, DataError
from minigrad.models import AdditiveAttention, MultiplicativeAttention, Translator
from minigrad.tasks.baselines.plain_translation import commonest, dictionary, nearest
from minigrad.tasks.sentence_pairs import (
    joined,
    read_pairs,
    source_words,
    split_rows,
    target_words,
)
from minigrad.tasks.translation_search import Found, translations
from minigrad.tasks.translation_views import owed
from minigrad.tasks.translation_views import written as shown

sacrebleu = pytest.importorskip("sacrebleu", reason="needs sacrebleu")
# after it: they import it when they measure
from minigrad.tasks.translation_figures import bleu_of, counts, words_of  # noqa: E402


def small(attention="additive", kind="gru", directions=2, **options):
    sizes = {"embedding_size": 5, "hidden_size": 6, "dropout": 0.0, "rng": 0}
    return Translator(
        9, 8, kind, attention, directions=directions, dtype="float64", **sizes | options
    )


# ------------------------------------------------------------- the model


def test_additive_weights_are_the_softmax_of_v_tanh(rng):
    a = AdditiveAttention(3, 4, 5, rng=0)
    query, values = rng.normal(size=(2, 3)), rng.normal(size=(2, 6, 4))
    mask = np.arange(6) < np.array([[6], [4]])
    context, weights = a(mg.tensor(query), a.keys(mg.tensor(values)),
                         mg.tensor(values), mask)  # fmt: skip
    q, k = query @ a.W_q.weight.data, values @ a.W_k.weight.data
    e = np.tanh(q[:, None] + k) @ a.v.data[:, 0]
    e = np.where(mask, np.exp(e), 0)
    assert np.allclose(weights.data, e / e.sum(1, keepdims=True))
    assert (weights.data[1, 4:] == 0).all()
    assert np.allclose(context.data, (weights.data[..., None] * values).sum(1))


def test_multiplicative_scores_are_products(rng):
    a = MultiplicativeAttention(3, 4, rng=0)
    query, values = rng.normal(size=(2, 7, 3)), rng.normal(size=(2, 6, 4))
    keys = a.keys(mg.tensor(values))
    scores = a.scores(mg.tensor(query), keys).data
    want = np.einsum("bth,bsd,dh->bts", query, values, a.W_k.weight.data)
    assert np.allclose(scores, want)


@pytest.mark.parametrize("kind, attention, directions", [
    ("gru", "additive", 2), ("lstm", "additive", 1), ("gru", "multiplicative", 1),
    ("lstm", "multiplicative", 2), ("gru", "none", 2), ("lstm", "none", 1),
])  # fmt: skip
def test_gradients_go_through_decoder_attention_and_encoder(
    kind, attention, directions, rng
):
    """All weights have one, and central differences agree."""
    model = small(attention, kind, directions)
    source, read = rng.integers(2, 9, (4, 3)), rng.integers(2, 8, (5, 3))
    mask = np.arange(4)[:, None] < np.array([4, 2, 3])
    target = rng.integers(2, 8, (5, 3))

    def loss():
        return mg.losses.cross_entropy(model(source, read, mask), target)

    loss().backward()
    weight = model.encoder.cells[0].W_x
    found, before = weight.grad.data, weight.data
    for at in ((0, 0), (2, 5)):
        sides = []
        for step in (1e-6, -1e-6):
            moved = np.array(before)
            moved[at] += step
            weight.data = moved
            sides.append(loss().item())
        assert found[at] == pytest.approx((sides[0] - sides[1]) / 2e-6, rel=2e-3)
    weight.data = before
    assert all(p.grad is not None and p.grad.data.any() for p in model.parameters())


@pytest.mark.parametrize("attention", ["additive", "multiplicative", "none"])
def test_padding_changes_nothing(attention, rng):
    model = small(attention)
    source, read = rng.integers(2, 9, (3, 1)), rng.integers(2, 8, (4, 1))
    alone = model(source, read).data
    padded = np.concatenate([source, np.zeros((2, 1), int)])
    mask = np.arange(5)[:, None] < 3
    assert np.allclose(model(padded, read, mask).data, alone, atol=1e-12)


def test_words_of_its_own_are_read_while_training_alone(rng):
    model = small()
    source, read = rng.integers(2, 9, (3, 8)), rng.integers(2, 8, (6, 8))
    right = model(source, read).data
    model.own = 0.9
    assert not np.allclose(model(source, read).data, right)
    assert np.allclose(model(source, read).data[0], right[0])  # after the first word
    model.eval()
    assert np.array_equal(model(source, read).data, right)


def test_encoder_and_decoder_are_two_loops(rng):
    model = small(directions=1)
    loss = model(rng.integers(2, 9, (3, 1)), rng.integers(2, 8, (2, 1))).sum()
    drawn = mg.draw(loss, level="cell").dot
    assert "encoder" in drawn and "decoder" in drawn


# ------------------------------------------------------------- the search


def chance_of(model, source, tokens):
    read = np.array(tokens[:-1])[:, None]
    logits = model(np.array(source)[:, None], read)
    p = mg.log_softmax(logits).data[:, 0]
    return sum(p[t, word] for t, word in enumerate(tokens[1:]))


@pytest.mark.parametrize("attention", ["additive", "multiplicative", "none"])
def test_greedy_takes_the_likeliest_word_each_time(attention):
    model = small(attention)
    model.eval()
    (found,) = translations(model, [[3, 4, 5]], 2, 3, 1)
    tokens = [2]
    for word in [*found[0].tokens, 3]:
        read = np.array(tokens)[:, None]
        last = np.array(model(np.array([[3], [4], [5]]), read).data[-1, 0])
        last[0] = -np.inf
        if len(tokens) < 19:
            assert last.argmax() == word
        tokens.append(word)


def test_a_wide_beam_finds_the_best_sentence_of_all():
    model = small("additive")
    model.eval()
    model.out.bias.data = model.out.bias.data + 3.0 * (np.arange(8) == 3)
    (found,) = translations(model, [[4, 5]], 2, 3, 60)
    best = found[0]
    some = [1, 2, 4, 5, 6, 7]
    sentences = [list(s) for n in range(3) for s in itertools.product(some, repeat=n)]
    scores = [
        chance_of(model, [4, 5], [2, *s, 3]) / (len(s) + 1) ** 0.7 for s in sentences
    ]
    assert best.score == pytest.approx(max(scores))
    assert best.tokens == sentences[int(np.argmax(scores))]
    total = chance_of(model, [4, 5], [2, *best.tokens, 3])
    assert best.score == pytest.approx(total / (len(best.tokens) + 1) ** 0.7)
    assert [f.score for f in found] == sorted([f.score for f in found], reverse=True)


def test_sentences_are_translated_alike_alone_and_together():
    model = small()
    model.eval()
    sources = [[3, 4], [5, 6, 7, 8], [4]]
    together = translations(model, sources, 2, 3, 3)
    for source, found in zip(sources, together, strict=True):
        (alone,) = translations(model, [source], 2, 3, 3)
        assert [f.tokens for f in alone] == [f.tokens for f in found]


def test_a_beam_of_none_is_refused(tmp_path):
    with pytest.raises(ArgumentError, match="a beam of 0"):
        translations(small(), [[3]], 2, 3, 0)
    with pytest.raises(ArgumentError, match="beam"):
        tasks.train("translation", folder=tmp_path, beam=0)


def test_an_unknown_word_is_copied_from_where_it_was_looked_at():
    target = mg.data.Vocabulary([["ist", "da"]])
    a = np.array([[0.9, 0.1], [0.2, 0.8]])
    found = Found([1, target.index("da")], 0.0, a)
    assert words_of(found, target, ["zorro", "here"]) == ["zorro", "da"]
    assert words_of(found._replace(attention=None), target, []) == ["<unk>", "da"]


# ------------------------------------------------------------- figures and the ledger


def test_bleu_is_sacrebleu_s_and_adds_up():
    said = ["Tom ist da .", "Wo ist es ?", "Ich bin müde heute ."]
    right = [["Tom ist da ."], ["Wo ist sie ?", "Wo ist es jetzt ?"],
             ["Ich bin heute müde ."]]  # fmt: skip
    streams = [[r[0] for r in right], [r[1] if len(r) > 1 else None for r in right]]
    want = sacrebleu.corpus_bleu(said, streams).score
    assert bleu_of(counts(said, right)) == pytest.approx(want)


def test_what_each_loss_owes_adds_up_to_its_gradient(rng):
    model = small(directions=1)
    source, said = [3, 4, 5], [2, 6, 7, 3]
    norms, losses = owed(model, source, said)
    assert norms.shape == (3, 3) and losses.shape == (3,)
    logits = model(np.array(source)[:, None], np.array(said[:-1])[:, None])
    loss = mg.losses.cross_entropy(logits[1], np.array(said[2:3]))
    weight = model.encoder.cells[0].W_x
    (g,) = mg.grad(loss, [weight])
    items = mg.ledger(loss, [weight]).items(weight)[0]
    assert np.allclose(items.sum(axis=0), g.data)
    assert np.allclose(np.sqrt((items**2).sum(axis=(1, 2)))[:3], norms[1])


def test_the_baselines():
    train = [[2, 3], [4, 5, 6], [2, 7]]
    assert nearest(train, [[4, 6], [7]], 8).tolist() == [1, 2]
    known = dictionary([[2, 3], [2, 4], [3]], [[9, 8], [9, 7], [8]])
    assert known == {2: 9, 3: 8, 4: 7}
    assert commonest(["a", "b", "b"]) == "b"


# ------------------------------------------------------------- files of a user's own


def written(tmp_path, text, name="pairs.tsv"):
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_two_columns_of_any_kind_are_read(tmp_path):
    pairs = read_pairs(written(tmp_path, "english\tgerman\tby\nHi.\tHallo.\tme\n"))
    assert pairs == (["Hi."], ["Hallo."], ["line 1 is a header"])
    semicolons = read_pairs(written(tmp_path, 'Hi;Hallo\n"a;b";c\n', "a.csv"))
    assert semicolons.sources == ["Hi", "a;b"] and semicolons.targets[1] == "c"


def test_blank_lines_duplicates_and_long_sentences_are_told(tmp_path):
    long = " ".join(["word"] * 500)
    text = f"a\tb\n\na\tb\na\tc\n{long}\td\n"
    pairs = read_pairs(written(tmp_path, text))
    assert pairs.sources == ["a", "a"] and pairs.targets == ["b", "c"]
    told = "; ".join(pairs.notes)
    for words in ("blank lines: 1", "there twice: 1", "more than 60 words: 1",
                  "is line 5", "1 pairs translate"):  # fmt: skip
        assert words in told


@pytest.mark.parametrize("text, words", [
    ("just one column\n" * 3, "where are the two columns"),
    ("a\tb\nc\t\n", "line 2: not a sentence and its translation"),
    ("a\tb\n" * 30 + "nothing here\n", "line 31"),
])  # fmt: skip
def test_missing_columns_are_refused_with_the_line(text, words, tmp_path):
    with pytest.raises(DataError, match=words):
        read_pairs(written(tmp_path, text))


def test_a_source_with_two_translations_is_in_one_part():
    sources = [f"s{k // 2}" for k in range(200)]
    parts = split_rows(sources, None)
    groups = [{sources[k] for k in rows} for rows in parts]
    assert sum(map(len, parts)) == 200 and sum(map(len, groups)) == 100
    with pytest.raises(DataError, match="too few sentences"):
        split_rows(["a", "b"] * 100, "x.tsv")
    with pytest.raises(DataError, match="the first two columns are read"):
        split_rows(["1276"] * 100, "x.tsv")


@pytest.mark.parametrize("text", [
    "Wo ist mein Auto?", "Ich weiß, dass du hier bist!", "我爱你。",
    "مرحبا بالعالم", "שלום עולם!", "मैं यहाँ हूँ",
])  # fmt: skip
def test_words_and_text_of_many_scripts_go_there_and_back(text):
    assert joined(target_words(text)) == text
    assert source_words(text)


def test_scripts_that_the_picture_s_font_lacks_are_shown_by_place():
    words = ["Straße", "где", "我", "שלום", "?"]
    assert shown(words) == ["Straße", "где", "3", "4", "?"]


def test_capital_letters_stay_in_translations():
    assert tokenize("Das Auto", lower=False) == ["Das", "Auto"]
    assert tokenize("Das Auto") == source_words("Das Auto") == ["das", "auto"]


# ------------------------------------------------------------- from end to end


def test_it_trains_saves_and_translates(tmp_path, capsys):
    subjects = {"tom": "Tom", "mary": "Maria", "he": "Er", "she": "Sie"}
    verbs = {"is": "ist", "was": "war", "stays": "bleibt"}
    ends = {"here": "hier", "tired": "müde", "old": "alt", "ill": "krank"}
    lines = [
        f"{a} {b} {c}.\t{x} {y} {z}."
        for (a, x), (b, y), (c, z) in itertools.product(
            subjects.items(), verbs.items(), ends.items()
        )
    ]
    path, folder = written(tmp_path, "\n".join(lines)), str(tmp_path / "out")
    given = ["--epochs", "16", "--hidden", "24", "--embedding", "16", "--dropout", "0",
             "--batch-size", "4", "--lr", "0.01", "--min-count", "1"]  # fmt: skip
    assert main(["train", "translation", "--data", path, "-o", folder, *given]) == 0
    told = capsys.readouterr().out
    assert "nearest training sentence" in told and "No source" in " ".join(told.split())
    trained = tasks.load("translation", folder)
    assert trained.figures["the model"]["exact"] >= 0.7
    answer = trained.predict("Tom was zorro.", beam=2)
    titles = [section.title for section in answer]
    assert titles[1:3] == ["Attention", "The ledger"] and "beam" in titles[3]
    assert "zorro" in " ".join(answer[0].lines)
    shares = [row[1:-1] for row in answer[2].tables[0].rows]
    assert all(abs(sum(int(v[:-1]) for v in row) - 100) <= 2 for row in shares)
    page = tmp_path / "answer.html"
    words = ["predict", "translation", "she is old.", "--model", folder]
    assert main([*words, "--page", str(page)]) == 0
    assert "Sie ist alt." in capsys.readouterr().out
    assert "data:image/svg" in page.read_text(encoding="utf-8")
    for text, words in (("qqq xxx", "no word of it"), ("tom " * 500, "too long")):
        with pytest.raises(DataError, match=words):
            trained.predict(text)


def test_without_sacrebleu_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "sacrebleu.metrics", None)
    with pytest.raises(ArgumentError, match="needs the package sacrebleu"):
        tasks.train("translation", folder=tmp_path)
