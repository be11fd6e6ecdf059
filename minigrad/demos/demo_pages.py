"""The ready-made pages of `minigrad explore`: which values each of them offers.

Read next: `minigrad/checking/` (the promises, tried on your machine).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import minigrad as mg
from minigrad.demos.cliff_demo import descent_at_the_cliff
from minigrad.demos.gates_demo import ReadAgain, trained_briefly
from minigrad.demos.gradient_demo import gradient_by_distance
from minigrad.demos.memory_demo import one_bit
from minigrad.engine.errors import one_of
from minigrad.exploring import Exploration
from minigrad.tasks.sentence_reading import words_of
from minigrad.trial.review_corpus import corpus

SENTENCE = "The plot is not bad, but the film is dull"


class Demo(NamedTuple):
    """A ready-made page: what it is about, its function, the values of its sliders."""

    about: str
    fn: Callable[..., Any] | None
    ranges: dict[str, Any]


DEMOS = {
    "gradient": Demo(
        "How far back does a gradient reach?",
        gradient_by_distance,
        {
            "cell": ["rnn", "lstm", "gru"],
            "forget_bias": [-2.0, 0.0, 1.0, 2.0, 4.0],
            "largest_singular_value": [0.5, 0.9, 1.1, 1.5, 2.5],
            "T": [5, 20, 50],
        },
    ),
    "gates": Demo("What do the gates of a trained network do?", None, {}),
    "cliff": Demo(
        "Gradient descent at a cliff",
        descent_at_the_cliff,
        {
            "learning_rate": [0.01, 0.02, 0.05, 0.1, 0.2],
            "clip": [None, 5.0, 1.0, 0.2],
            "start": [1.31, 1.4, 1.52, 1.8],
            "step": [*range(11), 15, 20, 30, 40],
        },
    ),
    "memory": Demo(
        "Hold one bit: two gates by hand",
        one_bit,
        {
            "forget_gate": [0.0, 0.5, 0.8, 0.9, 0.95, 0.99, 1.0],
            "input_gate": [0.0, 0.01, 0.05, 0.1, 0.3, 1.0],
            "T": [2, 5, 10, 20, 50, 100],
        },
    ),
}


def demo(
    name: str,
    *,
    scale: bool = False,
    drawing: bool = True,
    sentence: str = SENTENCE,
    trained: Any = None,
    cells: Sequence[str] | None = None,
) -> Exploration:
    """One of the ready-made pages: "gradient", "gates", "cliff" or "memory".

    scale     gradient: a slider multiplies W_h, instead of one that sets its largest
              singular value
    drawing   gradient: with the unrolled network, lit by the gradient
    cells     gradient: some of "rnn", "lstm", "gru"
    sentence  gates: what is read
    trained   gates: a model of the task sentiment; None: the small LSTM of `minigrad
              tour` is trained for two epochs, in some seconds, with a progress bar

    Raises ArgumentError for another name, DataError for a sentence that cannot be read.
    """
    one_of("name", name, tuple(DEMOS))
    chosen = DEMOS[name]
    if name == "gates":
        words = words_of(sentence)
        if trained is not None:
            model, vocabulary = trained.model, trained.reading["words"]
        else:
            read = corpus()
            vocabulary = read.vocabulary
            vocabulary.encode(words, need_known=True)  # before anything slow
            model = trained_briefly(read)
        fn: Any = ReadAgain(model, vocabulary, words)
        return mg.explore(fn, title=chosen.about, **fn.ranges())
    ranges = dict(chosen.ranges)
    if name == "gradient":
        values = ranges.pop("largest_singular_value")
        ranges = {
            "cell": list(cells or ranges["cell"]),
            "forget_bias": ranges["forget_bias"],
            "scale" if scale else "largest_singular_value": values,
            "T": ranges["T"],
        }
    assert chosen.fn is not None
    made = partial(chosen.fn, drawing=True) if name == "gradient" and drawing else None
    return mg.explore(made or chosen.fn, title=chosen.about, **ranges)
