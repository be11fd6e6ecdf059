"""Gates on trial: what the gates of a trained sentiment network do, measured.

Are the stories of the textbooks about them true?

    from minigrad import tasks, trial

    trained = tasks.load("sentiment")
    found = trial.read(trained.model, trained.reading["words"], ["a", "fine", "film"])
    what = trial.WhatIf(found, trained.model, trained.reading["words"])
    what.clamped("f", 1.0, steps=[1])      # the forget gate held open at word 1

`review_corpus.py` has the sentences, `what_if.py` the counterfactuals of one of them,
`gate_evidence.py` the same over many, `gate_verdicts.py` what follows for the stories,
`heat_maps.py` the plots, `trial_sections.py` all of it as `minigrad trial` shows it.

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
