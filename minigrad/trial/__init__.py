"""Gates on trial: what the gates of a trained sentiment network do, and whether the
stories of the textbooks about them are true.

    from minigrad import tasks, trial

    trained = tasks.load("sentiment")
    found = trial.read(trained.model, trained.reading["words"], ["a", "fine", "film"])
    what = trial.WhatIf(found, trained.model, trained.reading["words"])
    what.clamped("f", 1.0, steps=[1])      # the forget gate held open at word 1

reading.py   one sentence: every gate and state after each word
whatif.py    counterfactuals: another word, a gate held open or shut
evidence.py  the same over many sentences
verdicts.py  what follows for the stories, in words
plots.py     heat maps
command.py   `minigrad trial`: all of it on one page
"""

from minigrad.trial.evidence import Corpus, Seen
from minigrad.trial.reading import Reading, read, words_of
from minigrad.trial.verdicts import Verdict, judged
from minigrad.trial.whatif import WhatIf

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
