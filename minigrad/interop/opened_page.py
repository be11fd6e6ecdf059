"""Writes the page of an opened file: its layers, and what they do on an input.

op = mg.interop.open("voice.onnx")
write_pages(op, layer_inputs(op, {"input": array, ...}), "voice")

Read next: `torch_diagnosis.py`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from minigrad.drawing import draw
from minigrad.engine.errors import ArgumentError
from minigrad.engine.tensor import Tensor
from minigrad.flow import comparison, figure_page, page_sections
from minigrad.flow.jacobians import jacobian_products
from minigrad.flow.ledgers import ledger
from minigrad.interop.layer_health import CellHealth, remarks
from minigrad.interop.opened_file import Opened, layer_line
from minigrad.interop.refusals import few
from minigrad.interop.unit_maps import unit_maps
from minigrad.pages.output_files import make_folder
from minigrad.pages.page import drawing as picture
from minigrad.reading.text import clean
from minigrad.stepping import steps as record_steps

DRAWN = 3  # steps in pictures and in the player
MOST_STEPS = 400  # in the maps of gates and units
MOST_PRODUCTS = 5 * 10**8  # steps times S**3, S = H or 2H: some ten seconds


class LayerInput(NamedTuple):
    """What one layer of a file is run on.

    x, states  as its model takes them: (T, B, D), and the initial state or None
    wanted     (T, B, directions*H), what the file's own code gave; None if not known
    lengths    (B,) or None
    """

    x: np.ndarray
    states: Any = None
    wanted: np.ndarray | None = None
    lengths: np.ndarray | None = None


def layer_inputs(op: Opened, given: Mapping[str, Any]) -> dict[str, LayerInput]:
    """The input of each layer, from arrays by name.

    given  for an ONNX file the arrays of its inputs; else {layer: x (T, B, D) or (T,
           D)}. One array named "" is for the one input or layer that it fits
    Raises ArgumentError for arrays that fit no layer.
    """
    if op.file is not None:
        if set(given) == {""} and len(op.inputs) == 1:
            given = {op.inputs[0].partition(":")[0]: given[""]}
        captured = op.capture(given)
        return {
            name: LayerInput(found[0], found[1], found[2], found.lengths)
            for name, found in captured.items()
        }
    found = {}
    for name, model in op.layers.items():
        array = given.get(name, given.get(""))
        if array is None:
            continue
        array = np.asarray(array)
        array = array[:, None] if array.ndim == 2 else array
        if array.ndim != 3 or array.shape[2] != model.input_size or not len(array):
            if name in given:
                raise _no_input(op, given)
            continue
        found[name] = LayerInput(array.astype(model.cells[0].dtype))
    if not found or set(given) - set(op.layers) - {""}:
        raise _no_input(op, given)
    return found


def _no_input(op: Opened, given: Mapping[str, Any]) -> ArgumentError:
    wanted = [f"{n} (T, B, {m.input_size})" for n, m in op.layers.items()]
    return ArgumentError(
        "open --input: the arrays do not fit the layers",
        expect=", ".join(wanted[:6]) or "a file with recurrent layers",
        actual=few(f"{name} {np.shape(array)}" for name, array in given.items()),
        hint="np.savez('input.npz', **{layer: x}), time first",
    )


def write_pages(
    op: Opened, inputs: Mapping[str, LayerInput], folder: str | os.PathLike[str]
) -> Path:
    """Write index.html into a folder, and beside it pictures and players to explore.

    inputs  {layer: LayerInput}; layers without one are listed with their weights alone
    Returns the path of index.html. Raises CheckpointError if it cannot be written.
    """
    place = Path(os.fspath(folder))
    make_folder(str(place))
    parts = [f"<h1>{escape(clean(op.path.name))}</h1>", _listing(op)]
    for number, (name, model) in enumerate(op.layers.items()):
        parts.append(f"<h2>{escape(clean(name, 100))}</h2>")
        parts.append(_health(op.health[name]))
        if name in inputs:
            parts.append(_run(model, inputs[name], place, f"layer{number}"))
        else:
            parts.append("<p>It was given no input, so only its weights are shown.</p>")
    return figure_page.write_page(
        place / "index.html", f"minigrad open {op.path.name}", "\n".join(parts)
    )


def _listing(op: Opened) -> str:
    lines = {name: layer_line(model) for name, model in op.layers.items()}
    lines |= {name: f"not opened. {why}" for name, why in op.refused.items()}
    items = "".join(
        f"<li><b>{escape(clean(name, 100))}</b>: {escape(clean(line, 400))}</li>"
        for name, line in lines.items()
    )
    notes = "".join(f"<p>{escape(clean(note, 400))}</p>" for note in op.notes)
    kind = f"<p>A file of weights: {escape(op.kind)}. Nothing of it was run"
    kind += " except in onnxruntime.</p>" if op.file is not None else ".</p>"
    return f"{kind}<p>Recurrent layers:</p><ul>{items}</ul>{notes}"


def _health(found: list[CellHealth]) -> str:
    """The table of what the weights say, and what stands out."""
    rows = []
    for cell in found:
        for gate, radius in cell.radius.items():
            share = cell.saturated.get(gate)
            rows.append(
                [
                    cell.where,
                    gate,
                    f"{radius:.3g}",
                    "" if share is None else f"{share:.0%}",
                    f"{cell.forget_bias:+.2f}, half of the state after "
                    f"{cell.memory:.1f} steps"
                    if cell.forget_bias is not None and gate in "fz"
                    else "",
                ]
            )
    head = [
        "cell",
        "gate",
        "spectral radius of its W_h",
        "biases beyond 4",
        "mean bias of what keeps the state",
    ]
    good = "Nothing stands out in the weights."
    said = figure_page.warning_list(remarks(found), good)
    return figure_page.table(head, rows) + said


def _run(model: Any, given: LayerInput, folder: Path, label: str) -> str:
    """What one layer does on its input, as HTML."""
    x = given.x[:MOST_STEPS]
    states, lengths = given.states, given.lengths
    if lengths is not None:
        lengths = np.minimum(lengths, len(x))
    trace = model.trace(x, states, lengths=lengths)
    parts = [_difference(trace, given)]
    ways = 2 if model.bidirectional else 1
    for k in range(len(model.cells)):
        loop = trace.layer(k)
        title = f"layer {k // ways}" + ", reverse" * (ways == 2 and k % 2)
        parts.append(f"<h3>Gates and states: {title}</h3>")
        parts.append(page_sections.gates(title, loop, None, 0))
        parts.append(
            figure_page.figure(
                unit_maps(loop),
                f"All units of {title}",
                "Each row is one unit. All panels have the same order: by the unit's "
                "last state.",
            )
        )
    parts.append(_flow(model, given))
    parts.append(_looks(model, given, folder, label))
    return "\n".join(parts)


def _difference(trace: Any, given: LayerInput) -> str:
    steps, batch = trace.output.shape[:2]
    text = f"It read {steps} steps of {batch} sequence" + "s" * (batch != 1) + "."
    if len(given.x) > steps:
        text += f" The file's input has {len(given.x)}; the first {steps} are shown."
    if given.wanted is not None:
        wanted = given.wanted[:steps]
        far = float(np.abs(trace.output.data - wanted).max())
        size = float(np.abs(wanted).max())
        text += (
            f" The largest difference between our outputs and the file's is {far:.1e}; "
            f"the largest output is {size:.2f}."
        )
    return f"<p>{text}</p>"


def _flow(model: Any, given: LayerInput) -> str:
    """How gradients travel through the loop of each cell."""
    states = model.hidden_size * len(model.cells[0].states)
    steps = min(len(given.x), MOST_PRODUCTS // states**3, 100)
    if steps < 2:
        return (
            "<p>The gradient flow is shown for two steps or more, and for up to some "
            "300 units.</p>"
        )
    trace = model.trace(given.x[:steps], given.states)
    losses = (trace.output * trace.output).mean(axis=(1, 2))
    names = [f"cell {k}" for k in range(len(model.cells))]
    products = {n: jacobian_products(trace, 0, k) for k, n in enumerate(names)}
    ledgers = {"": ledger(losses, [cell.W_h for cell in model.cells])}
    caption = (
        "The largest factor by which a gradient is multiplied on its way back over so "
        "many steps, along one sequence."
    )
    said = "".join(f"<li>{escape(_reach(n, products[n]))}</li>" for n in names)
    return (
        f"<h3>Gradient flow</h3><p>Over the first {steps} steps.</p><ul>{said}</ul>"
        + page_sections.distances(products, "spectral norm of $ds_T/ds_k$", caption)
        + page_sections.fans(products)
        + page_sections.ways(products)
        + page_sections.heats(ledgers)
    )


def _reach(name: str, products: Any) -> str:
    measured = comparison.Measured(None, products, None)  # type: ignore[arg-type]
    return comparison.verdict(name, measured)


def _looks(model: Any, given: LayerInput, folder: Path, label: str) -> str:
    """The picture and the player of the first steps, as files beside the page."""
    x = Tensor(given.x[:DRAWN, :1], name="x")
    states = _first(given.states)
    output, _ = model(x, states)
    loss = (output * output).mean()
    drawing = draw(loss, level="gate", values="mean")
    drawing.save(folder / f"{label}-graph.html")
    record_steps(loss).save(folder / f"{label}-player.html")
    count = min(len(given.x), DRAWN)
    about = f"The network over {count} steps"
    return (
        f"<h3>The graph of {count} steps</h3>"
        f"<figure>{picture(drawing, about, fit=False)}<figcaption>Each gate is a "
        "box with its mean value. Scroll sideways to see the other steps. In "
        f'<a href="{label}-graph.html">{label}-graph.html</a> you can zoom and search; '
        f'<a href="{label}-player.html">{label}-player.html</a> plays every operation, '
        "forward and backward. The loss is the mean of the squared outputs."
        "</figcaption></figure>"
    )


def _first(states: Any) -> Any:
    """The initial state of the first sequence."""
    parts = states if isinstance(states, tuple) else (states,)
    if states is None or not any(np.any(part) for part in parts):
        return None  # zeros: a picture without them is easier to read
    if isinstance(states, tuple):
        return tuple([np.ascontiguousarray(part[:, :1]) for part in states])
    return np.ascontiguousarray(states[:, :1])
