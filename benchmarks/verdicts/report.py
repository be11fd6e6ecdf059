"""Writes the figures of the page on verdicts: docs/verdict_figures.rst.

Read next: `minigrad/flow/chance.py` (where the fitted numbers stand).
"""

from collections import Counter
from pathlib import Path

import numpy as np

from minigrad.flow.chance import FAR, LEFT, START, chance_of

from . import judging
from .problems import PROBLEMS
from .training_runs import BATCH, UPDATES

PAGE = Path(__file__).parents[2] / "docs" / "verdict_figures.rst"
COLUMNS = ("networks", "learned", "AUC", "balanced accuracy", "calibration error")
NAMES = {"bit": "one bit kept", "adding": "adding", "order": "order of two symbols"}


def write(fitted, judged, path=PAGE):
    """The page's part that is made of figures."""
    path.write_text(text(fitted, judged), encoding="utf-8")


def figures(cases):
    """{"AUC", "balanced accuracy", "calibration error", "learned", "cases"}."""
    chances = [chance_of(case.left, case.configuration.lag) for case in cases]
    learned = [case.learned for case in cases]
    return {
        "cases": len(cases),
        "learned": int(sum(learned)),
        "AUC": judging.area(chances, learned),
        "balanced accuracy": judging.balanced(chances, learned),
        "calibration error": judging.expected_error(chances, learned),
    }


def text(fitted, judged):
    """The part as reStructuredText."""
    start, left, far = START, LEFT, FAR
    parts = [
        ".. Made by ``python -m benchmarks.verdicts``: do not edit.",
        "",
        f"The curve was fitted to {_described(fitted)}. Only the "
        f"{len(_of(fitted, 0))} clean ones count in the fit, and both outcomes were "
        f"weighted alike. The log-odds of learning are {start:.2f} + {left:.2f} "
        "log10(what is left of the gradient, in the geometric mean over the way) - "
        f"{-far:.2f} log10(lag).",
        "",
        f"Then it was judged on {_described(judged)}. They were trained after the "
        "curve was settled, and no lag, size or learning rate is one of those above:",
        "",
        *table_of(judged),
        "",
        "A calibration error of 0.05 means that of those that were given a chance of "
        "70 %, about 65 to 75 % learned. By cell, on the clean problems:",
        "",
        *_cells(judged),
        "",
        "On the networks that it was fitted to the same figures are:",
        "",
        *table_of(fitted),
        "",
        *_misjudged(judged),
    ]
    return "\n".join(parts) + "\n"


def _described(cases):
    """What was trained, in words."""
    every = [case.configuration for case in cases]
    lags, units, rates = (
        sorted({getattr(c, name) for c in every}) for name in ("lag", "units", "rate")
    )
    return (
        f"{len(cases)} networks from {len({c.start for c in every})} starts, with "
        f"{_listed(units)} units, learning rates {_listed(rates)} (Adam) and lags "
        f"{_listed(lags)}, each trained on at most {UPDATES} batches of {BATCH} "
        f"sequences; {sum(case.learned for case in cases)} of them learned"
    )


def _listed(numbers):
    words = [f"{number:g}" for number in numbers]
    return ", ".join(words[:-1]) + " and " + words[-1]


def _groups(judged):
    for noisy, word in ((0, "clean"), (1, "noisy")):
        for problem in PROBLEMS:
            yield f"{NAMES[problem]}, {word}", _of(judged, noisy, problem)
        yield f"**all, {word}**", _of(judged, noisy)


def _of(cases, noisy, problem=None):
    return [
        case
        for case in cases
        if case.configuration.noisy == noisy
        and problem in (None, case.configuration.problem)
    ]


def table_of(judged):
    rows = [[name, *_row(cases)] for name, cases in _groups(judged)]
    return _list_table(["problem", *COLUMNS], rows)


def _row(cases):
    found = figures(cases)
    numbers = [found["AUC"], found["balanced accuracy"], found["calibration error"]]
    words = ["—" if np.isnan(number) else f"{number:.3f}" for number in numbers]
    return [str(found["cases"]), str(found["learned"]), *words]


def _cells(judged):
    rows = []
    for cell in ("RNN", "LSTM", "GRU"):
        cases = [c for c in _of(judged, 0) if c.configuration.start.startswith(cell)]
        rows.append([cell, *_row(cases)])
    return _list_table(["cell", *COLUMNS], rows)


def _misjudged(judged):
    wrong = [
        case
        for case in judged
        if case.configuration.noisy == 0
        and (chance_of(case.left, case.configuration.lag) >= 0.5) != bool(case.learned)
    ]
    kinds = Counter(bool(case.learned) for case in wrong)
    lines = [
        f"Misjudged on the clean problems: {len(wrong)} of {len(_of(judged, 0))}; "
        f"{kinds[True]} learned that were given less than one half, {kinds[False]} did "
        "not that were given more.",
        "",
    ]
    rows = [
        [
            NAMES[c.problem],
            c.start,
            str(c.lag),
            str(c.units),
            f"{c.rate:g}",
            f"{chance_of(case.left, case.configuration.lag):.2f}",
            "yes" if case.learned else "no",
        ]
        for case in sorted(
            wrong,
            key=lambda case: -abs(chance_of(case.left, case.configuration.lag) - 0.5),
        )
        for c in [case.configuration]
    ]
    head = ["problem", "start", "lag", "units", "learning rate", "chance", "learned"]
    return lines + _list_table(head, rows) if rows else lines


def _list_table(head, rows):
    lines = [".. list-table::", "   :header-rows: 1", ""]
    for row in [head, *rows]:
        for number, cell in enumerate(row):
            lines.append(f"   {'* -' if number == 0 else '  -'} {cell}")
    return lines
