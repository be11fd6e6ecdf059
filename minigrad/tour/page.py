"""The tour's one page: figures, table and verdicts, in a file that loads nothing else
than the pictures beside it. User text reaches it escaped only."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path

from minigrad.tour.reading import Reading
from minigrad.tour.verdicts import Verdict

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.55 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; color: #1d2733; background: #fff; }
h1 { line-height: 1.2; } h2 { margin-top: 2.4rem; }
figure { margin: 1rem 0; overflow-x: auto; background: #fff; border-radius: 6px; }
figure img { display: block; max-width: none; }
figure img.fit { max-width: 100%; height: auto; }
figcaption { color: #44525f; font-size: .9rem; padding: .5rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #ccd3da; }
th:first-child, td:first-child { text-align: left; }
td.unknown { font-style: italic; }
.holds, .fails { font-weight: 600; }
.holds { color: #00664b; } .fails { color: #a63a00; }
blockquote { font-size: 1.15rem; margin: 1rem 0; padding-left: 1rem;
  border-left: 4px solid #0072b2; }
@media (prefers-color-scheme: dark) {
  body { color: #e4e9ee; background: #14191f; }
  th, td { border-color: #3a4653; } figcaption { color: #44525f; }
  .holds { color: #4fd1a5; } .fails { color: #ff9a5c; } }
"""


def write(
    folder: Path,
    sentence: str,
    accuracies: dict[str, float],
    majority: float,
    held_out: int,
    reading: Reading,
    verdicts: list[Verdict],
    reach: list[str],
) -> Path:
    """Write index.html; returns its path."""
    rows = "".join(
        f"<tr><td>{kind.upper()}</td><td>{value:.1%}</td></tr>"
        for kind, value in accuracies.items()
    )
    body = f"""
<h1>What three small networks do with a sentence</h1>
<blockquote>{escape(sentence)}</blockquote>
<p>An RNN, an LSTM and a GRU were trained just now on sentences of film reviews, and
read this one word by word. Everything below was computed on this machine.</p>
<h2>How well they learned</h2>
<div class="scroll"><table>
<tr><th>held-out accuracy</th><th>of {held_out:,} sentences</th></tr>{rows}
<tr><td>always the more frequent answer</td><td>{majority:.1%}</td></tr></table></div>
<h2>The LSTM, word by word</h2>
{_gate_table(reading)}
<figure><img class="fit" src="gates.svg" alt="Heat map of the LSTM's gates">
<figcaption>Gates: mean over the units. Cell and hidden state: mean absolute value.
Sentiment: the probability of &ldquo;positive&rdquo; so far.</figcaption></figure>
<h2>What the gates really do</h2>
{_verdict_list(verdicts)}
<h2>How far back the gradient reaches</h2>
<figure><img class="fit" src="gradient.svg" alt="Gradient at each word">
<figcaption>The size of d(final logit)/d(word vector) at each word, relative to the
last word; dashed before training, solid after it. Log scale.</figcaption></figure>
<ul>{"".join(f"<li>{escape(line)}</li>" for line in reach)}</ul>
<h2>The unrolled graph</h2>
<figure><img src="graph.svg" alt="The LSTM unrolled over the sentence, gate by gate">
<figcaption>One frame per word, one box per gate with its mean value, as recorded
while the sentence was read. Red: the cell state, carried along.</figcaption></figure>
"""
    digest = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src 'self' file:; style-src 'sha256-{digest}'"
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>minigrad tour</title><style>{_STYLE}</style></head><body>{body}"
        "</body></html>\n"
    )
    path = folder / "index.html"
    path.write_text(page, encoding="utf-8")
    return path


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
    return f'<div class="scroll"><table>{head}{"".join(rows)}</table></div>'


def _verdict_list(verdicts: list[Verdict]) -> str:
    items = []
    for verdict in verdicts:
        word, kind = ("holds", "holds") if verdict.holds else ("does not hold", "fails")
        items.append(
            f'<li><span class="{kind}">{word}</span>: {escape(verdict.claim)}. '
            f"Measured: {escape(verdict.measured)}.</li>"
        )
    return f"<ul>{''.join(items)}</ul>"
