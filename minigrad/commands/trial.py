"""`minigrad trial "a sentence"`: the gates of the saved sentiment model on trial."""

from __future__ import annotations

import argparse
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

SENTENCE = "I loved the movie, but the ending was disappointing"
HELP = "what the gates of the saved sentiment model do: table, verdicts, what-ifs"
EXAMPLE = (
    'minigrad trial "I loved it, but it was long" --replace but=and --clamp f=1@but'
)


class Held(NamedTuple):
    """A gate to hold: its letter or name, the value, and at which word (None: all)."""

    gate: str
    value: float
    word: str | None


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command understands."""
    parser.add_argument("sentence", nargs="?", default=SENTENCE, help="what to read")
    parser.add_argument(
        "--replace",
        action="append",
        default=[],
        metavar="OLD=NEW",
        help="read another word in the place of one; may be given several times",
    )
    parser.add_argument(
        "--clamp",
        action="append",
        default=[],
        metavar="GATE=VALUE[@WORD]",
        help="hold a gate (f, i, o; of a GRU r, z) at 0 to 1, at one word or at all "
        "of them",
    )
    parser.add_argument(
        "--model",
        type=Path,
        metavar="FOLDER",
        help="the folder given to minigrad train sentiment -o (your data folder)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("minigrad-trial.html"),
        metavar="FILE",
        help="the page to write",
    )


def run(options: argparse.Namespace) -> None:
    """Read, ask what if, judge. Raises MinigradError for what cannot be asked."""
    from rich.console import Console

    from minigrad.pages.page import document, house_style
    from minigrad.reading.text import clean
    from minigrad.tasks import load
    from minigrad.tasks.task_page import STYLE, html_of, show
    from minigrad.training.checkpoint import write_whole

    found = sections(
        load("sentiment", options.model),
        options.sentence,
        [replaced(text) for text in options.replace],
        [held(text) for text in options.clamp],
    )
    console = Console()
    for section in found:
        show(console, section)
    quoted = escape(clean(options.sentence, 600))
    body = f"<h1>The gates on trial</h1>\n<blockquote>{quoted}</blockquote>\n"
    body += "\n".join(map(html_of, found))
    page = document("minigrad trial", body, style=house_style() + STYLE)
    write_whole(options.output, page.encode())
    console.print(f"\nwith pictures: [bold]{options.output}[/]", highlight=False)


def sections(
    trained: Any,
    sentence: str,
    replace: list[tuple[str, str]] | None = None,
    clamp: list[Held] | None = None,
) -> list[Any]:
    """What the command shows: of a `Trained` sentiment model and a sentence."""
    from minigrad.tasks.task import Section, Table
    from minigrad.tour.tour_training import corpus as corpus_of
    from minigrad.trial import gate_verdicts, heat_maps
    from minigrad.trial.sentence_reading import read, words_of
    from minigrad.trial.what_if import WhatIf

    vocabulary = trained.reading["words"]
    reading = read(trained.model, vocabulary, words_of(sentence))
    what = WhatIf(reading, trained.model, vocabulary)
    asked = what_ifs(what, replace or [], clamp or [])
    word_by_word = Section(
        "Word by word",
        lines=[f"{reading.sentiment[-1]:.0%} positive after the last word."],
        tables=trained.task.predict(trained, sentence)[0].tables,
        figures=[
            (
                heat_maps.means(reading),
                "Means over the units; of states the mean size.",
            ),
            (
                heat_maps.units(reading),
                "Every unit: a row each, in the same order in all panels, by how its "
                "memory ends.",
            ),
        ],
    )
    kinds = [k for k in "fio" if k in reading.units]
    held_tables = {k: what.clamp_table(k) for k in kinds}
    head = ["what if", "positive at the end", "moved by, points"]
    counterfactuals = Section(
        "What if",
        lines=["The same run, evaluated again from the change on."],
        tables=[Table("Counterfactuals", head, asked)],
        figures=[
            (
                heat_maps.held(reading, held_tables),
                "Each cell is one more run: all units of the gate held at that word.",
            )
        ]
        if kinds
        else [],
    )
    if trained.config["kind"] != "lstm":
        note = "The stories are about LSTMs; this is another kind of cell."
        return [word_by_word, counterfactuals, Section("The stories", [note])]
    corpus = corpus_of(vocabulary)
    seen, _ = gate_verdicts.seen_of(trained.model, corpus)
    judged = gate_verdicts.judged(trained.model, corpus, reading)
    note = (
        "Measured on sentences of the film reviews that the training never saw."
        if trained.settings.data is None
        else "Measured on film reviews; the model was trained on other data."
    )
    rows = [[_large(v.claim), "holds" if v.holds else "does not hold"] for v in judged]
    gates = (
        gate_verdicts.all_gates_at(seen, corpus, "but") if "but" in vocabulary else []
    )
    at_but = Table("", list(gate_verdicts.AT_WORD), gates)
    return [
        word_by_word,
        counterfactuals,
        Section(
            "The stories of the textbooks",
            lines=[note, *(f"{_large(v.claim)}: {v.measured}." for v in judged)],
            tables=[Table("Verdicts", ["story", "verdict"], rows)],
        ),
        *([Section('Every gate at "but"', tables=[at_but])] if gates else []),
    ]


def what_ifs(
    what: Any, replace: list[tuple[str, str]], clamp: list[Held]
) -> list[list[str]]:
    """Rows: what was asked, and beside it each word unread. First as it is."""
    from minigrad.engine.errors import ArgumentError
    from minigrad.engine.scope import GATES

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
                expect="a word that its training knew",
                actual=repr(new),
                hint="try another word of like meaning",
            )
        row(f'"{new}" for "{old}"', what.replaced(dict.fromkeys(steps, new)))
    for gate, value, word in clamp:
        at = None if word is None else _steps(reading.words, word)
        where = "at every word" if word is None else f'at "{word}"'
        name = GATES.get(gate, gate)
        row(f"{name} at {value:g} {where}", what.clamped(gate, value, at))
    for step, word in enumerate(reading.words):
        if reading.known[step]:
            row(f'word {step}, "{word}", unread', what.without(step))
    return rows


def _large(text: str) -> str:
    """With a capital letter in front."""
    return text[:1].upper() + text[1:]


def replaced(text: str) -> tuple[str, str]:
    """OLD=NEW, in lower case. Raises ArgumentError for anything else."""
    from minigrad.engine.errors import ArgumentError

    old, sign, new = (part.strip() for part in text.lower().partition("="))
    if not (sign and old and new):
        raise ArgumentError(
            f"--replace {text!r}: which word for which?",
            expect="OLD=NEW, one word each",
            actual=repr(text),
            hint="--replace but=and",
        )
    return old, new


def held(text: str) -> Held:
    """GATE=VALUE or GATE=VALUE@WORD. Raises ArgumentError for anything else."""
    from minigrad.engine.errors import ArgumentError

    gate, _, rest = text.strip().partition("=")
    number, at, word = rest.partition("@")
    try:
        value = float(number)
    except ValueError:
        value = None
    if not gate or value is None or (at and not word):
        raise ArgumentError(
            f"--clamp {text!r}: which gate, at what?",
            expect="GATE=VALUE or GATE=VALUE@WORD",
            actual=repr(text),
            hint="--clamp f=1 holds the forget gate open; --clamp f=0@but only there",
        )
    return Held(gate.strip(), value, word.strip().lower() or None)


def _steps(words: list[str], word: str) -> list[int]:
    from minigrad.engine.errors import ArgumentError

    steps = [t for t, found in enumerate(words) if found == word]
    if not steps:
        raise ArgumentError(
            f"{word!r} is not in the sentence",
            expect=f"one of {', '.join(dict.fromkeys(words))}",
            actual=repr(word),
            hint="words are in lower case, marks stand alone",
        )
    return steps
