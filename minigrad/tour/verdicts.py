"""Do the gates do what the textbooks say? Measured on held-out sentences, in words."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

import minigrad as mg
from minigrad.tour.reader import Reader
from minigrad.tour.reading import Reading
from minigrad.tour.training import Corpus, pad

CLEARLY = 0.1  # a gate that moves by less does not clear, or keep, anything


class Verdict(NamedTuple):
    """A claim of the textbooks, what was measured, and the judgement in words."""

    claim: str
    measured: str
    holds: bool


def forget_at_but(reader: Reader, corpus: Corpus, limit: int = 600) -> Verdict:
    """Does the LSTM's forget gate fall at "but"?

    The mean forget gate at each "but" of the held-out sentences, minus the mean at the
    other words of the same sentence: averaged over sentences, with the interval that
    a paired bootstrap of them gives.
    """
    claim = 'the forget gate falls at "but", clearing what was said before'
    [but] = corpus.vocabulary.encode(["but"])
    chosen = [s for s in corpus.held_out if but in s[1:] and len(s) > 2][:limit]
    if "but" not in corpus.vocabulary or len(chosen) < 10:
        return Verdict(claim, "too few held-out sentences with the word", False)
    tokens, mask = pad(chosen)
    with mg.no_grad():
        forget = reader.recurrent.trace(reader.embed(tokens), mask=mask)["f"].mean(-1)
    differences = []
    for column in range(len(chosen)):
        at = (tokens[:, column] == but) & mask[:, column]
        others = mask[:, column] & ~at
        values = forget[:, column]
        differences.append(values[at].mean() - values[others].mean())
    mean, low, high = _interval(np.array(differences))
    spread = float(forget[mask].std())
    holds = high < 0 and mean < -CLEARLY
    direction = "lower" if mean < 0 else "higher"
    sure = ""
    if low <= 0 <= high:
        sure = ": that may be chance"
    elif not holds:
        sure = (
            f": surely so, but it stays at {forget[mask].mean() + mean:.2f}, far from 0"
        )
    measured = (
        f'at "but" it is {abs(mean):.3f} {direction} than at the other words of the '
        f"same sentence (95 % interval {low:+.3f} to {high:+.3f}, "
        f"{len(chosen)} held-out "
        f"sentences; its standard deviation over words is {spread:.3f}){sure}"
    )
    return Verdict(claim, measured, holds)


def forget_stays_open(reader: Reader, corpus: Corpus, limit: int = 600) -> Verdict:
    """Is the forget gate mostly open, so that the cell remembers?"""
    tokens, mask = pad(corpus.held_out[:limit])
    with mg.no_grad():
        forget = reader.recurrent.trace(reader.embed(tokens), mask=mask)["f"][mask]
    mean, open_share = float(forget.mean()), float((forget > 0.9).mean())
    # Along c alone a memory keeps prod f: after this many words half of it is left.
    half = np.log(0.5) / np.log(forget).mean()
    measured = (
        f"its mean over held-out words is {mean:.2f}, and {open_share:.0%} of its "
        f"values are above 0.9: along the cell state half of a memory is left after "
        "about "
        f"{half:.0f} words"
    )
    return Verdict(
        "the forget gate stays open, so the cell remembers", measured, half > 5
    )


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
            f"{before[0] / before[-1]:.2g} of that at the last before training, "
            f"and {reading.reach[0] / reading.reach[-1]:.2g} of it after"
        )
    return lines


def _interval(values: np.ndarray, draws: int = 2000) -> tuple[float, float, float]:
    """Mean and 95 % bootstrap interval."""
    rng = np.random.default_rng(0)
    means = values[rng.integers(0, len(values), (draws, len(values)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(values.mean()), float(low), float(high)
