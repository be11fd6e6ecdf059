"""Examples that cannot run by themselves, run in the place that they are written for.

These are the blocks of CONTRIBUTING.md, which are parts of files, the block of
docs/your-data.rst, which reads a reader's files, and the examples of docstrings, which
use a model, an optimiser or a loss that the reader has.
"""

import ast
import contextlib
import importlib.util
import io

import numpy as np
import pytest
from primitives import cases
from tasks.tasks_rows import rows_of
from test_documented_examples import (
    ROOT,
    attributes,
    docstrings,
    examples,
    python_blocks,
)

import minigrad as mg
from minigrad import tasks
from minigrad.engine.primitives import TABLE, elementwise
from minigrad.flow import page_sections
from minigrad.models import LSTM


def blocks(page):
    """The Python blocks of a page, as they are written."""
    found = (one.parsed for one in python_blocks(ROOT / page))
    return [text for text in found if isinstance(text, str)]


def load(path, text):
    """A module of this text."""
    path.write_text(text, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def part(start):
    """The block of CONTRIBUTING.md that begins like this."""
    (found,) = (b for b in blocks("CONTRIBUTING.md") if b.startswith(start))
    return found


def test_the_primitive_that_is_added(tmp_path, monkeypatch):
    head = "import numpy as np\n"
    head += "from minigrad.engine.primitives.fused import elementwise\n\n"
    try:
        made = load(tmp_path / "one_more.py", head + part("@elementwise"))
        monkeypatch.setattr(elementwise, "reciprocal", made.reciprocal, raising=False)
        (case,) = eval(part("(Case("), vars(cases))
        (x,) = case.inputs(np.random.default_rng(0))
        assert np.array_equal(case.function(mg.tensor(x)).data, case.numpy(x))
        leaf = mg.tensor(x, requires_grad=True)
        mg.gradcheck(case.function, [leaf])
    finally:
        TABLE.pop("reciprocal", None)


def test_the_cell_that_is_added(tmp_path, monkeypatch):
    text = part('"""The minimal gated unit').replace(
        "from .cell import", "from minigrad.models.cell import"
    )
    made = load(tmp_path / "mgu.py", text)
    monkeypatch.setattr("minigrad.models.MGUCell", made.MGUCell, raising=False)
    monkeypatch.chdir(tmp_path)
    exec(part("import numpy as np\nimport minigrad as mg\nfrom minigrad.models"), {})
    assert (tmp_path / "mgu.svg").read_bytes()


def test_the_block_that_is_added_to_a_page():
    names = dict(vars(page_sections))
    exec(part("def lengths(d: Any)"), names)
    output, _ = LSTM(2, 3, rng=0)(np.ones((7, 1, 2)))
    assert ">7<" in names["lengths"](mg.diagnose((output**2).sum()))


@pytest.mark.slow
def test_a_reader_s_own_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("station.csv", "other.csv"):
        (tmp_path / name).write_text("\n".join(rows_of()) + "\n")
    train = tasks.train
    quick = {"epochs": 1, "days": 7, "hidden": 3, "page": False}

    def shortened(name, **options):
        more = {} if "start" in options else quick
        return train(name, **{"epochs": 1, "page": False} | more | options)

    monkeypatch.setattr("minigrad.tasks.train", shortened)
    (block,) = blocks("docs/your-data.rst")
    with contextlib.redirect_stdout(io.StringIO()):
        exec(block, {})
    assert list((tmp_path / "tuned").glob("*.safetensors"))


# ------------------------------------------------------------- docstrings

# Not to be run: what shows an error, and what stands for a reader's own text.
SHOWN_ONLY = {"calls.py": "an error", "monitor.py": "a trainer with ... in it"}


def distance(cell, T):
    """A function to explore: what is left of a gradient after T steps."""
    model = {"rnn": mg.models.RNN, "lstm": LSTM}[cell](1, 2, rng=0)
    x = mg.tensor(np.ones((T, 1, 1)), requires_grad=True)
    return mg.grad(model(x)[0][-1].sum(), [x])[0][0].sum()


def world():
    """What a docstring takes for granted."""
    model = LSTM(2, 3, rng=0)
    made = {"model": model, "optimizer": mg.optim.Adam(model.parameters())}
    made |= {"mg": mg, "loss": (model(np.ones((4, 1, 2)))[0] ** 2).sum()}
    made |= {"gradient_by_distance": distance, "step": lambda x: (x * x).sum()}
    return made | {"Module": mg.nn.Module, "Linear": mg.nn.Linear}


def runnable(tree):
    """Without `loss = ...`: a value that the reader has."""
    tree.body = [
        line
        for line in tree.body
        if not (
            isinstance(line, ast.Assign)
            and isinstance(line.value, ast.Constant)
            and line.value.value is ...
        )
    ]
    return tree


FOUND = [
    pytest.param(place, tree, id=place)
    for place, docstring in docstrings()
    for tree in examples(docstring)
    if any(attributes(tree))
]


@pytest.mark.parametrize(("place", "tree"), FOUND)
def test_the_example_of_a_docstring_runs(place, tree, tmp_path, monkeypatch):
    if place.partition(":")[0] in SHOWN_ONLY:
        return
    monkeypatch.chdir(tmp_path)
    names = world()
    if place.startswith("torch_modules"):
        torch = pytest.importorskip("torch", reason="needs torch")
        module = torch.nn.LSTM(2, 3)
        encoder = {f"encoder.lstm.{k}": v for k, v in module.state_dict().items()}
        names |= {"module": module, "state": encoder}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(compile(runnable(tree), place, "exec"), names)


def test_the_examples_of_docstrings_are_found():
    assert len(FOUND) >= 12
    assert set(SHOWN_ONLY) <= {one.id.partition(":")[0] for one in FOUND}
