"""Writes text with a language model: suggestions, and samples at a temperature.

Read next: `first_names.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import minigrad as mg
from minigrad.engine.errors import ArgumentError
from minigrad.engine.scope import no_grad
from minigrad.tasks.task_options import Option

PORTION = 500  # tokens whose logits are in memory at once
LONG = 20_000  # tokens: from here on compiling is worth its time
STRETCH = 200  # tokens that a compiled step reads
NEVER = (0, 1)  # padding and the unknown token are nothing to write

QUESTIONS = (
    Option("top", 8, "how many suggestions", least=1),
    Option("temperature", 0.8, "low gives safe samples, high gives wild ones"),
    Option("length", 60, "tokens to write", least=1, below=10_000),
    Option("seed", 0, "of the samples"),
)


def suggestions(
    model: Any,
    tokens: Sequence[int],
    top: int = 8,
    end: int | None = None,
    read: tuple[Any, Any] | None = None,
) -> list[tuple[int, float]]:
    """The `top` likeliest next tokens and their probabilities, the likeliest first.

    end   a token that counts though it is in NEVER
    read  what `read_through` gave for the tokens, if they have been read already
    """
    last = _allowed((read or read_through(model, tokens))[0], end)
    chances = np.exp(last - last.max())
    chances /= chances.sum()
    order = np.argsort(-chances)[: min(top, np.isfinite(last).sum())]
    return [(int(k), float(chances[k])) for k in order]


def continued(
    model: Any,
    tokens: Sequence[int],
    length: int,
    temperature: float = 1.0,
    seed: int = 0,
    end: int | None = None,
    read: tuple[Any, Any] | None = None,
) -> list[int]:
    """Draw tokens one after the other, each from p^(1 / temperature), normalised.

    temperature  below 1 likely tokens become likelier; 0 always takes the likeliest
    end          stop before this token, which may be drawn though it is in NEVER
    read         as in `suggestions`
    Raises ArgumentError for a negative temperature.
    """
    if not temperature >= 0:
        raise ArgumentError(
            f"temperature={temperature} is below zero",
            expect="0 (always the likeliest token) or more; 1 changes nothing",
            actual=str(temperature),
            hint="temperature=0.8 is a common choice",
        )
    rng = np.random.default_rng(seed)
    made: list[int] = []
    logits, state = read or read_through(model, tokens)
    with no_grad():
        for _ in range(length):
            z = _allowed(logits, end)
            if temperature == 0:
                token = int(z.argmax())
            else:
                z = (z - z.max()) / temperature
                p = np.exp(z)
                token = int(rng.choice(len(p), p=p / p.sum()))
            if token == end:
                break
            made.append(token)
            logits, state = model(np.array([[token]]), state)
    return made


def read_through(model: Any, tokens: Sequence[int]) -> tuple[Any, Any]:
    """The logits and the state after the last token; the text may be of any length."""
    with no_grad():
        read, state = _read_ahead(model, tokens) if len(tokens) > LONG else (0, None)
        for start in range(read, len(tokens), PORTION):
            portion = np.array(tokens[start : start + PORTION])
            logits, state = model(portion[:, None], state)
    return logits, state


def _read_ahead(model: Any, tokens: Sequence[int]) -> tuple[int, Any]:
    """How many of very many tokens have been read, and the state after them.

    Only the state is wanted here: compiled, the logits are not computed at all, and a
    step takes a tenth of the time.
    """
    ahead = mg.compile(lambda portion, state: model(portion, state)[1])
    _, state = model(np.array(tokens[:STRETCH])[:, None])
    starts = range(STRETCH, len(tokens) - STRETCH, STRETCH)
    for start in starts:
        portion = np.array(tokens[start : start + STRETCH])
        state = ahead(portion[:, None], state)
    return starts[-1] + STRETCH, state


def _allowed(logits: Any, end: int | None) -> np.ndarray:
    """The logits after the last token (V,), -inf for tokens that are never written."""
    z = logits.data[-1, 0].astype(float)
    z[[k for k in NEVER if k != end]] = -np.inf
    return z
