"""Every elementwise primitive and rule, (64, 512): kernels against NumPy's own text.

value  the primitive's choice against its scalar function evaluated by NumPy
rule   the fused rule against the same rule evaluated by NumPy; both at most about 1
"""

from benchmarks.timing import best_of, machine  # isort: skip (sets the threads)

import inspect

import numpy as np
from rich.console import Console
from rich.table import Table

from minigrad.engine.kernels import jit
from minigrad.engine.primitives import TABLE
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.quiet import quietly


def operands(primitive, dtype, rng):
    """Arrays in the domain of every primitive: in (0.2, 1.2)."""
    count = len(inspect.signature(primitive.scalar).parameters)
    arrays = [(rng.random((64, 512)) + 0.2).astype(dtype) for _ in range(count)]
    if primitive.name == "where":
        arrays[0] = arrays[0] > 0.7
    return arrays


def ratios(primitive, dtype, rng):
    """(value, rule) times as shares of NumPy's; rule None where there is none."""
    arrays = operands(primitive, dtype, rng)
    y = primitive.value(*arrays)
    calls = {
        "value": lambda: primitive.value(*arrays),
        "numpy value": lambda: primitive.scalar(*arrays),
    }
    if primitive.vjp is not None:
        g = rng.standard_normal((64, 512)).astype(dtype)
        needs = tuple(a.dtype != bool for a in arrays)

        def with_numpy():
            with jit.use_kernels(False):
                primitive.pull(needs, g, y, arrays, {})

        calls["rule"] = lambda: primitive.pull(needs, g, y, arrays, {})
        calls["numpy rule"] = with_numpy
    times = best_of(calls, seconds=0.6)
    rule = times["rule"] / times["numpy rule"] if "rule" in times else None
    return times["value"] / times["numpy value"], rule


def main():
    """Print the table."""
    rng = np.random.default_rng(0)
    table = Table(title="Time as a share of NumPy's, (64, 512)")
    for name in ("primitive", "value f4", "value f8", "rule f4", "rule f8"):
        table.add_column(name, justify="left" if name == "primitive" else "right")
    with quietly():
        for name, primitive in TABLE.items():
            if isinstance(primitive, Elementwise):
                single = ratios(primitive, "float32", rng)
                double = ratios(primitive, "float64", rng)
                cells = (single[0], double[0], single[1], double[1])
                table.add_row(name, *("" if c is None else f"{c:.2f}" for c in cells))
    console = Console(width=100)
    console.print(table)
    console.print(machine(), highlight=False)
