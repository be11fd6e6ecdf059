"""Trains one configuration, and says whether it learned what lies `lag` steps back.

Read next: `judging.py`.
"""

from dataclasses import asdict, dataclass

import numpy as np

import minigrad as mg
from minigrad.flow.observation import read_loops
from minigrad.reading.loops import loops

from .networks import Network
from .problems import make

BATCH, UPDATES, LOOK = 32, 500, 10
COMPILED = 15  # steps from which compiling takes less time than it saves
HOPELESS = 250  # updates after which a network that only guesses is given up;
LONG = 100  # steps: half as many, where each takes so long
GUESSED = {"bit": 0.5, "order": 0.25, "adding": -1.0}  # the scores of a constant
# Who knows one of the two events has half of the answers right, or a score of 0.
LEARNED = {"bit": 0.9, "order": 0.8, "adding": 0.5}


@dataclass(frozen=True)
class Configuration:
    """One row of the table: what is trained, without its outcome."""

    problem: str
    noisy: int
    start: str
    lag: int
    units: int
    rate: float

    @property
    def seed(self):
        """A number of its own, the same on every machine."""
        words = "|".join(map(str, asdict(self).values()))
        return sum(k * ord(letter) for k, letter in enumerate(words, 1))


def network(configuration):
    """(network, first batch, generator): all that a run starts from."""
    c = configuration
    rng = np.random.default_rng(c.seed)
    model = Network(c.start, c.problem, c.units, rng)
    return model, make(c.problem, c.lag, BATCH, rng, c.noisy), rng


def norms_at_the_start(configuration):
    """The gradient's norm by distance, as `mg.diagnose` measures it before the first
    step: nothing else is asked of it, which saves most of the time."""
    model, (x, target), _ = network(configuration)
    loss, _ = model.loss(x, target)
    return read_loops(loss, loops([loss._edge]))[0].norms


def train(configuration, updates=UPDATES):
    """{"learned": 0 or 1, "score": of the last 10 batches, "updates": how many}."""
    c = configuration
    model, (x, target), rng = network(c)
    optimizer = mg.optim.Adam(model.parameters(), lr=c.rate)
    scores = []
    hopeless = HOPELESS // 2 if c.lag >= LONG else HOPELESS

    def update(x, target):
        optimizer.zero_grad()
        loss, answer = model.loss(x, target)
        loss.backward()
        mg.clip_grad_norm_(optimizer.parameters, 1.0)
        optimizer.step()
        return answer

    if c.lag >= COMPILED:
        update = mg.compile(update)
    for number in range(1, updates + 1):
        scores.append(_score(c, update(x, target).data, target))
        recent = float(np.mean(scores[-LOOK:]))
        if number >= LOOK and recent >= LEARNED[c.problem]:
            return {"learned": 1, "score": round(recent, 3), "updates": number}
        if number == hopeless and np.mean(scores[-50:]) < GUESSED[c.problem] + 0.05:
            return {"learned": 0, "score": round(recent, 3), "updates": number}
        x, target = make(c.problem, c.lag, BATCH, rng, c.noisy)
    return {"learned": 0, "score": round(recent, 3), "updates": updates}


def _score(c, answer, target):
    """The share of right answers; of sums 1 - error / the variance of one number."""
    if c.problem == "adding":
        return 1 - float(((answer - target) ** 2).mean()) * 3
    return float((answer.argmax(axis=1) == target).mean())
