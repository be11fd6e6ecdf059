"""Does it matter in which order the tests run? Many orders, drawn at random.

    python -m benchmarks.bench_orders whole WORK [SEED]
    python -m benchmarks.bench_orders quick WORK COUNT SECONDS [SEED]
    python -m benchmarks.bench_orders figures WORK OUT

`whole` runs every test of a push once, and keeps in the folder WORK how many seconds of
the processor each took. `quick` runs those that took less than SECONDS, COUNT times,
each time in another order. All is imported and collected once; each order is a fork of
that process, so that nothing is left of the order before. Files come in random order,
and so do the tests within a file. `figures` writes a row for the page of figures.
"""

import functools
import importlib
import json
import os
import random
import shutil
import sys
import time
from pathlib import Path

from benchmarks.mutants import ROOT

# An order is the same for the same seed; hypothesis draws the same examples each time.
OPTIONS = ["-q", "-s", "-p", "no:cacheprovider", "--hypothesis-profile=ci"]


def shuffled(items, seed):
    """The tests file by file: the files in random order, and the tests within each."""
    draw, files = random.Random(seed), {}
    for item in items:
        files.setdefault(item.nodeid.partition("::")[0], []).append(item)
    order = list(files.values())
    draw.shuffle(order)
    for tests in order:
        draw.shuffle(tests)
    return [item for tests in order for item in tests]


def fork(action, log):
    """Run `action` in a child, what it says goes into `log`; 0 if it ended well."""
    sys.stdout.flush()
    child = os.fork()
    if not child:
        code = 3
        try:
            sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(sink, 1)
            os.dup2(sink, 2)
            action()
            code = 0
        finally:  # nothing of the parent's may run in the child
            sys.stdout.flush()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def used():
    """Seconds of the processor, by this process and those that it waited for."""
    return sum(os.times()[:4])


class Kept:
    """A plugin of pytest: writes each test that failed, and the seconds of each."""

    def __init__(self, failed, seconds):
        self.failed, self.seconds, self.began = failed, seconds, used()

    def pytest_runtest_logreport(self, report):
        if report.failed:
            with open(self.failed, "a", encoding="utf-8") as lines:
                lines.write(report.nodeid + "\n")
        if report.when == "teardown":
            with open(self.seconds, "a", encoding="utf-8") as lines:
                line = [report.nodeid, round(used() - self.began, 3)]
                lines.write(json.dumps(line) + "\n")
            self.began = used()


class Orders:
    """A plugin of pytest whose run is all orders, one after the other.

    seeds   one for each order
    below   only tests known to take fewer seconds; None: every test
    """

    def __init__(self, work, seeds, below):
        self.work, self.seeds, self.below = work, seeds, below
        self.clean = True

    def pytest_runtestloop(self, session):
        chosen = session.items
        if self.below is not None:
            known = seconds(self.work)
            chosen = [
                item
                for item in chosen
                if known.get(item.nodeid, self.below) < self.below
            ]
        for seed in self.seeds:
            began = time.monotonic()
            action = functools.partial(run, self.work, shuffled(chosen, seed))
            (self.work / "failed").write_text("")
            code = fork(action, self.work / f"said-{seed}.txt")
            failed = (self.work / "failed").read_text("utf-8").splitlines()
            if code:
                failed.append(f"the process ended with {code}")
            row = {
                "seed": seed, "tests": len(chosen), "of": len(session.items),
                "failed": failed, "seconds": round(time.monotonic() - began, 1),
            }  # fmt: skip
            with open(self.work / "orders.jsonl", "a", encoding="utf-8") as rows:
                rows.write(json.dumps(row) + "\n")
            self.clean &= not failed
            print(
                f"seed {seed}: {len(chosen)} tests, {len(failed)} failed", *failed[:9]
            )
        return True


def run(work, items):
    """All of these tests, one after the other; in this process, which then ends."""
    config = items[0].config
    config.pluginmanager.register(Kept(work / "failed", work / "seconds.jsonl"))
    for item, after in zip(items, [*items[1:], None], strict=True):
        config.hook.pytest_runtest_protocol(item=item, nextitem=after)


def seconds(work):
    """{test: its seconds of the processor, the most that they ever were}."""
    found = {}
    for line in (work / "seconds.jsonl").read_text("utf-8").splitlines():
        name, figure = json.loads(line)
        found[name] = max(figure, found.get(name, 0.0))
    return found


def orders(work, seeds, below=None):
    """Collect every test of a push and run them in these orders; exits if one fails."""
    import pytest

    work = Path(work).resolve()
    work.mkdir(parents=True, exist_ok=True)
    os.environ["MINIGRAD_CI"] = "1"  # a skip of what is installed is a failure
    os.chdir(ROOT)
    plugin = Orders(work, seeds, below)
    pytest.main([*OPTIONS, f"--basetemp={work / 'temporary'}"], plugins=[plugin])
    shutil.rmtree(work / "temporary", ignore_errors=True)
    if not plugin.clean:
        sys.exit("not every order was clean: see orders.jsonl")


def whole(work, seed="1"):
    orders(work, [int(seed)])


def quick(work, count, below, seed="1"):
    first = int(seed)
    orders(work, range(first, first + int(count)), float(below))


def write_figures(work, out):
    """A row for each number of tests: how many orders, and the share that failed."""
    sys.path.insert(0, str(ROOT / "tests"))
    proof_rows = importlib.import_module("proof_rows")
    lines = (Path(work) / "orders.jsonl").read_text("utf-8").splitlines()
    found = {}
    for row in map(json.loads, lines):
        found.setdefault((row["tests"], row["of"]), []).append(row)
    rows = []
    for (tests, of), mine in found.items():
        which = "every test" if tests == of else f"{tests:,} of {of:,} tests"
        wrong = [
            f"seed {row['seed']}: {name}" for row in mine for name in row["failed"]
        ]
        rows.append({
            "promise": "the tests", "what": f"random orders of {which}, clean",
            "tried": len(mine), "worst": sum(bool(row["failed"]) for row in mine),
            "limit": 0, "unit": "orders fail", "wrong": wrong, "seed": mine[0]["seed"],
            "seconds": round(sum(row["seconds"] for row in mine), 2),
            "test": f"benchmarks/bench_orders.py::{tests}",
        })  # fmt: skip
    proof_rows.write(out, rows)


if __name__ == "__main__":
    words = {"whole": whole, "quick": quick, "figures": write_figures}
    words[sys.argv[1]](*sys.argv[2:])
