"""Measures what the gates of a trained sentiment network really do.

Textbooks tell stories about these gates. Here each story is tested.

    from minigrad import tasks, trial

    trained = tasks.load("sentiment")
    found = trial.read(trained.model, trained.reading["words"], ["a", "fine", "film"])
    what = trial.WhatIf(found, trained.model, trained.reading["words"])
    what.clamped("f", 1.0, steps=[1])      # the forget gate held open at word 1

`review_corpus.py` reads the sentences, `what_if.py` changes one of them,
`gate_evidence.py` measures many, `gate_verdicts.py` compares the stories with the
measurements, `heat_maps.py` plots, and `trial_sections.py` puts together what
`minigrad trial` shows.

Read next: `review_corpus.py`.
"""

from minigrad.tasks.sentence_reading import Reading, read, words_of
from minigrad.trial.gate_evidence import Seen
from minigrad.trial.gate_verdicts import Verdict, judged
from minigrad.trial.review_corpus import Corpus
from minigrad.trial.trial_sections import Held, sections
from minigrad.trial.what_if import WhatIf

__all__ = [
    "Corpus",
    "Held",
    "Reading",
    "Seen",
    "Verdict",
    "WhatIf",
    "judged",
    "read",
    "sections",
    "words_of",
]
