"""Writes the tour's page: figures, table and verdicts. User text is always escaped.

Read next: `minigrad/lessons/` (the tutorials).
"""

from __future__ import annotations

from html import escape
from pathlib import Path

from minigrad.pages.page import document, drawing, house_style, image
from minigrad.tasks.sentence_reading import Reading
from minigrad.tour import tour_plots
from minigrad.trial.gate_verdicts import Verdict
from minigrad.trial.review_corpus import Corpus


def write(
    folder: Path,
    sentence: str,
    accuracies: dict[str, float],
    corpus: Corpus,
    reading: Reading,
    verdicts: list[Verdict],
    reach: list[str],
    *,
    saved: bool = False,
) -> Path:
    """Write index.html with the pictures of the folder; returns its path.

    accuracies  {kind of cell: share of the held-out sentences that it gets right}
    reading     of the sentence, by the LSTM
    reach       how far back each network's gradient reaches, and what the diagnosis
                says, in words
    saved       was the LSTM trained before, by `minigrad train sentiment`?
    """
    body = f"""
<h1>What three small networks do with a sentence</h1>
<blockquote>{escape(sentence)}</blockquote>
<p>{_trained(saved)} read this one word by word. Everything below was computed on this
machine.</p>
<h2>How well they learned</h2>
{_accuracy_table(accuracies, corpus)}
<h2>The LSTM, word by word</h2>
{_gate_table(reading)}
<figure>{image(folder / "gates.svg", "Heat map of the gates")}
<figcaption>Gates: mean over the units. Cell and hidden state: mean absolute value.
Sentiment: the probability of &ldquo;positive&rdquo; so far.</figcaption></figure>
<h2>What the gates really do</h2>
{_verdict_list(verdicts)}
<h2>How far back the gradient reaches</h2>
<figure>{image(folder / "gradient.svg", "Gradient at each word")}
<figcaption>The size of d(final logit)/d(word vector) at each word, relative to the
last word; dashed before training, solid after it. Log scale.</figcaption></figure>
<ul>{"".join(f"<li>{escape(line)}</li>" for line in reach)}</ul>
<h2>The unrolled graph</h2>
<figure>{_graph(reading)}
<figcaption>Each word has a frame, and each gate a box with its mean value (a stronger
colour means a larger value), as recorded while the sentence was read. The thick lines
carry the states: c above, h below. Scroll sideways to see the other words. In
<code>graph.html</code>, next to this page, you can zoom, search and fold the same
picture.</figcaption></figure>
"""
    page = document("minigrad tour", body, style=house_style())
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


def _trained(saved: bool) -> str:
    """Which networks were trained, and when."""
    if saved:
        return (
            "An RNN and a GRU were trained just now on sentences of film reviews. The "
            "LSTM was trained before, by <code>minigrad train sentiment</code>. All "
            "three"
        )
    return (
        "An RNN, an LSTM and a GRU were trained just now on sentences of film "
        "reviews, and"
    )


def _accuracy_table(accuracies: dict[str, float], corpus: Corpus) -> str:
    rows = "".join(
        f"<tr><td>{kind.upper()}</td><td>{value:.1%}</td></tr>"
        for kind, value in accuracies.items()
    )
    return f"""<div class="scroll"><table>
<tr><th>held-out accuracy</th><th>of {len(corpus.held_out):,} sentences</th></tr>{rows}
<tr><td>always the more frequent answer</td><td>{corpus.majority:.1%}</td></tr></table>
</div>"""


def _gate_table(reading: Reading) -> str:
    head = "<tr><th>word</th><th>forget</th><th>input</th><th>output</th>"
    head += "<th>memory</th><th>sentiment</th></tr>"
    rows = []
    for t, word in enumerate(reading.words):
        kind = (
            "" if reading.known[t] else ' class="unknown" title="not in the vocabulary"'
        )
        cells = "".join(f"<td>{reading.gates[k][t]:.2f}</td>" for k in "fioc")
        rows.append(
            f"<tr><td{kind}>{escape(word)}</td>{cells}"
            f"<td>{reading.sentiment[t]:.2f}</td></tr>"
        )
    table = f'<table class="numbers">{head}{"".join(rows)}</table>'
    return f'<div class="scroll">{table}</div>'


def _verdict_list(verdicts: list[Verdict]) -> str:
    items = []
    for verdict in verdicts:
        word, kind = ("holds", "holds") if verdict.holds else ("does not hold", "fails")
        items.append(
            f'<li><span class="{kind}">{word}</span>: {escape(verdict.claim)}. '
            f"Measured: {escape(verdict.measured)}.</li>"
        )
    return f"<ul>{''.join(items)}</ul>"


def _graph(reading: Reading) -> str:
    """The picture of the graph, small enough to see a few words at once."""
    words = "The LSTM unrolled over the sentence"
    whole = drawing(tour_plots.picture(reading), words, fit=False)
    return whole.replace("<img", '<img height="640"', 1)
