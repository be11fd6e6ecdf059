"""Gates on trial: what the gates of a trained sentiment network do, and whether the
stories of the textbooks about them are true.

    from minigrad import tasks, trial

    trained = tasks.load("sentiment")
    found = trial.read(trained.model, trained.reading["words"], ["a", "fine", "film"])
    what = trial.WhatIf(found, trained.model, trained.reading["words"])
    what.clamped("f", 1.0, steps=[1])      # the forget gate held open at word 1

sentence_reading.py   one sentence: every gate and state after each word
what_if.py    counterfactuals: another word, a gate held open or shut
gate_evidence.py  the same over many sentences
gate_verdicts.py  what follows for the stories, in words
heat_maps.py     heat maps
trial.py   `minigrad trial`: all of it on one page
"""

from minigrad.trial.gate_evidence import Corpus, Seen
from minigrad.trial.gate_verdicts import Verdict, judged
from minigrad.trial.sentence_reading import Reading, read, words_of
from minigrad.trial.what_if import WhatIf

__all__ = [
    "Corpus",
    "Reading",
    "Seen",
    "Verdict",
    "WhatIf",
    "judged",
    "read",
    "words_of",
]
