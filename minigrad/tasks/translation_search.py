"""Finds translations: the likeliest word each time, or a beam of several sentences.

Read next: `translation_figures.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

import minigrad as mg
from minigrad.engine.errors import ArgumentError
from minigrad.tasks.sequences import by_length, padded

UNKNOWN, NEVER = 1, (0,)
MOST = 60  # words of a translation, at most
POWER = 0.7  # of the length, in the score of a sentence


class Found(NamedTuple):
    """A translation: its tokens without the marks of beginning and end.

    score      its log-probability (nats) divided by its length to the power POWER
    attention  (words, S): where it looked while saying each word, the mark of the end
               included; None without attention
    """

    tokens: list[int]
    score: float
    attention: np.ndarray | None


def translations(
    model: Any, sources: Sequence[Sequence[int]], begin: int, end: int, beam: int = 1
) -> list[list[Found]]:
    """For each source sentence the beam's sentences, the best first.

    beam  how many unfinished sentences are kept at each step; 1: the likeliest word
          each time (greedy). ArgumentError for less than 1.

    The score divides by a power of the length: else short sentences would win.
    Source: Wu et al. 2016, "Google's neural machine translation system", section 7.
    """
    if beam < 1:
        raise ArgumentError(
            f"a beam of {beam} keeps no sentence",
            expect="1 or more",
            actual=str(beam),
            hint="--beam 1 takes the likeliest word each time",
        )
    found: list[list[Found]] = [[] for _ in sources]
    with mg.no_grad():
        for rows in by_length(sources):
            for few in np.array_split(rows, -(-len(rows) * beam // 512)):
                tokens, mask = padded([sources[k] for k in few])
                for k, best in zip(
                    few, _search(model, tokens, mask, begin, end, beam), strict=True
                ):
                    found[k] = best
    return found


def _search(
    model: Any, tokens: np.ndarray, mask: np.ndarray, begin: int, end: int, beam: int
) -> list[list[Found]]:
    count = tokens.shape[1]
    spread = np.repeat(np.arange(count), beam)  # rows: sentence 0 `beam` times, ...
    memory = model.encode(tokens[:, spread], mask[:, spread])
    state, rows = memory.start, count * beam
    said = np.full((rows, 1), begin)
    scores = np.where(np.arange(rows) % beam == 0, 0.0, -np.inf)
    looked = np.zeros((rows, 0, len(tokens)))
    done: list[list[Found]] = [[] for _ in range(count)]
    limits = np.repeat(np.minimum(MOST, 3 * mask.sum(axis=0) + 10), beam)
    for step in range(int(limits.max())):
        chances, state, a = _next(model, memory, said[:, -1], state)
        chances[:, list(NEVER)] = -np.inf
        others = np.arange(chances.shape[1]) != end
        chances[np.ix_(step >= limits - 1, others)] = -np.inf  # these have to end
        looked = np.concatenate([looked, a[:, None]], axis=1)
        total = (scores[:, None] + chances).reshape(count, -1)
        # Twice as many as are kept: some of them end here.
        top = _largest(total, 2 * beam)
        parents = np.zeros((count, beam), int)
        words = np.full((count, beam), end)
        kept = np.full((count, beam), -np.inf)
        for k in range(count):
            place = 0
            for rank, choice in enumerate(top[k]):
                parent, word = divmod(int(choice), chances.shape[1])
                value, row = total[k, choice], k * beam + parent
                if not np.isfinite(value):
                    continue
                if word == end and rank < beam:
                    score = value / said.shape[1] ** POWER
                    done[k].append(Found(said[row, 1:].tolist(), score, looked[row]))
                elif word != end and place < beam:
                    parents[k, place], words[k, place] = row, word
                    kept[k, place] = value
                    place += 1
            if len(done[k]) >= beam:  # nothing unfinished is looked at any more
                kept[k] = -np.inf
        if not np.isfinite(kept).any():
            break
        order = parents.reshape(-1)
        said = np.concatenate([said[order], words.reshape(-1, 1)], axis=1)
        scores, looked = kept.reshape(-1), looked[order]
        state = tuple([mg.tensor(part.data[order]) for part in state])
    return [_best(sentences, model, beam) for sentences in done]


def _largest(values: np.ndarray, count: int) -> np.ndarray:
    """The columns of the `count` largest values of each row, the largest first."""
    count = min(count, values.shape[1])
    some = np.sort(np.argpartition(-values, count - 1, axis=1)[:, :count], axis=1)
    order = np.argsort(-np.take_along_axis(values, some, 1), axis=1, kind="stable")
    return np.take_along_axis(some, order, 1)


def _best(sentences: list[Found], model: Any, beam: int) -> list[Found]:
    ordered = sorted(sentences, key=lambda found: -found.score)[:beam]
    if model.attention is None:
        ordered = [found._replace(attention=None) for found in ordered]
    return ordered


def _next(
    model: Any, memory: Any, words: np.ndarray, state: tuple[Any, ...]
) -> tuple[np.ndarray, tuple[Any, ...], np.ndarray]:
    """Log-probabilities (B, V) of the next words, the state, and the attention."""
    logits, weights, loop = model.decode(memory._replace(start=state), words[None])
    chances = mg.log_softmax(logits[0]).data.astype(float)
    a = np.zeros(memory.mask.shape) if weights is None else weights.data[0]
    return chances, loop.states[-1], a
