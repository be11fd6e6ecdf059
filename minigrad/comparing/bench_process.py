"""Runs a comparison in a process of its own, which has the number of threads asked for.

The number is fixed when NumPy and PyTorch are imported, so it is set in the environment
of a new process. That one writes a line of JSON for each thing it has to say.

Read next: `minigrad/commands/` (the command line).
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from typing import Any

from minigrad.comparing.growth import Grown, growth
from minigrad.comparing.same_step import Size
from minigrad.comparing.side_by_side import Case, Times, compare
from minigrad.engine.errors import ArgumentError

VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
NOT_MORE = (
    "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads={threads}"  # JAX
)


def in_a_process(
    asked: dict[str, Any],
    threads: int,
    tell: Callable[[str, float], None],
    most: float = math.inf,
) -> tuple[list[Case], list[Grown]]:
    """Compare as `asked`: kinds, sizes, seconds, rivals, growth (seconds for it), and
    perhaps processor: time its work instead of looking at the clock.

    tell  is told what runs now, and how much of the work is done (0 to 1)
    most  after so many seconds it ends with what there is
    Raises ArgumentError with the last lines of a process that failed.
    """
    environment = {**os.environ, **dict.fromkeys(VARIABLES, str(threads))}
    environment["XLA_FLAGS"] = NOT_MORE.format(threads=threads) if threads == 1 else ""
    with subprocess.Popen(
        [sys.executable, "-m", "minigrad.comparing.bench_process", json.dumps(asked)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        cases: list[Case] = []
        grown: list[Grown] = []
        end = threading.Timer(min(most, threading.TIMEOUT_MAX), process.terminate)
        end.start()
        total = len(asked["kinds"]) * len(asked["sizes"]) + 4 * bool(asked["growth"])
        try:
            for line in process.stdout:
                kind, value = json.loads(line)
                if kind == "case":
                    cases.append(_case(value))
                elif kind == "grown":
                    grown.append(Grown(**value))
                said = value if kind == "tell" else ""
                tell(said, (len(cases) + len(grown) / 2) / total)
        finally:
            ended = not end.is_alive()
            end.cancel()
            process.terminate()
        trouble = process.stderr.read()
    if not cases or (
        len(cases) < len(asked["kinds"]) * len(asked["sizes"]) and not ended
    ):
        raise ArgumentError(
            "bench: the measuring process ended before its time",
            expect="a case for each kind and size",
            actual=" / ".join(trouble.strip().split("\n")[-3:])[-300:],
            hint="fewer sizes need less memory: --size S",
        )
    return cases, grown


def _case(value: dict[str, Any]) -> Case:
    times = {name: Times(**t) for name, t in value["times"].items()}
    return Case(**{**value, "size": Size(*value["size"]), "times": times})


def main(words: Sequence[str]) -> None:
    """What the new process does."""
    from dataclasses import asdict

    def say(kind: str, value: Any) -> None:
        print(json.dumps([kind, value]), flush=True)

    asked = json.loads(words[0])
    _limit_torch()
    for case in compare(
        asked["kinds"],
        asked["sizes"],
        asked["seconds"],
        asked["rivals"],
        lambda text: say("tell", text),
        asked.get("processor", False),
    ):
        say("case", asdict(case))
    if asked["growth"]:
        say("tell", "longer and longer sequences")
        for row in growth(
            "LSTM", asked["growth"], processor=asked.get("processor", False)
        ):
            say("grown", asdict(row))


def _limit_torch() -> None:
    """PyTorch does not always read the environment."""
    import importlib.util

    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(int(os.environ[VARIABLES[0]]))


if __name__ == "__main__":
    main(sys.argv[1:])
