"""Gates on trial: replayed counterfactuals against running the network again, the
measurements against plain loops, verdicts that can come out both ways, bad input."""

from types import SimpleNamespace

import numpy as np
import pytest

import minigrad as mg
from minigrad.commands import trial
from minigrad.data import Vocabulary
from minigrad.engine import errors
from minigrad.models import SentimentReader
from minigrad.tasks.sentence_reading import chance
from minigrad.trial import (
    Corpus,
    Seen,
    WhatIf,
    gate_verdicts,
    heat_maps,
    read,
    review_corpus,
    trial_sections,
)
from minigrad.trial.gate_evidence import at_word, by_words, places, strong_words

WORDS = ["a", "fine", "film", "but", "long"]
VOCABULARY = Vocabulary([WORDS, ["and", "dull", *WORDS]])


def reader(kind="lstm", seed=0):
    model = SentimentReader(len(VOCABULARY), kind, 6, 5, dtype="float64", rng=seed)
    for parameter in model.parameters():  # far from zero, so that gates move
        parameter.data = 3 * parameter.data
    return model.eval()


@pytest.fixture(scope="module")
def corpus():
    """Random sentences, a third of them with "but" inside; labels at random."""
    rng = np.random.default_rng(0)
    but = VOCABULARY.index("but")
    others = [k for k in range(2, len(VOCABULARY)) if k != but]
    sentences = [list(rng.choice(others, rng.integers(3, 9))) for _ in range(120)]
    for sentence in sentences[::3]:
        sentence[len(sentence) // 2] = but
    labels = rng.random(120) < 0.5
    return Corpus(VOCABULARY, sentences[:60], labels[:60], sentences[60:], labels[60:])


# ------------------------------------------------------------- what if


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_another_word_is_what_reading_it_gives(kind):
    model = reader(kind)
    what = WhatIf(read(model, VOCABULARY, WORDS), model, VOCABULARY)
    again = read(model, VOCABULARY, ["a", "fine", "film", "and", "dull"])
    found = what.replaced({3: "and", 4: "dull"})
    np.testing.assert_allclose(found, again.sentiment, rtol=1e-12)
    unread = read(model, VOCABULARY, ["a", "qwertz", "film", "but", "long"])
    np.testing.assert_allclose(what.without(1), unread.sentiment, rtol=1e-12)
    np.testing.assert_array_equal(what.replaced({}), what.reading.sentiment)


def lstm_by_hand(model, words, held):
    """The logits of an LSTM, gates held as asked: {(letter, step): value}."""
    (cell,) = model.recurrent.cells
    h = c = np.zeros(cell.hidden_size)
    logits = []
    for t, number in enumerate(VOCABULARY.encode(words)):
        x = model.embed.weight.data[number]
        z = np.split(x @ cell.W_x.data + h @ cell.W_h.data + cell.b.data, 4)
        gate = {k: 1 / (1 + np.exp(-v)) for k, v in zip("ifgo", z, strict=True)}
        gate["g"] = np.tanh(z[2])
        for letter in "ifo":
            gate[letter] = (
                np.full_like(h, held[letter, t])
                if (letter, t) in held
                else gate[letter]
            )
        c = gate["f"] * c + gate["i"] * gate["g"]
        h = gate["o"] * np.tanh(c)
        logits.append(h @ model.out.weight.data[:, 0] + model.out.bias.data[0])
    return np.array(logits)


@pytest.mark.parametrize("letter", ["i", "f", "o", "forget gate"])
@pytest.mark.parametrize("steps", [[3], [0, 2], None])
def test_a_gate_held_is_the_equations_with_that_gate(letter, steps):
    model = reader()
    what = WhatIf(read(model, VOCABULARY, WORDS), model, VOCABULARY)
    for value in (0.0, 0.4, 1.0):
        chosen = range(len(WORDS)) if steps is None else steps
        held = {(letter[0], t): value for t in chosen}
        expected = chance(lstm_by_hand(model, WORDS, held))
        found = what.clamped(letter, value, steps)
        np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_recorded_reading_stays_as_it_was():
    model = reader()
    reading = read(model, VOCABULARY, WORDS)
    what = WhatIf(reading, model, VOCABULARY)
    before = reading.sentiment.copy()
    table = what.clamp_table("f")
    assert table.shape == (2, len(WORDS)) and (table[:, 1:] != before[-1]).all()
    np.testing.assert_array_equal(what.replaced({}), before)


def test_what_cannot_be_asked():
    model = reader()
    what = WhatIf(read(model, VOCABULARY, WORDS), model, VOCABULARY)
    with pytest.raises(errors.ArgumentError, match="no word 9"):
        what.replaced({9: "and"})
    with pytest.raises(errors.ArgumentError, match="not in the vocabulary"):
        what.replaced({1: "qwertz"})
    with pytest.raises(errors.ArgumentError, match="not a gate of this cell"):
        what.clamped("c", 0.0)
    with pytest.raises(errors.ArgumentError, match="cannot be held at"):
        what.clamped("f", 1.5)
    with pytest.raises(errors.DataError, match="no word of it"):
        read(model, VOCABULARY, ["qwertz", "asdf"])
    simple = reader("rnn")
    asked = WhatIf(read(simple, VOCABULARY, WORDS), simple, VOCABULARY)
    with pytest.raises(errors.ArgumentError, match="an LSTM or GRU"):
        asked.clamped("f", 0.0)


# ------------------------------------------------------------- evidence


def test_sentences_read_together_are_read_alone(corpus):
    model = reader()
    seen = Seen(model, corpus.held_out)
    for k in (0, 7, 31):
        words = VOCABULARY.decode(corpus.held_out[k])
        alone = read(model, VOCABULARY, words)
        np.testing.assert_allclose(chance(seen.final()[k]), alone.sentiment[-1])
        gate = seen.gate("f")[: len(words), k]
        np.testing.assert_allclose(gate, alone.gates["f"], rtol=1e-12)
        assert np.isnan(seen.gate("f")[len(words) :, k]).all()


def test_a_gate_held_in_many_sentences_is_held_in_each(corpus):
    model = reader()
    seen = Seen(model, corpus.held_out)
    at = places(seen, VOCABULARY.index("but"))
    found = seen.held("f", 0.0, at)
    for k in range(0, 60, 7):
        words = VOCABULARY.decode(corpus.held_out[k])
        what = WhatIf(read(model, VOCABULARY, words), model, VOCABULARY)
        expected = what.clamped("f", 0.0, np.flatnonzero(at[:, k]))[-1]
        np.testing.assert_allclose(chance(found[k]), expected, rtol=1e-10)


def test_a_gate_at_a_word_is_measured_within_and_against(corpus):
    seen = Seen(reader(), corpus.held_out)
    but = VOCABULARY.index("but")
    found = at_word(seen, "f", but)
    gate, within, here = seen.gate("f"), [], []
    for k, sentence in enumerate(corpus.held_out):
        if but in sentence[1:]:
            at = sentence.index(but, 1)
            rest = [gate[t, k] for t in range(len(sentence)) if t != at]
            within.append(gate[at, k] - np.mean(rest))
            here.append(gate[at, k])
    assert found.within.value == pytest.approx(np.mean(within))
    assert found.level == pytest.approx(np.mean(here))
    assert found.within.low < found.within.value < found.within.high
    assert at_word(seen, "f", 1) is None  # no sentence has it


def test_words_that_tell_the_side_are_found_in_the_training_part(corpus):
    fine, dull = (VOCABULARY.index(word) for word in ("fine", "dull"))
    rest = [k for k in range(2, len(VOCABULARY)) if k not in (fine, dull)]
    train = [[fine, rest[k % 5]] for k in range(20)]
    train += [[dull, rest[k % 5]] for k in range(20)]
    labels = np.arange(40) < 20
    many = Vocabulary([[str(k) for k in range(40)]])
    train += [[k, k + 1] for k in range(9, 38) for _ in range(10)]
    labels = np.concatenate([labels, np.arange(290) % 2 == 0])
    found = corpus._replace(vocabulary=many, train=train, train_labels=labels)
    strong, weak = strong_words(found)
    assert {fine, dull} <= strong and not strong & weak
    values = by_words(Seen(reader(), corpus.held_out), "i", {fine}, {dull})
    assert np.isfinite(values.effect)


# ------------------------------------------------------------- verdicts


def with_forget_bias(at_but, elsewhere):
    """An LSTM whose forget gate does, by its weights, what the story tells."""
    model = SentimentReader(len(VOCABULARY), "lstm", 6, 5, dtype="float64", rng=0)
    (cell,) = model.recurrent.cells
    embed = np.zeros_like(model.embed.weight.data)
    embed[:, 0] = elsewhere
    embed[VOCABULARY.index("but"), 0] = at_but
    model.embed.weight.data = embed
    w_x, w_h, b = (np.array(p.data) for p in (cell.W_x, cell.W_h, cell.b))
    columns = cell.columns("f")
    w_x[:, columns], w_h[:, columns], b[columns] = 0.0, 0.0, 0.0
    w_x[0, columns] = 1.0
    cell.W_x.data, cell.W_h.data, cell.b.data = w_x, w_h, b
    return model.eval()


def test_the_verdict_on_but_comes_out_both_ways(corpus):
    falls, _ = gate_verdicts.seen_of(with_forget_bias(-3.0, 3.0), corpus)
    rises, _ = gate_verdicts.seen_of(with_forget_bias(3.0, -3.0), corpus)
    same, _ = gate_verdicts.seen_of(with_forget_bias(2.0, 2.0), corpus)
    assert gate_verdicts.forget_at_but(falls, corpus).holds
    assert "lower" in gate_verdicts.forget_at_but(falls, corpus).measured
    for seen in (rises, same):
        assert not gate_verdicts.forget_at_but(seen, corpus).holds
    assert "does not move" in gate_verdicts.forget_at_but(same, corpus).measured
    assert gate_verdicts.forget_stays_open(same).holds
    assert not gate_verdicts.forget_stays_open(rises).holds


def test_nothing_is_said_of_a_word_that_the_network_does_not_know(corpus):
    """Read as unknown, "but" would be every word that is not known."""
    words = [word for word in VOCABULARY.words[2:] if word != "but"]
    without = mg.data.Vocabulary([words])
    again = [
        [without.encode(VOCABULARY.decode(sentence)) for sentence in part]
        for part in (corpus.train, corpus.held_out)
    ]
    unknown = corpus._replace(vocabulary=without, train=again[0], held_out=again[1])
    found = gate_verdicts.judged(reader(), unknown)
    told = [v for v in found if '"but"' in v.claim]
    assert len(told) == 1 and "too few" in told[0].measured


def test_all_verdicts_are_in_words(corpus):
    model = reader()
    reading = read(model, VOCABULARY, WORDS)
    found = gate_verdicts.judged(model, corpus, reading)
    assert [v.claim for v in found][-1].startswith("the sentiment turns")
    assert all(v.measured and isinstance(v.holds, bool) for v in found)
    rows = gate_verdicts.all_gates_at(Seen(model, corpus.held_out), corpus, "but")
    assert [row[0] for row in rows] == ["input gate", "forget gate", "output gate"]
    few = corpus._replace(
        held_out=corpus.held_out[:3], held_out_labels=corpus.held_out_labels[:3]
    )
    assert "too few" in gate_verdicts.judged(model, few)[0].measured


# ------------------------------------------------------------- the command


@pytest.mark.parametrize("text", ["but", "=and", "but=", ""])
def test_replace_wants_two_words(text):
    with pytest.raises(errors.ArgumentError, match="OLD=NEW"):
        trial.replaced(text)


@pytest.mark.parametrize("text", ["f", "f=x", "=1", "f=1@", ""])
def test_clamp_wants_a_gate_and_a_value(text):
    with pytest.raises(errors.ArgumentError, match="GATE=VALUE"):
        trial.held(text)


def test_what_is_asked_comes_out_as_rows():
    model = reader()
    what = WhatIf(read(model, VOCABULARY, WORDS), model, VOCABULARY)
    asked = [trial.held("f=1@but"), trial.held("f=0")]
    rows = trial_sections.what_ifs(what, [trial.replaced("But=and")], asked)
    assert [row[0] for row in rows[:4]] == [
        "as it is", '"and" instead of "but"',
        'forget gate at 1 at "but"', "forget gate at 0 at every word",
    ]  # fmt: skip
    assert len(rows) == 4 + len(WORDS)
    with pytest.raises(errors.ArgumentError, match="not in the sentence"):
        trial_sections.what_ifs(what, [("nothing", "and")], [])


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_heat_maps_of_every_cell(kind):
    model = reader(kind)
    reading = read(model, VOCABULARY, ["a", "$x^2$", "film"])
    assert heat_maps.means(reading).axes and heat_maps.units(reading).axes
    if kind != "rnn":
        letter = "f" if kind == "lstm" else "z"
        what = WhatIf(reading, model, VOCABULARY)
        figure = heat_maps.held(reading, {letter: what.clamp_table(letter)})
        figure.canvas.draw()  # a dollar sign is no formula


def test_the_command_writes_its_page(tmp_path, monkeypatch, capsys, corpus):
    from minigrad import tasks
    from minigrad.commands.main import main
    from minigrad.tasks.sentiment import Sentiment

    trained = SimpleNamespace(
        task=Sentiment(), model=reader(), reading={"words": VOCABULARY},
        config={"kind": "lstm"}, settings=SimpleNamespace(data=None),
    )  # fmt: skip
    monkeypatch.setattr(tasks, "load", lambda *a: trained)
    monkeypatch.setattr(review_corpus, "corpus", lambda words=None: corpus)
    path = tmp_path / "page.html"
    sentence = "A fine <b>film</b>, but long"
    words = ["trial", sentence, "--replace", "but=and", "--clamp", "f=1@but"]
    assert main([*words, "-o", str(path)]) == 0
    page, said = path.read_text(), capsys.readouterr().out
    assert "&lt;b&gt;" in page and "<b>film" not in page
    for text in ("does not hold", "forget gate at 1", "Word by word"):
        assert text in page and text in said
    assert main(["trial", "  ", "-o", str(path)]) == 2
    assert main(["trial", sentence, "--clamp", "q=1", "-o", str(path)]) == 2
    with mg.no_grad():  # it records even so
        assert read(trained.model, VOCABULARY, WORDS).reach.shape == (5,)
