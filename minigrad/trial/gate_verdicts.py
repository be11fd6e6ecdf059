"""Compares what textbooks say about gates with measurements on held-out sentences.

Where possible each story is tested twice. First: what value has the gate at the word?
(It may move and yet change nothing.) Second: how does the result change when the gate
is held? (A gate may matter without moving.)

Read next: `heat_maps.py`.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from minigrad.engine.scope import GATES
from minigrad.tasks.sentence_reading import Reading, chance
from minigrad.tasks.sequences import at_the_end
from minigrad.tasks.statistics import Interval, effect_words, interval
from minigrad.trial.gate_evidence import (
    Seen,
    at_word,
    by_words,
    places,
    strong_words,
)
from minigrad.trial.review_corpus import Corpus

CLEARLY = 0.1  # less than this much of a gate, or share of sentences, is little
MOST = 600  # sentences that are read with their graph
MEDIUM = 0.5  # Cohen's d from which an effect is called medium
LONG = 5  # words over which half of a memory has to be left to call it kept


class Verdict(NamedTuple):
    """A claim of the textbooks, what was measured, and whether the claim holds."""

    claim: str
    measured: str
    holds: bool


def forget_at_but(seen: Seen, corpus: Corpus) -> Verdict:
    """Does the forget gate fall at "but"?

    "but" is compared with the other words of its sentence, and with words at the same
    relative position in sentences without "but".
    """
    claim = f'the forget gate falls at "but", by more than {CLEARLY:g}'
    found = at_word(seen, "f", but_of(corpus))
    if "but" not in corpus.vocabulary or found is None:
        return Verdict(claim, "too few held-out sentences contain the word", False)
    within, (against, effect) = found.within, found.against
    holds = within.high < 0 and against.high < 0 and within.value < -CLEARLY
    sure = ""
    if not within.clear or abs(within.value) < 0.001:
        sure = ": it does not move, or this may be chance"
    elif within.value > 0:
        sure = f": the gate clearly moves, but it opens, to {found.level:.2f}"
    else:
        kept = "to clear the memory it would have to be near 0"
        sure = f": the gate clearly moves, but it is still {found.level:.2f}; {kept}"
    count = int(places(seen, but_of(corpus)).any(axis=0).sum())
    measured = (
        f'at "but" it is {_moved(within)} than at the other words of the same sentence '
        f"({_range(within)}, {count} held-out sentences; its standard deviation over "
        f"words is {found.spread:.3f}){sure}. Compared with words at the same position "
        f'in sentences without "but" it is {_moved(against)} ({_range(against)}; '
        f"Cohen's d {effect:+.2f}, {effect_words(effect)})"
    )
    return Verdict(claim, measured, holds)


def holding_at_but(seen: Seen, corpus: Corpus, labels: np.ndarray) -> Verdict | None:
    """Does the result depend on what the forget gate does at "but"?

    It does if the result changes when the gate is held open there. Holding it shut
    shows how much it could matter.

    labels  (B,) booleans: what people said, positive or not
    Returns None if there are too few sentences, or if the network does not know "but".
    """
    at = places(seen, but_of(corpus))
    rows = np.flatnonzero(at.any(axis=0))
    known = "but" in corpus.vocabulary  # unknown, it would be any word
    if len(rows) < 10 or not known:
        return None
    before = seen.final()[rows]
    texts, turns = [], {}
    for value, words in ((1.0, "held open"), (0.0, "shut")):
        after = seen.held("f", value, at)[rows]
        right = ((after > 0) == labels[rows]).astype(float)
        gain = interval(right - ((before > 0) == labels[rows]))
        points = Interval(*(100 * share for share in gain))
        turns[value] = turned = ((after > 0) != (before > 0)).mean()
        moved = np.abs(chance(after) - chance(before)).mean()
        texts.append(
            f"{words} there, it changes the answer for {turned:.0%} of the sentences "
            f"and moves the probability of positive by {moved:.3f} on average; the "
            f"accuracy changes by {100 * gain.value:+z.1f} points "
            f"({_range(points, '+z.1f')})"
        )
    return Verdict(
        'the fall of the forget gate at "but" decides the answer for the sentence',
        f"{'; '.join(texts)} ({len(rows)} held-out sentences). If it decided the "
        f"answer, holding it open would change more than {CLEARLY:.0%} of them",
        bool(turns[1.0] > CLEARLY),
    )


def input_opens_for_strong_words(seen: Seen, corpus: Corpus) -> Verdict | None:
    """Is the input gate wider open at words that say much about the side?"""
    strong, weak = strong_words(corpus)
    if min(len(strong), len(weak)) < 5:
        return None
    found, effect = by_words(seen, "i", strong, weak)
    return Verdict(
        "the input gate lets in the words that matter and keeps out the others",
        f"at the {len(strong)} words that say most about the side (in the training "
        f"part) it is {_moved(found)} than at the {len(weak)} that say least "
        f"({_range(found)}; Cohen's d {effect:+.2f}, {effect_words(effect)})",
        found.low > 0 and effect > MEDIUM,
    )


def forget_stays_open(seen: Seen) -> Verdict:
    """Is the forget gate mostly open, so that the cell remembers?"""
    forget = seen.trace["f"][seen.mask]
    mean, open_share = float(forget.mean()), float((forget > 0.9).mean())
    # Along c alone a memory keeps prod f: after this many words half of it is left.
    half = np.log(0.5) / np.log(forget).mean()
    return Verdict(
        "the forget gate stays open, so the cell remembers",
        f"its mean over held-out words is {mean:.2f}, and {open_share:.0%} of its "
        f"values are above 0.9: along the cell state half of a memory is left after "
        f"about {half:.0f} words; the claim needs more than {LONG}",
        bool(half > LONG),
    )


def last_part_wins(reader: Any, corpus: Corpus) -> Verdict | None:
    """If the parts before and after "but" differ, does the network follow the last one?

    Each part is also read alone. None if there are too few such sentences.
    """
    if "but" not in corpus.vocabulary:
        return None
    but = but_of(corpus)
    pairs = [
        (s[: s.index(but)], s[s.index(but) + 1 :], s, label)
        for s, label in zip(corpus.held_out, corpus.held_out_labels, strict=True)
        if but in s[1:-1] and s[0] != but
    ]
    if len(pairs) < 10:
        return None
    first, second, whole = (
        at_the_end(reader, [pair[k] for pair in pairs]) > 0 for k in range(3)
    )
    people = np.array([pair[3] for pair in pairs])
    apart = np.flatnonzero(first != second)
    if len(apart) < 10:
        return None
    with_last = interval((whole == second)[apart])
    theirs = (people == second)[apart].mean()
    return Verdict(
        'what comes after "but" counts more than what comes before it',
        f"in the {len(apart)} held-out sentences whose two parts get different "
        f"answers when read alone, the network agrees with the last part in "
        f"{with_last.value:.0%} (95 % {with_last.low:.0%} to {with_last.high:.0%}); "
        f"people agreed with it in {theirs:.0%}",
        with_last.low > 0.5,
    )


def all_gates_at(seen: Seen, corpus: Corpus, word: str) -> list[list[str]]:
    """A row per gate at a word: name, level, within the sentence, against others, d."""
    rows = []
    for letter in seen.letters:
        found = at_word(seen, letter, corpus.vocabulary.index(word))
        if found is None:
            continue
        against, effect = found.against
        rows.append(
            [
                GATES[letter],
                f"{found.level:.3f}",
                f"{found.within.value:+.3f} ({_range(found.within)})",
                f"{against.value:+.3f} ({_range(against)})",
                f"{effect:+.2f} {effect_words(effect)}",
            ]
        )
    return rows


AT_WORD = ("gate", "mean", "vs its sentence", "vs other sentences", "Cohen's d")


def turn_at_but(reading: Reading) -> Verdict | None:
    """In this sentence: does the sentiment turn after "but"?"""
    if "but" not in reading.words[1:-1]:
        return None
    at = len(reading.words) - 1 - reading.words[::-1].index("but")
    before, end = reading.sentiment[at - 1], reading.sentiment[-1]
    holds = (before - 0.5) * (end - 0.5) < 0
    measured = (
        f'before "but" the network says {before:.0%} positive, '
        f"at the end of the sentence {end:.0%}"
    )
    return Verdict('the sentiment turns after "but"', measured, bool(holds))


def judged(
    reader: Any, corpus: Corpus, reading: Reading | None = None
) -> list[Verdict]:
    """Test every story of an LSTM on the held-out sentences and on one reading."""
    seen, rows = seen_of(reader, corpus)
    found = [
        forget_at_but(seen, corpus),
        holding_at_but(seen, corpus, corpus.held_out_labels[rows]),
        forget_stays_open(seen),
        input_opens_for_strong_words(seen, corpus),
        last_part_wins(reader, corpus),
        turn_at_but(reading) if reading is not None else None,
    ]
    return [verdict for verdict in found if verdict is not None]


def seen_of(reader: Any, corpus: Corpus) -> tuple[Seen, np.ndarray]:
    """Held-out sentences read with their graph, and which: all with "but", and others.

    MOST in all, the first ones: their graph is kept in memory.
    """
    but = but_of(corpus)
    having = [k for k, s in enumerate(corpus.held_out) if but in s]
    others = [k for k, s in enumerate(corpus.held_out) if but not in s]
    rows = np.array(sorted((having + others)[:MOST]))
    return Seen(reader, [corpus.held_out[k] for k in rows]), rows


def reach_of_first(
    readings: dict[str, Reading], fresh: dict[str, Reading]
) -> list[str]:
    """One sentence per network: its gradient at the first word, beside the last."""
    lines = []
    for kind, reading in readings.items():
        before = fresh[kind].reach
        if min(before[-1], reading.reach[-1]) == 0 or len(reading.words) < 2:
            lines.append(f"{kind.upper()}: nothing to compare in this sentence")
            continue
        lines.append(
            f"{kind.upper()}: the gradient at the first word is "
            f"{before[0] / before[-1]:.2g} times that at the last before training, "
            f"and {reading.reach[0] / reading.reach[-1]:.2g} times after it"
        )
    return lines


def but_of(corpus: Corpus) -> int:
    """The number of "but"; that of the unknown word if the network does not know it."""
    return corpus.vocabulary.encode(["but"])[0]


def _moved(found: Interval) -> str:
    return f"{abs(found.value):.3f} {'lower' if found.value < 0 else 'higher'}"


def _range(found: Interval, form: str = "+.3f") -> str:
    return f"95 % {found.low:{form}} to {found.high:{form}}"
