"""ONNX's own tests of its nodes RNN, LSTM and GRU: read, run here, compared."""

import importlib
import warnings

import numpy as np
import pytest

import minigrad as mg

onnx = pytest.importorskip("onnx", reason="needs onnx")
KINDS = ("RNN", "LSTM", "GRU")


def cases():
    """{name: test case} of the three nodes, as the package of ONNX makes them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its own
        node = importlib.import_module("onnx.backend.test.case.node")
        for kind in KINDS:
            importlib.import_module(f"{node.__name__}.{kind.lower()}")
        found = node._NodeTestCases
    return {
        f"{case.model.graph.node[0].op_type} {case.name}": case
        for case in found
        if case.model.graph.node[0].op_type in KINDS
    }


def test_the_cases_of_onnx(proof, tmp_path):
    """Weights, which are inputs there, become constants of the file."""
    row = proof("other libraries", "ONNX's node tests", 1e-5, "absolute")
    kinds = set()
    for name, case in cases().items():
        model, node = case.model, case.model.graph.node[0]
        kinds.add(node.op_type)
        (given, expected), *_ = case.data_sets
        inputs = dict(zip([n for n in node.input if n], given, strict=True))
        outputs = dict(zip([n for n in node.output if n], expected, strict=True))
        for place, weight in enumerate(node.input):
            if weight and place in (1, 2, 3, 7):
                array = onnx.numpy_helper.from_array(inputs[weight], weight)
                model.graph.initializer.append(array)
        path = tmp_path / "case.onnx"
        onnx.save(model, path)
        network = mg.interop.from_onnx(path)
        places = list(node.input) + [""] * 8
        lengths = inputs.get(places[4])
        states = [inputs[places[k]] for k in (5, 6) if places[k]]
        x = inputs[places[0]]
        if network.batch_first:
            states = [s.swapaxes(0, 1) for s in states]
        state = None if not states else tuple(states) if len(states) > 1 else states[0]
        output, ends = network(x, state, lengths=lengths)
        ends = ends if isinstance(ends, tuple) else (ends,)
        names = list(node.output) + [""] * 3
        ways = 2 if network.bidirectional else 1
        for place, ours in enumerate([output, *ends]):
            if not names[place]:
                continue
            theirs, ours = outputs[names[place]], ours.data
            if place == 0:  # (T, ways, B, H), or (B, T, ways, H)
                if network.batch_first:
                    ours = ours.reshape(*ours.shape[:2], ways, -1)
                else:
                    ours = ours.reshape(*ours.shape[:2], ways, -1).swapaxes(1, 2)
            elif network.batch_first:
                ours = ours.swapaxes(0, 1)
            same = ours.shape == theirs.shape
            far = float(np.abs(ours - theirs).max()) if same else np.nan
            row.measure(far, f"{name}: {names[place]}, {ours.shape}, {theirs.shape}")
    assert kinds == set(KINDS)
