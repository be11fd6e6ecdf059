"""Kills a training run at random moments, a hundred times, and looks at what is left.

    python -m benchmarks.bench_kills [KILLS]

Each time: is there a checkpoint that can be read, does it hold the weights and the
optimiser's arrays of one and the same step, bit for bit those of a run that was left
alone? Then it is resumed from there; when a run ends, its result has to be that run's.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from subprocess import DEVNULL

from benchmarks.killed_run import arrays_of, build, digest
from minigrad.training import read_run

ROOT = Path(__file__).parents[1]
LONGEST = 0.5  # seconds after its first step: half of the whole run
COMMAND = [sys.executable, "-m", "benchmarks.killed_run"]


def reference():
    """What the run has after each step, and at its end, if nothing disturbs it."""
    found = {}

    class Witness:
        def on_batch(self, report):
            found[report.step] = digest(arrays_of(trainer))

    trainer = build(callbacks=[Witness()])
    trainer.fit()
    return found, trainer.model.state_dict()


def kill_many(kills, seed=0):
    """Kill so often; returns counts by what was found. Raises for a broken file."""
    expected, weights = reference()
    random_ = random.Random(seed)
    counts = {"kills": 0, "runs that ended": 0, "before the first save": 0}
    counts |= {"leftover temporary files": 0}
    steps = set()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.safetensors"
        while counts["kills"] < kills:
            resume = "resume" if path.exists() else "new"
            child = subprocess.Popen(
                [*COMMAND, str(path), resume],
                cwd=ROOT,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                text=True,
            )
            started = child.stdout.readline()
            if started == "ready\n":
                time.sleep(random_.uniform(0, LONGEST))
                child.kill()
            ended = "done\n" in (started, child.communicate()[0])
            assert ended or child.returncode < 0 or os.name == "nt", "it failed"
            counts["kills"] += not ended
            names = set(os.listdir(folder)) - {path.name}
            counts["leftover temporary files"] += len(names)
            for name in names:
                os.remove(Path(folder) / name)
            if not path.exists():
                counts["before the first save"] += 1
                continue
            if ended:
                counts["runs that ended"] += 1
                check_end(path, weights)
                path.unlink()
            else:
                run = read_run(path)  # raises if it is not whole
                step = run.progress["step"]
                steps.add(step)
                assert digest(run.arrays) == expected[step], f"mixed at step {step}"
        if path.exists():  # the last run is left alone, and must end as well
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            last = [*COMMAND, str(path), "resume"]
            subprocess.run(last, cwd=ROOT, env=environment, check=True, stdout=DEVNULL)
            counts["runs that ended"] += 1
            check_end(path, weights)
    return counts | {"different steps left at": len(steps)}


def check_end(path, weights):
    """The run in the file is done, with the weights of the one left alone."""
    run = read_run(path)
    assert run.progress["done"]
    for name, array in run.weights.items():
        assert array.tobytes() == weights[name].tobytes(), name


def main(kills=100):
    """Print what was found."""
    started = time.perf_counter()
    for name, count in kill_many(kills).items():
        print(f"{name:>28}: {count}")
    print(f"{'seconds':>28}: {time.perf_counter() - started:.0f}")
    print("no file was unreadable or mixed; every run that ended has the same bits")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
