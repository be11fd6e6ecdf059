"""Simple methods that a recurrent network is compared with.

ngrams.py   interpolated Kneser-Ney: the next token from the few before it
linear.py   TF-IDF and logistic regression: what a text is about, from its words alone
ridge.py    ridge regression: a number from numbers
forecasters.py   the last value, the last season, drift, smoothing, ridge on lags
plain_translation.py   the nearest sentence, a dictionary, the commonest sentence

Read next: `ngrams.py`.
"""

from minigrad.tasks.baselines.linear import LogisticRegression
from minigrad.tasks.baselines.ngrams import NGram

__all__ = ["LogisticRegression", "NGram"]
