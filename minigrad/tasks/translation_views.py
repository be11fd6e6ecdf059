"""What a translator looked at: attention, the ledger, and the beam.

Read next: `series.py` (any column of any table).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from unicodedata import bidirectional

import numpy as np

import minigrad as mg
from minigrad.data.vocabulary import Vocabulary
from minigrad.pages.plots import blank_figure
from minigrad.tasks.sentence_pairs import BEGIN, END
from minigrad.tasks.task import Section, Table
from minigrad.tasks.translation_figures import text_of, words_of
from minigrad.tasks.translation_search import Found


def owed(
    model: Any, source: Sequence[int], said: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """What each output word's loss owes to each input word: the ledger.

    said  the output words, with the marks of beginning and end

    Returns the norms (T, S) of the items of the encoder's input weights, both
    directions together: the part of the gradient of loss t that comes from the use of
    the weights at input word s; and the losses (T,).
    """
    tokens = np.array(source)[:, None]
    read, wanted = np.array(said[:-1])[:, None], np.array(said[1:])
    with mg.enable_grad():
        logits = model.decode(model.encode(tokens), read)[0]
        losses = [
            mg.losses.cross_entropy(logits[t], wanted[t : t + 1])
            for t in range(len(wanted))
        ]
    weights = [cell.W_x for cell in model.encoder.cells]
    ledger = mg.ledger(losses, weights)
    squares = sum(ledger.norms(w)[:, : len(source)] ** 2 for w in weights)
    return np.sqrt(squares), np.array([loss.item() for loss in losses])


def views(
    model: Any,
    words: Sequence[str],
    source: Sequence[int],
    beam: Sequence[Found],
    target: Vocabulary,
) -> list[Section]:
    """Attention, ledger and beam of one sentence, as tables and pictures."""
    best = beam[0]
    said = [*words_of(best, target, words), "(end)"]
    tokens = [target.index(BEGIN), *best.tokens, target.index(END)]
    norms, losses = owed(model, source, tokens)
    sections = []
    if best.attention is not None:
        a = best.attention[:, : len(words)]
        sections.append(
            _map(
                "Attention",
                [
                    "Each row is a word of the translation. Its numbers say how much "
                    "the decoder looked at each word of the source for it."
                ],
                a,
                said,
                words,
                "{:.2f}",
            )
        )
    share = norms / np.maximum(norms.sum(axis=1, keepdims=True), 1e-300)
    section = _map(
        "The ledger",
        [
            "Each row is a word of the translation, and the loss of this word. Its "
            "gradient reaches the encoder's input weights through each word of the "
            "source. The numbers compare the sizes of these parts (their norms)."
        ],
        share,
        said,
        words,
        "{:.0%}",
    )
    rows = [[*row, f"{losses[k]:.3f}"] for k, row in enumerate(section.tables[0].rows)]
    header = [*section.tables[0].header, "loss"]
    sections.append(section._replace(tables=[Table("", header, rows)]))
    lines = [[text_of(found, target, words), f"{found.score:.3f}"] for found in beam]
    title = "The beam: the best sentences that the search kept"
    sections.append(Section(title, tables=[Table("", ["sentence", "score"], lines)]))
    return sections


def _map(
    title: str,
    lines: list[str],
    values: np.ndarray,
    said: Sequence[str],
    words: Sequence[str],
    form: str,
) -> Section:
    header = ["", *words]
    rows = [
        [word, *(form.format(v) for v in row)]
        for word, row in zip(said, values, strict=True)
    ]
    return Section(
        title,
        lines,
        [Table("", header, rows)],
        [(heat(values, said, words), "The same as a picture: the darker, the more.")],
    )


def written(words: Sequence[str]) -> list[str]:
    """The words as a picture can show them: some scripts only by their place, 1, 2 ...

    The font of the pictures has no letters for some scripts, and it would write those
    from right to left the wrong way round. The table beside the picture has all words.
    """
    from matplotlib.font_manager import findfont, get_font

    there = get_font(findfont("DejaVu Sans")).get_charmap()
    return [
        word
        if all(ord(c) in there and bidirectional(c) not in ("R", "AL") for c in word)
        else str(k)
        for k, word in enumerate(words, 1)
    ]


def heat(values: np.ndarray, said: Sequence[str], words: Sequence[str]) -> Any:
    """A picture of shares (T, S): output words down, input words across."""
    said, words = written(said), written(words)
    figure = blank_figure(1.6 + 0.55 * len(words), 1.2 + 0.34 * len(said))
    axes = figure.subplots()
    axes.imshow(values, cmap="Blues", vmin=0, vmax=max(1e-9, float(values.max())))
    axes.set_xticks(range(len(words)), words, rotation=45, ha="left")
    axes.set_yticks(range(len(said)), said)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_aspect("auto")
    return figure
