"""What `minigrad train TASK --compile` gains: a training step, eager and compiled.

    python -m benchmarks.bench_compiled_tasks [TASK ...] [--seconds 6] [--json]

Two trainings of a task begin with the same weights. Batches of its most frequent shape
are trained on by both in turns; a figure is the median of the processor's time.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from itertools import cycle, islice

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np

from minigrad import tasks
from minigrad.compiler.guard import Arguments
from minigrad.tasks.session import Session
from minigrad.training.compiled_step import CompiledStep

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
LOOKED_AT = 200  # batches
ENOUGH = 4  # calls, of which two are traced


def gain(name, seconds=6.0):
    """{"task", "eager", "compiled": ms; "first": of the first two compiled calls}."""
    with tempfile.TemporaryDirectory() as folder:
        trainers = []
        for kind in ("eager", "compiled"):
            session = Session(name, os.path.join(folder, kind))
            session.prepare()
            trainers.append(session.trainer())
        ready = trainers[0].ready or (lambda batch: batch)
        batches = _of_one_kind(map(ready, islice(trainers[0].batches, LOOKED_AT)))
        steps = [CompiledStep(trainer).compiled for trainer in trainers]
        ways = {"eager": steps[0].fn, "compiled": steps[1]}
        times = {way: [] for way in ways}
        states = dict.fromkeys(ways)
        end = time.perf_counter() + seconds
        for batch in cycle(batches):
            for way, step in ways.items():
                started = time.process_time()
                carried = (states[way],) if trainers[0].carry else ()
                states[way] = step(batch, *carried)[2]
                times[way].append(1e3 * (time.process_time() - started))
            if time.perf_counter() > end and len(times["eager"]) > 2 * ENOUGH:
                break
        first = sum(times["compiled"][:ENOUGH])
        found = {way: float(np.median(t[ENOUGH:])) for way, t in times.items()}
    return {"task": name, "first": first, **found}


def in_a_process(name):
    """`gain` in a process of its own, which has one thread for products."""
    call = [sys.executable, "-m", "benchmarks.bench_compiled_tasks", name, "--json"]
    environment = os.environ | dict.fromkeys(THREADS, "1")
    done = subprocess.run(call, capture_output=True, check=True, env=environment)
    return json.loads(done.stdout)


def _of_one_kind(batches):
    """The batches of the most frequent shape."""
    kinds = defaultdict(list)
    for batch in batches:
        kinds[Arguments(batch, None).key(set())].append(batch)
    return max(kinds.values(), key=len)


def main(words=()):
    """A line for each task."""
    parser = argparse.ArgumentParser()
    parser.add_argument("tasks", nargs="*", default=list(tasks.TASKS))
    parser.add_argument("--seconds", type=float, default=6.0)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(words)
    for name in options.tasks:
        found = gain(name, options.seconds)
        if options.json:
            print(json.dumps(found), flush=True)
            continue
        ratio = found["eager"] / found["compiled"]
        print(
            f"{name:<16}{found['eager']:9.2f} ms{found['compiled']:9.2f} ms compiled"
            f"{ratio:7.1f} times{found['first']:9.0f} ms for the first calls",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
