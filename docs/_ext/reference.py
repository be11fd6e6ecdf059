"""The reference: every public name with its docstring, and every command's help.

Docstrings here are aligned plain text, not reStructuredText: their first paragraph
becomes text, the rest stands as it was written. A new name of a package's `__all__`
appears by itself.
"""

import argparse
import importlib
import inspect
import re
import textwrap
from pathlib import Path

from minigrad.engine.array_methods import ArrayMethods
from minigrad.engine.tensor import Tensor

MODULES = (
    "minigrad",
    "models",
    "minigrad.nn",
    "minigrad.optim",
    "minigrad.losses",
    "minigrad.data",
    "minigrad.exploring",
    "minigrad.errors",
    "minigrad.interop",
)
GROUPS = {  # which of minigrad's own names stand together, by where they are made
    "Tensors": r"engine\.(tensor|array_methods|creation)",
    "Operations": r"engine\.(primitives.*|functions)",
    "Derivatives": r"engine\.autodiff|reading\.(replay|gradcheck)",
    "Names for readers, and what is recorded": r"engine\.scope",
    "Training": r"nn\.clip|engine\.random|training.*",
    "Looking": r".*",
}
HIDDEN = re.compile(r"_(?!_call__)")


def public(module):
    """The public names of a module, and what they stand for; no modules."""
    names = getattr(module, "__all__", None) or [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and getattr(value, "__module__", "") == module.__name__
    ]
    found = {name: getattr(module, name) for name in names}
    return {k: v for k, v in found.items() if not inspect.ismodule(v) and callable(v)}


def signature(value):
    """Names and defaults of its arguments, without types."""
    try:
        found = inspect.signature(value)
    except (TypeError, ValueError):
        return "(...)"
    plain = [p.replace(annotation=p.empty) for p in found.parameters.values()]
    return str(found.replace(parameters=plain, return_annotation=found.empty))


def paragraphs(text, indent):
    """A docstring as reStructuredText, indented."""
    first, _, rest = inspect.cleandoc(text or "").partition("\n\n")
    first = re.sub(r"`+([^`]+)`+", r"``\1``", re.sub(r"([*|\\])", r"\\\1", first))
    first = re.sub(r"(\w)_(?=\W|$)", r"\1\\_", re.sub(r"``[^`]*``|[^`]+", _kept, first))
    lines = [" ".join(first.split()), ""]
    if rest.strip():
        lines += [
            ".. code-block:: text",
            "",
            *textwrap.indent(rest, "    ").splitlines(),
            "",
        ]
    return [f"{indent}{line}".rstrip() for line in lines]


def _kept(match):
    """Code keeps its characters, text its escapes."""
    found = match[0]
    return re.sub(r"\\([*|\\])", r"\1", found) if found.startswith("``") else found


def entry(name, value):
    """One public name."""
    kind = "class" if inspect.isclass(value) else "function"
    lines = [f".. py:{kind}:: {name}{signature(value)}", ""]
    lines += paragraphs(value.__doc__, "    ")
    if kind == "class":
        for member, thing in members(value).items():
            if HIDDEN.match(member) or not inspect.getdoc(thing):
                continue
            if isinstance(thing, property) or not callable(thing):
                if isinstance(thing, property) or hasattr(thing, "func"):
                    lines += [f"    .. py:property:: {member}", ""]
                else:
                    continue
            else:
                args = re.sub(r"\((self|cls)(, )?", "(", signature(thing))
                lines += [f"    .. py:method:: {member}{args}", ""]
            lines += paragraphs(inspect.getdoc(thing), "        ")
    return lines


def members(value):
    """What a class offers of its own; for a tensor, NumPy's methods too."""
    return {**vars(value), **(vars(ArrayMethods) if value is Tensor else {})}


def heading(text, mark):
    return [text, mark * len(text), ""]


def grouped(names):
    """minigrad's own names, by what they are for."""
    left = dict(names)
    for title, pattern in GROUPS.items():
        mine = {}
        for name, value in left.items():
            place = getattr(value, "__module__", "").removeprefix("minigrad.")
            if re.fullmatch(pattern, place):
                mine[name] = value
        for name in mine:
            del left[name]
        yield title, mine


def page(module, name=""):
    """The page of one module, under its public name."""
    name = name or module.__name__
    lines = heading(name, "=")
    lines += paragraphs(module.__doc__, "")
    lines += [f".. py:module:: {name}", ""]
    names = public(module)
    if module.__name__ != "minigrad":
        for name, value in names.items():
            lines += entry(name, value)
        return "\n".join(lines) + "\n"
    for title, mine in grouped(names):
        lines += heading(title, "-")
        for name, value in mine.items():
            lines += entry(name, value)
    return "\n".join(lines) + "\n"


def commands():
    """The page of the command line: each command's own help."""
    from minigrad.commands.main import COMMANDS

    lines = heading("The command line", "=")
    lines += [
        "Each command is a thin shell around calls that anyone can make from Python. "
        "From a fresh copy, ``python3 run.py minigrad COMMAND`` sets everything up "
        "first.",
        "",
    ]
    for name, place in sorted(COMMANDS.items()):
        module = importlib.import_module(place)
        parser = argparse.ArgumentParser(
            prog=f"minigrad {name}",
            description=module.HELP,
            formatter_class=lambda prog: argparse.HelpFormatter(prog, width=78),
        )
        module.arguments(parser)
        lines += heading(f"minigrad {name}", "-")
        lines += [f"For example ``{module.EXAMPLE}``.", "", ".. code-block:: text", ""]
        lines += [*textwrap.indent(parser.format_help(), "    ").splitlines(), ""]
    return "\n".join(lines) + "\n"


def write(app):
    folder = Path(app.srcdir) / "generated" / "reference"
    folder.mkdir(parents=True, exist_ok=True)
    pages = {name: page(importlib.import_module(name), name) for name in MODULES}
    pages["commands"] = commands()
    for path in folder.glob("*.rst"):
        if path.stem not in pages:
            path.unlink()
    for name, text in pages.items():
        path = folder / f"{name}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")


def setup(app):
    app.connect("builder-inited", write, priority=100)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
