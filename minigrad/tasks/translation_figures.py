"""BLEU and exact matches of translations, with intervals; the baselines beside them.

Read next: `translation_views.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from minigrad.data.vocabulary import Vocabulary
from minigrad.engine.errors import ArgumentError
from minigrad.tasks.baselines.plain_translation import commonest, dictionary, nearest
from minigrad.tasks.sentence_pairs import BEGIN, END, Part, joined, source_words
from minigrad.tasks.statistics import Interval, paired
from minigrad.tasks.task import Prepared
from minigrad.tasks.translation_search import UNKNOWN, Found, translations

DRAWS = 1000


def metric() -> Any:
    """sacrebleu's BLEU. ArgumentError where the package is not installed."""
    try:
        from sacrebleu.metrics import BLEU
    except ImportError:
        raise ArgumentError(
            "translation is measured in BLEU, and that needs the package sacrebleu",
            expect="sacrebleu, which is installed with the extra `translation`",
            actual="it is not installed",
            hint="pip install 'minigrad[translation]'",
        ) from None
    return BLEU(effective_order=True)


def counts(said: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """What BLEU adds up of each sentence, (n, 10): matches of 1 to 4 words, how many
    there could be, and the two lengths."""
    bleu = metric()
    rows = []
    for text, right in zip(said, references, strict=True):
        found = bleu.sentence_score(text, list(right))
        rows.append([*found.counts, *found.totals, found.sys_len, found.ref_len])
    return np.array(rows, float)


def bleu_of(rows: np.ndarray) -> float:
    """BLEU, 0 to 100, of the rows of `counts` added up (Papineni et al. 2002)."""
    from sacrebleu.metrics import BLEU

    total = rows.sum(axis=0)
    found = BLEU.compute_bleu(
        correct=total[:4].tolist(),
        total=total[4:8].tolist(),
        sys_len=int(total[8]),
        ref_len=int(total[9]),
        smooth_method="exp",  # as sacrebleu does for a whole text
    )
    return float(found.score)


def exact_of(said: Sequence[str], references: Sequence[Sequence[str]]) -> np.ndarray:
    """(n,) booleans: is a sentence one of its references, letter by letter?"""
    return np.array([t in r for t, r in zip(said, references, strict=True)])


def figures(said: Sequence[str], part: Part) -> dict[str, float]:
    """BLEU and the share of exact matches."""
    return {
        "BLEU": bleu_of(counts(said, part.references)),
        "exact": float(exact_of(said, part.references).mean()),
    }


def intervals(
    said: Sequence[str], other: Sequence[str], part: Part
) -> tuple[Interval, Interval, Interval]:
    """BLEU, exact matches (%), and the difference in BLEU to other translations."""
    mine, theirs = counts(said, part.references), counts(other, part.references)
    right = 100.0 * exact_of(said, part.references)
    count = len(mine)
    return (
        paired(lambda k: bleu_of(mine[k]), count, DRAWS),
        paired(lambda k: float(right[k].mean()), count, DRAWS),
        paired(lambda k: bleu_of(mine[k]) - bleu_of(theirs[k]), count, DRAWS),
    )


def text_of(found: Found, target: Vocabulary, words: Sequence[str]) -> str:
    """A translation as text. An unknown word is copied from the source: the word that
    was looked at most (Luong et al. 2015, "Addressing the rare word problem")."""
    return joined(words_of(found, target, words))


def words_of(found: Found, target: Vocabulary, words: Sequence[str]) -> list[str]:
    """The words of a translation, unknown ones copied where there is attention."""
    said = []
    for k, token in enumerate(found.tokens):
        if token == UNKNOWN and found.attention is not None:
            said.append(words[int(found.attention[k, : len(words)].argmax())])
        else:
            said.append(target.words[token])
    return said


def translated(model: Any, part: Part, reading: dict[str, Any]) -> list[str]:
    """The model's translation of each different source of a part."""
    target: Vocabulary = reading["target"]
    sources = [part.source_tokens[k] for k in part.first]
    found = translations(
        model, sources, target.index(BEGIN), target.index(END), part.beam
    )
    return [
        text_of(best[0], target, source_words(part.sources[k]))
        for k, best in zip(part.first, found, strict=True)
    ]


def plain(data: Prepared) -> dict[str, list[str]]:
    """The baselines' translations of the held-out sources."""
    train, test = data.train, data.test
    source: Vocabulary = data.reading["source"]
    target: Vocabulary = data.reading["target"]
    asked = [test.source_tokens[k] for k in test.first]
    rows = nearest(train.source_tokens, asked, len(source))
    inner = [tokens[1:-1] for tokens in train.target_tokens]
    known = dictionary(train.source_tokens, inner)
    by_word = [
        joined([target.words[known[t]] for t in tokens if t in known])
        for tokens in asked
    ]
    return {
        "nearest training sentence": [train.targets[k] for k in rows],
        "word by word, a dictionary from counts": by_word,
        "the commonest sentence": [commonest(train.targets)] * len(asked),
    }
