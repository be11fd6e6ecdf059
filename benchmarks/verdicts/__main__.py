"""`python -m benchmarks.verdicts [--minutes M]`: all figures of the page on verdicts.

It trains what the table of outcomes lacks, for at most so many minutes, and goes on
from there the next time. Then it fits and judges, and writes the page's figures.
"""

import argparse
import time

from benchmarks import timing  # noqa: F401 (one thread)
from minigrad.flow.chance import FAR, LEFT, START

from . import judging, outcomes, report
from .training_runs import train


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.verdicts")
    parser.add_argument("--minutes", type=float, default=60.0, help="at most (60)")
    minutes = parser.parse_args().minutes
    until = time.monotonic() + 60 * minutes
    todo = outcomes.missing(outcomes.read())
    for number, configuration in enumerate(todo, 1):
        if time.monotonic() > until:
            break
        outcome = train(configuration)
        outcomes.append(configuration, outcome)
        print(f"{number}/{len(todo)}", configuration, outcome, flush=True)
    known = outcomes.read()
    fitted = judging.measured(known, outcomes.fitted())
    judged = judging.measured(known, outcomes.fresh())
    found = ", ".join(f"{w:.2f}" for w in judging.fit(fitted))
    print(f"fitted: START, LEFT, FAR = {found}; minigrad/flow/chance.py has")
    print(f"        START, LEFT, FAR = {START}, {LEFT}, {FAR}")
    report.write(fitted, judged)
    print(f"written: {report.PAGE}; {len(outcomes.missing(known))} are still missing")


if __name__ == "__main__":
    main()
