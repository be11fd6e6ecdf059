"""Builds everything that `minigrad trial` shows for one sentence.

    trained = tasks.load("sentiment")
    found = sections(trained, "I loved it, but it was long", [("but", "and")])
    write_page("trial.html", "I loved it, but it was long", found)

`minigrad trial` shows the same sections in the terminal.

Read next: `minigrad/lab/` (the papers' experiments).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

from minigrad.engine.errors import ArgumentError
from minigrad.engine.scope import GATES
from minigrad.pages.page import document, house_style
from minigrad.reading.text import clean
from minigrad.tasks.sentence_reading import Reading, read, words_of
from minigrad.tasks.task import Section, Table, Trained
from minigrad.tasks.task_page import STYLE, html_of
from minigrad.training.checkpoint import write_whole
from minigrad.trial import gate_verdicts, heat_maps, review_corpus
from minigrad.trial.what_if import WhatIf


class Held(NamedTuple):
    """A gate to hold: its letter or name, the value, and at which word (None: all)."""

    gate: str
    value: float
    word: str | None = None


def sections(
    trained: Trained,
    sentence: str,
    replace: Sequence[tuple[str, str]] = (),
    clamp: Sequence[Held] = (),
) -> list[Section]:
    """The sentence word by word, what-ifs, and the verdicts on the stories.

    trained   of the task sentiment
    replace   [(a word of the sentence, the word to read in its place)]
    clamp     gates to hold
    Raises MinigradError if a word is not there or a gate cannot be held.
    """
    vocabulary = trained.reading["words"]
    reading = read(trained.model, vocabulary, words_of(sentence))
    what = WhatIf(reading, trained.model, vocabulary)
    asked = what_ifs(what, replace, clamp)
    return [
        _word_by_word(trained, sentence, reading),
        _counterfactuals(what, asked),
        *_stories(trained, reading),
    ]


def _word_by_word(trained: Trained, sentence: str, reading: Reading) -> Section:
    return Section(
        "Word by word",
        lines=[f"{reading.sentiment[-1]:.0%} positive after the last word."],
        tables=trained.task.predict(trained, sentence)[0].tables,
        figures=[
            (
                heat_maps.means(reading),
                "Means over the units; for states, means of the absolute values.",
            ),
            (
                heat_maps.units(reading),
                "Each row is one unit. All panels have the same order: by the unit's "
                "last state.",
            ),
        ],
    )


def _counterfactuals(what: WhatIf, asked: list[list[str]]) -> Section:
    reading = what.reading
    kinds = [k for k in "fio" if k in reading.units]
    tables = {k: what.clamp_table(k) for k in kinds}
    head = ["what if", "positive at the end", "change in points"]
    return Section(
        "What if",
        lines=["The same run, computed again from the change on."],
        tables=[Table("Counterfactuals", head, asked)],
        figures=[
            (
                heat_maps.held(reading, tables),
                "Each square is another run: all units of the gate held at that word.",
            )
        ]
        if kinds
        else [],
    )


def _stories(trained: Trained, reading: Reading) -> list[Section]:
    """What the textbooks say about an LSTM's gates, tested on held-out sentences."""
    if trained.config["kind"] != "lstm":
        note = "The stories are about LSTMs; this model has another kind of cell."
        return [Section("The stories", [note])]
    vocabulary = trained.reading["words"]
    corpus = review_corpus.corpus(vocabulary)
    seen, _ = gate_verdicts.seen_of(trained.model, corpus)
    judged = gate_verdicts.judged(trained.model, corpus, reading)
    note = (
        "Measured on sentences of film reviews that were not used in training."
        if trained.settings.data is None
        else "Measured on film reviews; the model was trained on other data."
    )
    rows = [[_large(v.claim), "holds" if v.holds else "does not hold"] for v in judged]
    gates = (
        gate_verdicts.all_gates_at(seen, corpus, "but") if "but" in vocabulary else []
    )
    at_but = Table("", list(gate_verdicts.AT_WORD), gates)
    return [
        Section(
            "The stories of the textbooks",
            lines=[note, *(f"{_large(v.claim)}: {v.measured}." for v in judged)],
            tables=[Table("Verdicts", ["story", "verdict"], rows)],
        ),
        *([Section('Every gate at "but"', tables=[at_but])] if gates else []),
    ]


def what_ifs(
    what: WhatIf, replace: Sequence[tuple[str, str]], clamp: Sequence[Held]
) -> list[list[str]]:
    """Rows: the sentence as it is, the changes asked for, then each word left out."""
    reading = what.reading
    end = float(reading.sentiment[-1])
    rows = [["as it is", f"{end:.1%}", ""]]

    def row(text: str, sentiment: Any) -> None:
        after = float(sentiment[-1])
        rows.append([text, f"{after:.1%}", f"{100 * (after - end):+z.1f}"])

    for old, new in replace:
        steps = _steps(reading.words, old)
        if new not in what.vocabulary:
            raise ArgumentError(
                f"--replace {old}={new}: the model does not know {new!r}",
                expect="a word from its training data",
                actual=repr(new),
                hint="try another word with a similar meaning",
            )
        row(f'"{new}" instead of "{old}"', what.replaced(dict.fromkeys(steps, new)))
    for gate, value, word in clamp:
        at = None if word is None else _steps(reading.words, word)
        where = "at every word" if word is None else f'at "{word}"'
        name = GATES.get(gate, gate)
        row(f"{name} at {value:g} {where}", what.clamped(gate, value, at))
    for step, word in enumerate(reading.words):
        if reading.known[step]:
            row(f'word {step}, "{word}", left out', what.without(step))
    return rows


def _large(text: str) -> str:
    """The text with a capital first letter."""
    return text[:1].upper() + text[1:]


def _steps(words: list[str], word: str) -> list[int]:
    steps = [t for t, found in enumerate(words) if found == word]
    if not steps:
        raise ArgumentError(
            f"{word!r} is not in the sentence",
            expect=f"one of {', '.join(dict.fromkeys(words))}",
            actual=repr(word),
            hint="words are in lower case; each punctuation mark is a word of its own",
        )
    return steps


def write_page(
    path: str | os.PathLike[str], sentence: str, found: Sequence[Section]
) -> None:
    """Write the sections as one page. CheckpointError if it cannot be written."""
    quoted = escape(clean(sentence, 600))
    body = f"<h1>The gates on trial</h1>\n<blockquote>{quoted}</blockquote>\n"
    body += "\n".join(map(html_of, found))
    page = document("minigrad trial", body, style=house_style() + STYLE)
    write_whole(path, page.encode())
