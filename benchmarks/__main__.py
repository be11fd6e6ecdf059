"""`python -m benchmarks [NAME ...]`: run benchmarks by name, or all that are quick.

By name only, as they take minutes: `tasks` (each task with five seeds), `kills` (a
hundred killed training runs), `accuracy` and `speed` (they write pages of the
documentation). The training step of a cell beside other libraries is `minigrad bench`.
"""

import importlib
import sys

NAMES = ("elementwise", "imports", "drawing", "flow", "training")


def main(names):
    for name in names or NAMES:
        importlib.import_module(f"benchmarks.bench_{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
