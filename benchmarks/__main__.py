"""`python -m benchmarks [NAME ...]`: run benchmarks by name, or all that are quick.

By name only, as they take long: `tasks` (each task with five seeds), `lab` (the
papers' experiments), `kills` (a hundred killed training runs), `accuracy` and `speed`
(they write pages of the documentation). `minigrad bench` times the training step of a
cell beside other libraries.
Whether mistakes are noticed by the tests says `python -m benchmarks.bench_mutations`;
whether their order matters, `python -m benchmarks.bench_orders`.
"""

import importlib
import sys

NAMES = ("elementwise", "imports", "drawing", "flow", "training")


def main(names):
    for name in names or NAMES:
        importlib.import_module(f"benchmarks.bench_{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
