"""Do the gates do what the textbooks say? Measured on held-out sentences, in words.

Each story is tried twice where it can be: what the gate *is* at the word (it may move
without mattering), and what becomes of the result when the gate is held (it may matter
without moving).

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
    Corpus,
    Seen,
    at_word,
    by_words,
    places,
    strong_words,
)

CLEARLY = 0.1  # less than this much of a gate, or share of sentences, is little
MOST = 600  # sentences that are read with their graph
MEDIUM = 0.5  # Cohen's d from which an effect is called medium
LONG = 5  # words over which half of a memory has to be left to call it kept


class Verdict(NamedTuple):
    """A claim of the textbooks, what was measured, and the judgement in words."""

    claim: str
    measured: str
    holds: bool


def forget_at_but(seen: Seen, corpus: Corpus) -> Verdict:
    """Does the forget gate fall at "but"?

    In the same sentence, "but" beside the other words; and over sentences, "but" beside
    a word of like place in the sentences without it.
    """
    claim = f'the forget gate falls at "but", by more than {CLEARLY:g}'
    found = at_word(seen, "f", but_of(corpus))
    if "but" not in corpus.vocabulary or found is None:
        return Verdict(claim, "too few held-out sentences with the word", False)
    within, (against, effect) = found.within, found.against
    holds = within.high < 0 and against.high < 0 and within.value < -CLEARLY
    sure = ""
    if not within.clear or abs(within.value) < 0.001:
        sure = ": it does not move, or by chance"
    else:
        kept = "to clear a memory it would have to be near 0"
        sure = f": a clear difference, but it is still {found.level:.2f} there; {kept}"
    count = int(places(seen, but_of(corpus)).any(axis=0).sum())
    measured = (
        f'at "but" it is {_moved(within)} than at the other words of the same sentence '
        f"({_range(within)}, {count} held-out sentences; its standard deviation over "
        f"words is {found.spread:.3f}){sure}. Beside words of like place in sentences "
        f'without "but" it is {_moved(against)} ({_range(against)}; Cohen\'s d '
        f"{effect:+.2f}, {effect_words(effect)})"
    )
    return Verdict(claim, measured, holds)


def holding_at_but(seen: Seen, corpus: Corpus, labels: np.ndarray) -> Verdict | None:
    """Does it matter for the result what the forget gate does at "but"?

    It would if the sentence came out otherwise with the gate kept from falling. That it
    could matter is what shutting it there says.

    labels  (B,) the sides that people took. None if there are too few sentences, or the
    network does not know the word.
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
            f"{words} there, it turns the side of {turned:.0%} of the sentences and "
            f"moves the chance of positive by {moved:.3f} on average; the accuracy "
            f"moves by {100 * gain.value:+z.1f} points ({_range(points, '+z.1f')})"
        )
    return Verdict(
        'the fall of the forget gate at "but" decides how the sentence comes out',
        f"{'; '.join(texts)} ({len(rows)} held-out sentences). To decide, it would "
        f"have to turn more than {CLEARLY:.0%} of them when it is held open",
        bool(turns[1.0] > CLEARLY),
    )


def input_opens_for_strong_words(seen: Seen, corpus: Corpus) -> Verdict | None:
    """Is the input gate wider open at words that tell the side than at others?"""
    strong, weak = strong_words(corpus)
    if min(len(strong), len(weak)) < 5:
        return None
    found, effect = by_words(seen, "i", strong, weak)
    return Verdict(
        "the input gate lets in the words that matter, and keeps out the others",
        f"at the {len(strong)} words that tell the side best in the training part it "
        f"is {_moved(found)} than at the {len(weak)} that tell least "
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
        f"about {half:.0f} words; to remember, that would have to be more than "
        f"{LONG}",
        bool(half > LONG),
    )


def last_part_wins(reader: Any, corpus: Corpus) -> Verdict | None:
    """When the parts before and after "but" differ, does the sentence end as the last?

    Each part is read alone. None if there are too few such sentences.
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
        'what comes after "but" counts more than what came before',
        f"in the {len(apart)} held-out sentences whose two parts, read alone, sound "
        f"different, the network sides with the last part in {with_last.value:.0%} "
        f"(95 % {with_last.low:.0%} to {with_last.high:.0%}); people did in "
        f"{theirs:.0%}",
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


AT_WORD = ("gate", "mean", "beside its sentence", "beside other sentences", "d")


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
    """All stories of an LSTM, tried on the held-out sentences, and on one reading."""
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
    """How strongly each network still feels the first word at the last, in words."""
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
