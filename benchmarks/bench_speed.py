"""The figures of the page on speed: one training step, side by side, at every size.

    python -m benchmarks speed       some minutes; writes docs/speed.rst and .svg

It measures piece by piece, a kind and a size at a time, and notes each one in a file:
a run that was stopped goes on where it was.
"""

import json
import math
import tempfile
import time
from pathlib import Path

from benchmarks import bench_compiled_tasks
from minigrad import tasks
from minigrad.comparing import speed_report
from minigrad.comparing.bench_process import in_a_process
from minigrad.comparing.growth import Grown
from minigrad.comparing.side_by_side import OURS, RIVALS, SLOW_TO_START, Case, from_data

DOCS = Path(__file__).parent.parent / "docs"
KEPT = Path(tempfile.gettempdir()) / "minigrad-speed.json"
KINDS = ("LSTM", "GRU", "RNN")
SECONDS = {"1x16": 5.0, "8x32": 5.0, "S": 6.0, "M": 9.0, "L": 17.0}
GROWING = 300.0  # seconds for longer and longer sequences
COMPILED = "minigrad, compiled"
FLOOR = "matrix products alone"
# What is promised: a share of another's time at most, by size.
AIMS = [
    ("LSTM", COMPILED, "torch.nn", (0.25, 0.55, 0.7, 0.95, 0.95)),
    ("GRU", COMPILED, "torch.nn", (0.15, 0.15, 0.25, 0.55, 0.7)),
    ("RNN", COMPILED, "torch.nn", (0.15, 0.15, 0.25, 0.55, 0.7)),
    *((k, COMPILED, FLOOR, (None, None, 1.4, 1.0, 1.0)) for k in KINDS),
    *((k, COMPILED, "JAX, jit of scan", (None, None, 0.65, 0.75, 0.6)) for k in KINDS),
    *(
        (k, OURS, "PyTorch, from primitives", (None, None, 0.7, 0.8, 0.85))
        for k in KINDS
    ),
    *((k, OURS, "HIPS autograd", (None, None, 0.1, 0.1, 0.3)) for k in KINDS),
]


def pieces():
    """The name of each piece, and what it asks for."""
    rivals = [name for name in RIVALS if name != SLOW_TO_START]
    for threads in (1, 2):
        for kind in KINDS:
            for size in SECONDS:
                asked = _asked(kind, size, SECONDS[size], rivals, threads == 1)
                yield f"{kind} {size} {threads}", asked, threads
    asked = _asked("RNN", "1x16", 0.6, [OURS], True)
    yield "growth", asked | {"growth": GROWING}, 1


def _asked(kind, size, seconds, rivals, processor):
    return {
        "kinds": [kind],
        "sizes": [size],
        "seconds": seconds,
        "rivals": rivals,
        "growth": 0.0,
        "processor": processor,
    }


def measure(most=math.inf, wanted=lambda name: True):
    """Measure the pieces that are missing, as long as the seconds last; all so far."""
    end = time.perf_counter() + most
    for name, asked, threads in pieces():
        needs = 1.5 * asked["seconds"] + 1.5 * asked["growth"]
        late = time.perf_counter() + needs > end
        if name in _found() or late or not wanted(name):
            continue
        cases, grown = in_a_process(asked, threads, _silent, needs + 30)
        _keep(name, speed_report.as_data(cases, grown, threads))
    for task in tasks.TASKS:
        name = f"task {task}"
        if name not in _found() and time.perf_counter() + 30 < end and wanted(name):
            _keep(name, bench_compiled_tasks.in_a_process(task))
    return _found()


def _found():
    return json.loads(KEPT.read_text()) if KEPT.exists() else {}


def _keep(name, data):
    """Note a piece at once: a run may be stopped."""
    KEPT.write_text(json.dumps(_found() | {name: data}))
    print(name, flush=True)


def _silent(text, done):
    """Nobody watches."""


def page(found):
    """The page of the documentation."""
    cases = {
        threads: [
            from_data(case)
            for data in found.values()
            if data.get("threads") == threads and not data["growth"]
            for case in data["cases"]
        ]
        for threads in (1, 2)
    }
    lines = [WORDS, *aims_table(cases[1])]
    for threads, word in ((1, "one thread"), (2, "two threads")):
        for kind in KINDS:
            lines += [f"{kind}, {word}", "-" * (len(kind) + 2 + len(word)), ""]
            of_kind = [case for case in cases[threads] if case.kind == kind]
            of_kind.sort(key=lambda case: list(SECONDS).index(case.name))
            lines += [TWO_THREADS] * (threads == 2 and kind == KINDS[0])
            lines += times_table(of_kind)
    gains = [data for name, data in found.items() if name.startswith("task ")]
    if gains:
        lines += ["Training the tasks", "------------------", "", GAINS]
        lines += gains_table(gains)
    if "growth" in found:
        lines += ["Longer sequences", "----------------", "", GROWTH]
        lines += growth_table([Grown(**row) for row in found["growth"]["growth"]])
    machine = next(d["machine"] for d in found.values() if d.get("threads") == 1)
    machine = machine.replace(", one thread", "")
    left = {
        f"{line}, {word}"
        for threads, word in ((1, "one thread"), (2, "two threads"))
        for line in speed_report.left_out(cases[threads])
    }
    lines += [f"Left out, {line}.\n" for line in sorted(left)]
    return "\n".join([*lines, f"Measured on: {machine}.", ""])


WORDS = """.. This page is written by `python3 run.py bench speed`: change that.

Speed
=====

One training step of a recurrent layer: the gradients of all weights for the sum of all
outputs, in float32. All libraries get the same weights and input, their gradients are
compared first, and they take turns in one process. A figure is the median: with one
thread of the processor's time, as the machine was not alone, with two of the clock's.
Sizes are T, B, D, H: 1x16 is 50, 1, 16, 16; 8x32 is 50, 8, 32, 32; S is 50, 16, 32, 64;
M is 100, 32, 128, 128; L is 50, 64, 256, 512. ``minigrad bench`` does the same on your
machine, in two minutes.

``torch.compile`` is not in the tables: it unrolls the loop, and its C++ compiler took 1
minute for an RNN of size 1x16 over 12 steps, 6.5 for 25 steps, and did not end within
15 for 50 (at low priority, on a busy machine). A step then took 0.42 ms for 12 steps
and 0.56 for 25; minigrad's compiled step took 0.03 ms for both, and PyTorch from
primitives 1.1 and 1.9. ``minigrad bench --torch-compile`` waits for it.

The eager loop multiplies each :math:`x_t W` by itself, as it is recorded. One product
for all steps, as the compiler makes it, would take 2 to 3 % off an RNN's step, and does
not give the same bits: in float32 OpenBLAS rounds other entries in 12 of 13 shapes
tried, in float64 in 3. Steps that are repeated have the bits of those that are not, so
it stays.

.. image:: speed.svg
    :alt: For each kind of layer, bars with the time of each library as a share of
        minigrad's in eager mode, by size

What was aimed at
-----------------

The time as a share of another's, with the aim beside it. What is reached is bold.

"""

TWO_THREADS = """By the clock. Where the machine has two cores and other work, a thread
that waits for the other waits for the machine: the smaller a size, the less these
figures say.
"""

GROWTH = """An LSTM of size S, longer and longer, by the processor's time. The first
call of a compiled step has tracing, planning and, where they are not on disk yet,
compiling the kernels in it. MB is what a step needs at the highest, a plan's memory
with it; beside it what the whole process has taken until then, libraries and longer
first calls with it.
"""

GAINS = """A training step with and without ``minigrad train TASK --compile``: the loss,
its gradients, clipping and the optimiser's update, on batches of the most
frequent shape, in turns, by the processor's time on one thread. The first calls trace
the step twice, and compile kernels that are not on disk yet; each shape of batch needs
a trace of its own, and every batch whose shape is rare is trained without.
"""


def table(heading, rows):
    """A table in reStructuredText."""
    lines = [".. list-table::", "    :header-rows: 1", ""]
    for row in (heading, *rows):
        marks = ["*"] + [" "] * (len(row) - 1)
        lines += [f"    {m} - {c}".rstrip() for m, c in zip(marks, row, strict=True)]
    return [*lines, ""]


def aims_table(cases):
    """Each share that was aimed at, beside what was measured."""
    by_size = {(case.kind, case.name): case for case in cases}
    rows = []
    for kind, ours, theirs, aims in AIMS:
        row = [f"{kind}: {ours} to {theirs}"]
        for size, aim in zip(SECONDS, aims, strict=True):
            case = by_size.get((kind, size), Case(kind, size, None))
            ratio = case.ratio(ours, theirs)
            share = "" if ratio is None else f"{ratio:.2f}"
            if ratio is not None and aim is not None:
                share = f"**{share}**" if ratio <= aim else share
                share += f" ({aim:g})"
            row.append(share)
        rows.append(row)
    return table(["", *SECONDS], rows)


def times_table(cases):
    """Milliseconds with their quartiles, a column for each size."""
    rows = []
    for name in RIVALS:
        known = [case.times.get(name) for case in cases]
        if any(known):
            rows.append([name, *[_time(times) for times in known]])
    return table(["ms (quartiles)", *[case.name for case in cases]], rows)


def _time(times):
    if times is None:
        return ""
    low, median, high = (f"{t:.3g}" for t in (times.low, times.median, times.high))
    return f"{median} ({low} to {high})"


def growth_table(grown):
    """Time, first call and memory by the number of steps."""
    rows = [
        [
            row.way,
            f"{row.T:,}",
            f"{row.ms:.3g}",
            f"{row.ms / row.T:.3g}",
            f"{row.first_ms:.3g}",
            f"{row.megabytes:.3g}",
            f"{row.process:,.0f}",
        ]
        for row in grown
    ]
    heading = ["", "T", "ms", "ms per step", "first call, ms", "MB", "MB, process"]
    return table(heading, rows)


def gains_table(gains):
    """What `--compile` gains in each task."""
    rows = [
        [
            g["task"],
            f"{g['eager']:.3g}",
            f"{g['compiled']:.3g}",
            f"{g['eager'] / g['compiled']:.1f}",
            f"{g['first'] / 1e3:.1f}",
        ]
        for g in gains
    ]
    return table(["", "ms", "compiled, ms", "times faster", "first calls, s"], rows)


def main():
    """Measure what is missing, then write the page and its plot."""
    found = measure()
    (DOCS / "speed.rst").write_text(page(found), encoding="utf-8")
    names = [f"{kind} {size} 1" for kind in KINDS for size in SECONDS]
    cases = [case for name in names for case in found[name]["cases"]]
    data = {"machine": found["LSTM S 1"]["machine"], "cases": cases}
    speed_report.plot(data, DOCS / "speed.svg")
    KEPT.unlink()
    print(f"written: {DOCS / 'speed.rst'}")


if __name__ == "__main__":
    main()
