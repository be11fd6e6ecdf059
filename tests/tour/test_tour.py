"""The tour: what it trains, measures, draws and writes; and what it refuses."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from rich.console import Console

from minigrad import tasks
from minigrad.commands.main import main
from minigrad.drawing.write import graphviz_engines
from minigrad.engine import errors
from minigrad.tasks import sentence_reading
from minigrad.tasks.task_options import settings
from minigrad.tour import guide, tour_plots, tour_training
from minigrad.trial import gate_verdicts, review_corpus
from minigrad.trial.gate_evidence import Seen


@pytest.fixture(autouse=True)
def nothing_saved(tmp_path_factory, monkeypatch):
    """No test sees the models that the user of this machine has trained."""
    folder = tmp_path_factory.mktemp("data")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *a, **k: folder)
    return folder


@pytest.fixture(scope="module")
def corpus():
    whole = review_corpus.corpus()
    return whole._replace(
        train=whole.train[:400],
        train_labels=whole.train_labels[:400],
        held_out=whole.held_out[:100],
        held_out_labels=whole.held_out_labels[:100],
    )


def test_the_corpus_keeps_its_parts_apart():
    whole = review_corpus.corpus()
    assert len(whole.train) + len(whole.held_out) == 9171
    assert 0.5 <= whole.majority <= 0.55
    again = review_corpus.corpus()
    assert again.held_out == whole.held_out and again.train == whole.train


def test_its_held_out_sentences_are_those_of_the_task():
    """Whole ones: a saved model is as right here as on the page of its training."""
    task = tasks.task("sentiment")
    data = task.prepare(settings(task.options, {}))
    ours = review_corpus.corpus(data.reading["words"])
    assert ours.held_out == data.test.tokens
    assert np.array_equal(ours.held_out_labels, data.test.positive)


def test_training_learns_and_repeats_itself(corpus):
    losses = [], []
    for seen in losses:
        tour_training.train("gru", corpus, seen.append, seed=3)
    assert losses[0] == losses[1]  # the same seed, the same bits
    assert len(losses[0]) == tour_training.batches_per_run(corpus)
    assert np.mean(losses[0][-5:]) < np.mean(losses[0][:5])


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_a_reading_is_what_the_reader_says(kind, corpus):
    reader = tour_training.reader(kind, len(corpus.vocabulary), rng=0).eval()
    words = sentence_reading.words_of("I loved it, but the qwertz was bad")
    found = sentence_reading.read(reader, corpus.vocabulary, words)
    tokens = np.array(corpus.vocabulary.encode(words))
    alone = reader(tokens[:, None], np.ones((len(words), 1), bool)).data[:, 0]
    np.testing.assert_allclose(found.sentiment, 1 / (1 + np.exp(-alone)), rtol=1e-5)
    assert not found.known[words.index("qwertz")] and found.known[words.index("but")]
    # The reach of a word, by differences: move its vector, see the last logit move.
    assert found.reach.shape == (len(words),) and (found.reach > 0).all()


def test_verdicts_are_measured(corpus):
    reader = tour_training.reader("lstm", len(corpus.vocabulary), rng=0).eval()
    seen = Seen(reader, corpus.held_out)
    at_but = gate_verdicts.forget_at_but(seen, corpus)
    assert "held-out" in at_but.measured and not at_but.holds  # it is not trained
    stays = gate_verdicts.forget_stays_open(seen)
    assert re.search(r"its mean over held-out words is 0\.\d\d", stays.measured)


@pytest.mark.parametrize("engine", ["dot", "pygraphviz"])
def test_the_graph_is_drawn_with_and_without_dot(engine, corpus):
    if engine not in graphviz_engines.installed():
        pytest.skip(f"needs {engine}")
    reader = tour_training.reader("lstm", len(corpus.vocabulary), rng=0).eval()
    words = ["i", "<script>", 'a"b\\', "end"]
    found = sentence_reading.read(reader, corpus.vocabulary, words)
    drawing = tour_plots.picture(found, engine)
    lines = [line for line in drawing.picture.lines if line.kind == "state"]
    assert len(lines) == 2 * 3  # c and h, from step to step
    svg = drawing.svg()
    texts = [e.text for e in ET.fromstring(svg).iter() if e.tag.endswith("}text")]
    assert texts.count("forget gate") == 4 and "1: <script>" in texts
    assert f"mean {found.gates['f'][2]:.2g}" in texts
    assert "<script" not in svg


def test_the_command_writes_everything(tmp_path, capsys, corpus, monkeypatch):
    monkeypatch.setattr(review_corpus, "corpus", lambda words=None: corpus)
    folder = tmp_path / "out"
    sentence = "I liked <b>it</b>, but the end & all was bad"
    assert main(["tour", sentence, "-o", str(folder)]) == 0
    said = capsys.readouterr().out
    for words in ("held-out accuracy", "forget", "How far back", "index.html"):
        assert words in said
    assert {p.name for p in folder.iterdir()} == {
        "index.html", "graph.dot", "graph.svg", "graph.png", "graph.html",
        "gates.svg", "gates.png", "gradient.svg", "gradient.png",
    }  # fmt: skip
    page = (folder / "index.html").read_text()
    assert "&lt;b&gt;it&lt;/b&gt;" in page and "<b>it" not in page
    assert "Content-Security-Policy" in page


def test_a_saved_model_changes_nothing_unless_it_is_asked_for(monkeypatch, corpus):
    """The verdict on a sentence must not depend on what was trained before."""

    def there_is_one(console):
        raise AssertionError("nobody asked for it")

    def far_enough(console, corpus, seed, saved):
        assert saved is None
        raise KeyboardInterrupt

    monkeypatch.setattr(guide, "saved_lstm", there_is_one)
    monkeypatch.setattr(guide, "_trained", far_enough)
    monkeypatch.setattr(review_corpus, "corpus", lambda words=None: corpus)
    assert main(["tour"]) == 130


def test_the_lstm_is_the_saved_one_where_it_is_asked_for(
    nothing_saved, tmp_path, capsys, corpus, monkeypatch
):
    from types import SimpleNamespace

    from minigrad import tasks
    from minigrad.tasks.sentiment import Sentiment

    config = {"words": len(corpus.vocabulary), "embedding_size": 4, "hidden_size": 5}
    task = Sentiment()
    saved = SimpleNamespace(
        task=task, config=config, model=task.build(config, 0, 0).eval(),
        reading={"words": corpus.vocabulary}, figures={"the model": {}},
        settings=SimpleNamespace(data=None),
    )  # fmt: skip
    trained = []
    small = tour_training.train

    def train(kind, *rest):
        trained.append(kind)
        return small(kind, *rest)

    monkeypatch.setattr(tasks, "load", lambda name: saved)
    monkeypatch.setattr(review_corpus, "corpus", lambda words=None: corpus)
    monkeypatch.setattr(tour_training, "train", train)
    file = nothing_saved / "sentiment" / "run.safetensors"
    file.parent.mkdir()
    file.write_bytes(b"")
    assert main(["tour", "--saved", "-o", str(tmp_path)]) == 0
    assert trained == ["rnn", "gru"]
    assert "the LSTM is the model saved by minigrad train" in capsys.readouterr().out
    assert "The LSTM was trained before" in (tmp_path / "index.html").read_text()
    saved.settings.data = "mine.csv"  # trained on something else: not used
    assert guide.saved_lstm(Console()) is None
    saved.settings.data, saved.figures = None, {}  # not finished
    assert guide.saved_lstm(Console()) is None
    monkeypatch.undo()
    monkeypatch.setattr("platformdirs.user_data_path", lambda *a, **k: nothing_saved)
    assert guide.saved_lstm(Console()) is None  # damaged
    assert capsys.readouterr().out.count("is not used") == 3


def test_what_it_refuses(tmp_path, capsys):
    assert main(["tour", "  "]) == 2
    assert "DataError: the sentence has no words" in capsys.readouterr().err
    with pytest.raises(errors.DataError, match="too many"):
        sentence_reading.words_of("word " * 100)
    (tmp_path / "file").write_text("")
    assert main(["tour", "-o", str(tmp_path / "file" / "below")]) == 2
    assert "CheckpointError: the folder" in (said := capsys.readouterr().err)
    assert "cannot be made" in said


@pytest.mark.browser
def test_the_page_opens_in_a_browser(tmp_path, corpus, monkeypatch, page):
    monkeypatch.setattr(review_corpus, "corpus", lambda words=None: corpus)
    assert main(["tour", "-o", str(tmp_path)]) == 0
    page.goto((tmp_path / "index.html").as_uri())
    loaded = page.evaluate(
        "[...document.images].every(i => i.complete && i.naturalWidth > 0)"
    )
    assert loaded and page.locator("tr").count() > 10
