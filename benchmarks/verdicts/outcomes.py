"""The table of outcomes: which configurations there are, and which of them learned.

    missing(read())         # what is still to be trained
    fresh()                 # those that the curve is judged on
    append(configuration, outcome)

Read next: `judging.py`.
"""

import csv
import itertools
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np

from .networks import STARTS
from .problems import PROBLEMS
from .training_runs import Configuration

TABLE = Path(__file__).with_name("outcomes.csv")
LAGS = (5, 12, 25, 50, 100, 200)
FOUND = ("learned", "score", "updates")
COLUMNS = (*[field.name for field in fields(Configuration)], *FOUND)


def configurations():
    """All: those that the curve is fitted to, and those that it is judged on."""
    return fitted() + fresh()


def fitted():
    """Those that the curve is fitted to, in the order in which they were trained."""
    return _first() + _series((8, 18, 35, 70, 140), (12, 24), (0.005, 0.008), (0, 2), 1)


def fresh():
    """Those that it is judged on: trained after its form was settled. No lag, size or
    learning rate is one of those in `fitted`."""
    return _series((10, 21, 42, 85, 160), (10, 20), (0.004, 0.007), (0, 2, 4), 2)


def _first():
    """The first of them: each problem and start has four of the six lags where the
    problem is clean, and two where it is noisy; sizes and learning rates take turns.

    Of the long ones, which take most of the time, a part is left out: noisy ones, and
    two of three of 200 steps.
    """
    found = []
    turns = itertools.cycle(itertools.product((8, 16), (0.003, 0.01)))
    for noisy, count in ((0, 4), (1, 2)):
        pairs = itertools.product(PROBLEMS, STARTS)
        for number, (problem, start) in enumerate(pairs):
            for k in range(count):
                lag = LAGS[(number + k * len(LAGS) // count) % len(LAGS)]
                units, rate = next(turns)
                rare = (number + number // len(STARTS)) % 3
                if lag < 100 or not (noisy or (lag == 200 and rare)):
                    found.append(Configuration(problem, noisy, start, lag, units, rate))
    order = np.random.default_rng(0).permutation(len(found))
    return sorted([found[k] for k in order], key=lambda c: (c.noisy, c.lag))


def _series(lags, sizes, rates, far, seed):
    """Each problem and start with some of the lags: those at the places `far` where the
    problem is clean, and one of the three shortest where it is noisy."""
    turns = itertools.cycle(itertools.product(sizes, rates))
    found = []
    for noisy, choice, places in ((0, lags, far), (1, lags[:3], (0,))):
        part = []
        pairs = itertools.product(PROBLEMS, STARTS)
        for number, (problem, start) in enumerate(pairs):
            for k in places:
                lag = choice[(number + number // len(STARTS) + k) % len(choice)]
                units, rate = next(turns)
                part.append(Configuration(problem, noisy, start, lag, units, rate))
            if len(places) == 2:
                next(turns)  # so that a lag meets all sizes and rates
        order = np.random.default_rng(seed).permutation(len(part))
        found += [part[k] for k in order]
    return found


def read(path=TABLE):
    """{configuration: its outcome}, in the order of the table."""
    if not path.exists():
        return {}
    kinds = {"problem": str, "start": str, "rate": float, "score": float}
    with path.open(newline="", encoding="utf-8") as file:
        rows = [
            {name: kinds.get(name, int)(text) for name, text in row.items()}
            for row in csv.DictReader(file)
        ]
    return {
        Configuration(*[row[f.name] for f in fields(Configuration)]): {
            name: row[name] for name in FOUND
        }
        for row in rows
    }


def missing(known):
    """The configurations whose outcome is not known."""
    return [c for c in configurations() if c not in known]


def append(configuration, outcome, path=TABLE):
    """Add one row, at once, so that a stopped run can go on from there."""
    new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        out = csv.writer(file, lineterminator="\n")
        if new:
            out.writerow(COLUMNS)
        out.writerow([*asdict(configuration).values(), *outcome.values()])
