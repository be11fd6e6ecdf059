"""`python -m benchmarks [NAME ...]`: run benchmarks by name, or all of them."""

import importlib
import sys

NAMES = ("elementwise", "cells", "imports", "drawing")


def main(names):
    for name in names or NAMES:
        importlib.import_module(f"benchmarks.bench_{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
