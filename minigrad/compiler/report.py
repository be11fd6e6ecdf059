"""What the passes made of a program, in numbers and as a picture.

`compiled.explain()` prints it; `mg.draw(compiled)` draws the plan.

Read next: `pullback.py`.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any, NamedTuple

from minigrad.compiler.fuse import Unit
from minigrad.compiler.value_form import OUTSIDE, Val

_WORDS = {
    "lower": "equal and dead values gone, views and parts seen through",
    "hoist": "products with one common matrix as one product",
    "accumulate": "sums over steps of products as one product",
    "pack": "matrices that are often taken, laid out for it once",
    "transposes": "matrices that are often taken transposed, copied once",
}


PRODUCTS = ("dot", "packed_dot")


class Stage(NamedTuple):
    """A program after a pass.

    name, words  of the pass
    values       how many there are: views and numbers from outside are not counted
    elementwise, products, sums, others   how many of each
    flops        of the products: two for each multiplication and addition
    """

    name: str
    words: str
    values: int
    elementwise: int
    products: int
    sums: int
    others: int
    flops: int


class Report:
    """What became of one kind of calls: `print(compiled.explain())`.

    shapes    of the arguments
    recorded  operations that the trace wrote down
    stages    the counts after each pass
    kernels, distinct, products, calls   in a replay: rows of the plan that are fused
              kernels, and how many different ones; products; calls of Python
    memory, written   bytes: of the plan, and all that is written in a replay
    trouble   why there is no plan, in words; None if there is one
    """

    def __init__(self, shapes: str, program: Any, optimized: Any, trouble: Any) -> None:
        self.shapes, self.trouble = shapes, trouble
        self.recorded = program.recorded
        self.stages: list[Stage] = []
        self.kernels = self.distinct = self.products = self.calls = 0
        self.memory = self.written = self.flops = 0
        if optimized is not None:
            self.stages = list(optimized.stages)
            plan = optimized.plan
            self.products = plan.products
            self.kernels = len(plan.starts) - plan.others
            self.distinct, self.calls = len(plan.kernels), plan.calls
            self.memory, self.written = plan.memory.arena.nbytes, plan.memory.written
            self.flops = plan.flops

    def __str__(self) -> str:
        lines = [
            f"calls with {self.shapes}",
            f"  {self.recorded:,} recorded operations",
        ]
        if self.trouble or not self.stages:
            why = self.trouble or "kernels are off, or there is no numba"
            return "\n".join([*lines, f"  replayed one by one: {why}"])
        head = f"  {'pass':<12}{'values':>8}{'element':>9}{'product':>9}"
        lines.append(f"{head}{'sum':>6}{'other':>7}{'Mflop':>9}")
        for s in self.stages:
            row = f"  {s.name:<12}{s.values:>8,}{s.elementwise:>9,}{s.products:>9,}"
            row += f"{s.sums:>6,}{s.others:>7,}{s.flops / 1e6:>9,.1f}"
            lines.append(f"{row}   {s.words}")
        lines += [
            f"  {'fuse':<12}{self.kernels:,} kernels, {self.distinct} distinct; "
            f"{self.products:,} products; {self.calls:,} calls of Python",
            f"  {'plan':<12}{self.memory / 1e6:,.2f} MB of memory for "
            f"{self.written / 1e6:,.2f} MB that are written",
        ]
        return "\n".join(lines)

    __repr__ = __str__


class Explained(list[Any]):
    """Reports of all kinds of calls, printed one below the other."""

    def __str__(self) -> str:
        return "\n\n".join(map(str, self)) or "nothing has been called yet"

    __repr__ = __str__


def stage(name: str, order: list[Val]) -> Stage:
    """The counts of a program's values after a pass."""
    values = [v for v in order if v.op not in (*OUTSIDE, "view", "part")]
    counts = Counter(v.op for v in values)
    flops = sum([_flops(v) for v in values if v.op in PRODUCTS])
    products = sum([counts[op] for op in PRODUCTS])
    known = counts["elementwise"] + products + counts["sum"]
    return Stage(
        name,
        _WORDS.get(name, ""),
        len(values),
        counts["elementwise"],
        products,
        counts["sum"],
        len(values) - known,
        flops,
    )


def _flops(value: Val) -> int:
    return 2 * value.shape[0] * value.shape[1] * _inner(value)


def _inner(value: Val) -> int:
    """Over how many terms a product sums."""
    flip = value.op == "dot" and value.attrs[0]
    return value.args[0].shape[0 if flip else 1]


# ------------------------------------------------------------- the picture


FEW = 24  # units of which all are drawn
ENDS = 2  # steps that are drawn at the beginning and at the end, forward and back


def dot_text(units: list[Unit], program: Any) -> str:
    """The plan in Graphviz's language: products and calls as boxes, fused groups as
    boxes that list what they compute.

    Of many time steps the first and the last are drawn, and one box stands for those
    between them.
    """
    maker = {v: u for u in units for v in u.members}
    units = [u for u in units if u.op not in ("concat", "part")]
    box: dict[int, str] = {}  # the name of a unit's box, by its id
    lines = [
        "digraph plan {",
        '  rankdir=TB; node [shape=box, fontname="Helvetica", fontsize=10];',
        '  label="the plan of a compiled function"; labelloc=t; fontname="Helvetica";',
    ]
    between: list[Unit] = []
    hidden = _left_out(units)
    kinds = Counter((u.op, u.members[0].shape) for u in units)
    for k, unit in enumerate([*units, None]):
        if unit is not None and unit in hidden:
            between.append(unit)
            continue
        if between:
            lines.append(f"  u{k}m [{_box_between(between)}];")
            box.update({id(u): f"u{k}m" for u in between})
            between = []
        if unit is not None:
            alone = kinds[unit.op, unit.members[0].shape] == 1
            lines.append(f"  u{k} [{_box(unit, program, alone)}];")
            box[id(unit)] = f"u{k}"
    drawn: set[tuple[str, str]] = set()
    for unit in units:
        todo = [a.root for a in unit.inputs]
        while todo:
            root = todo.pop()
            found = maker.get(root)
            if found is None:
                continue
            if found.op in ("concat", "part"):
                todo += [a.root for a in root.args]
                continue
            ends = box[id(found)], box[id(unit)]
            if ends[0] != ends[1] and ends not in drawn:
                drawn.add(ends)
                lines.append(f"  {ends[0]} -> {ends[1]};")
    return "\n".join([*lines, "}", ""])


def _step_of(unit: Unit) -> int | None:
    """The time step that it belongs to, if it does to one."""
    return next((s.index for s in unit.members[0].scope if s.kind == "step"), None)


def _left_out(units: list[Unit]) -> set[Unit]:
    """The units in the middle of a long plan: whole time steps, if there are any."""
    if len(units) <= FEW:
        return set()
    steps: dict[bool, dict[int, None]] = {False: {}, True: {}}
    for unit in units:
        step = _step_of(unit)
        if step is not None:
            steps[unit.members[0].late][step] = None
    inner = {late: set(list(found)[ENDS:-ENDS]) for late, found in steps.items()}
    if not any(inner.values()):
        return set(units[FEW // 2 : len(units) - FEW // 2])
    return {
        u
        for u in units
        if u.op in ("kernel", *PRODUCTS) and _step_of(u) in inner[u.members[0].late]
    }


def _box_between(units: list[Unit]) -> str:
    """The box of what is not drawn one by one."""
    steps = [n for n in map(_step_of, units) if n is not None]
    kernels = sum(unit.op == "kernel" for unit in units)
    products = sum(unit.op in PRODUCTS for unit in units)
    others = len(units) - kernels - products
    parts = [(kernels, "kernels"), (products, "products"), (others, "others")]
    words = ", ".join(f"{n:,} {name}" for n, name in parts if n)
    label = f"{words} of the same kinds"
    if steps:
        label = f"steps {steps[0]} to {steps[-1]}\\n{label}"
    return f'label="{label}", style="dashed"'


def _box(unit: Unit, program: Any, alone: bool) -> str:
    """A unit's box; alone: it is the only one of its kind, and done for all steps."""
    value = unit.members[0]
    shape = " × ".join(map(str, value.shape)) or "one number"
    index = _step_of(unit)
    once = alone or unit.op == "packed"
    step = "" if index is None or once else f"step {index}, "
    if unit.op == "kernel":
        counts = Counter(v.attrs for v in unit.members)
        body = ", ".join(f"{n} {name}" if n > 1 else name for name, n in counts.items())
        label = f"{step}kernel, {shape}\\n{_wrapped(body)}"
        return f'label="{label}", style="filled", fillcolor="#e8eefc"'
    if unit.op in PRODUCTS:
        label = f"{step}product, {shape}, over {_inner(value)}"
        return f'label="{label}", style="filled", fillcolor="#fdeedd"'
    if unit.op == "outside":
        label = f"call of Python:\\n{_called(program.entries[value.attrs].function)}"
        return f'label="{label}"'
    name = value.attrs[0] if unit.op == "general" else unit.op
    if unit.op in ("packed", "transposed"):
        name = f"{name} matrix"
        shape = " × ".join(map(str, value.args[0].shape))
    return f'label="{step}{name}, {shape}"'


def _called(function: Any) -> str:
    """What a function of the library's belongs to: clip_grad_norm_, Adam."""
    while isinstance(function, partial):
        function = function.func
    name: str = getattr(function, "__qualname__", type(function).__qualname__)
    return name.partition(".<locals>")[0]


def _wrapped(text: str, width: int = 40) -> str:
    import textwrap

    return "\\n".join(textwrap.wrap(text, width))
