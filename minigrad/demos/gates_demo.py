"""Reads a sentence with a trained network, with one word changed and one gate held.

Read next: `demo_pages.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.quiet import quietly
from minigrad.exploring import Grid, Lines
from minigrad.reading.replay import evaluate, value_of
from minigrad.tasks.sentence_reading import Reading, chance, read
from minigrad.tour.tour_training import batches_per_run, train
from minigrad.trial.review_corpus import Corpus
from minigrad.trial.what_if import BOUNDED, clamp_nodes

NOTHING, ITSELF = "nothing", "itself"
EPOCHS = 2  # half of the tour's: four sentences of five are read rightly after it
OTHER_WORDS = ("not", "very", "great", "terrible", "but")


def trained_briefly(corpus: Corpus) -> Any:
    """The small LSTM of `minigrad tour` after two epochs; a bar on a terminal."""
    from rich.console import Console
    from rich.progress import track

    console = Console(stderr=True)
    batches = iter(
        track(
            range(batches_per_run(corpus, EPOCHS)),
            "training a small LSTM on film reviews",
            console=console,
            disable=not console.is_terminal,
        )
    )

    def tick(_: float) -> None:
        next(batches, None)

    model = train("lstm", corpus, tick, epochs=EPOCHS)
    tick(0.0)  # the bar is full
    return model


class ReadAgain:
    """A sentence that a trained network reads: a function for `mg.explore`.

    model, vocabulary  of the task sentiment
    words              of the sentence
    """

    def __init__(self, model: Any, vocabulary: Any, words: list[str]) -> None:
        self.model, self.vocabulary, self.words = model, vocabulary, words
        self.before = read(model, vocabulary, words)
        self._read: dict[tuple[int, str], Reading] = {}

    def ranges(self) -> dict[str, Any]:
        """What can be asked: every word, other words, every gate shut or open."""
        letters = [k for k in self.before.trace.layer(0).names if k in BOUNDED]
        known = [w for w in OTHER_WORDS if w in self.vocabulary]
        held = [f"{k} = {value}" for k in letters for value in (0, 1)]
        words = {f"{k + 1}: {w}": k for k, w in enumerate(self.words)}
        return {
            "word": words,
            "becomes": [ITSELF, *known],
            "hold": [NOTHING, *held],
            "at": ["this word", "every word"],
        }

    def __call__(
        self, word: int = 0, becomes: str = ITSELF, hold: str = NOTHING, at: str = ""
    ) -> dict[str, Any]:
        """The states and the verdict.

        word     which word of the sentence, from 0
        becomes  the word that is read in its place, or "itself"
        hold     "f = 0" holds the forget gate shut, "f = 1" open; or "nothing"
        at       "this word" or "every word": where the gate is held
        """
        words = list(self.words)
        if becomes != ITSELF:
            words[word] = becomes
        key = (word, becomes) if becomes != ITSELF else (0, ITSELF)
        if key not in self._read:
            self._read[key] = read(self.model, self.vocabulary, words)
        reading = self._read[key]
        units, sentiment = reading.units, reading.sentiment
        if hold != NOTHING:
            letter, _, value = hold.partition(" = ")
            steps = [word] if at == "this word" else range(len(words))
            units, sentiment = _held(reading, letter, float(value), list(steps))
        gates = {k: v.mean(axis=1) for k, v in units.items() if k in BOUNDED}
        state = "c" if "c" in units else "h"
        rows = f"the state {state}, a row for each unit"
        return {
            "positive after the last word": float(sentiment[-1]),
            "verdict": _words(words, self.before.sentiment[-1], sentiment[-1]),
            "positive after each word": Lines(
                {"now": sentiment, "the sentence as it was": self.before.sentiment},
                words,
                ylabel="probability",
            ),
            "gates (means over the units)": Lines(gates, words),
            rows: Grid(units[state].T, None, words),
        }


def _held(
    reading: Reading, letter: str, value: float, steps: list[int]
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Every gate and state (T, H), and the sentiment (T,), with a gate held."""
    loop = reading.trace.layer(0)
    nodes = clamp_nodes(loop, letter, value)
    changed = {nodes[t]: np.full_like(nodes[t].outputs[0], value) for t in steps}
    output = reading.logits.node
    with quietly():
        known = evaluate(output, changed)
        logits = value_of(output, known)
    nodes_of = {
        name: [node for _, node in sorted(found.items())]
        for name, found in loop.gate_nodes.items()
    }
    for part, name in enumerate(loop.state_names):
        nodes_of[name] = [state.node for state in loop.in_time(part)]
    units = {
        name: np.stack([value_of(node, known)[0] for node in made])
        for name, made in nodes_of.items()
    }
    return units, chance(logits)


def _words(words: list[str], before: float, after: float) -> str:
    """The verdict on the sentence, and what became of it."""
    side = "positive" if after > 0.5 else "negative"
    turned = (before > 0.5) != (after > 0.5)
    told = f"“{' '.join(words)}”: {after:.0%} positive, so {side}."
    return f"{told} The verdict has turned: it was {before:.0%}." if turned else told
