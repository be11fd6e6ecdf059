"""Truncated and forged files of every kind: a clear error, nothing run or allocated."""

import os
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from minigrad.errors import CheckpointError, MinigradError

import minigrad as mg
from minigrad.models import LSTM


@pytest.fixture
def lstm(rng):
    return LSTM(3, 4, dtype="float32", rng=rng)


def refused(path, match="", error=CheckpointError, most=20 << 20):
    """Opening raises one error of ours, and allocates little."""
    tracemalloc.start()
    try:
        with pytest.raises(error) as found:
            mg.interop.open(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert match in str(found.value), str(found.value)
    assert "hint" in str(found.value)
    assert peak < most


def cut_and_changed(content, path, rng, count=60):
    """The same file cut at many places, and with bytes changed: opened or refused."""
    for k in range(count):
        if k % 2:
            part = content[: rng.integers(0, len(content))]
        else:
            part = bytearray(content)
            for at in rng.integers(0, len(content), size=1 + k // 6):
                part[at] = rng.integers(0, 256)
        path.write_bytes(bytes(part))
        try:
            op = mg.interop.open(path)
            assert k % 2 == 0 or len(part) == len(content) or not op.layers, len(part)
        except MinigradError:
            pass


def test_files_that_are_nothing(tmp_path):
    refused(tmp_path / "none.onnx", "check the path")
    refused(tmp_path, "check the path")
    for name in ("a.onnx", "a.npz", "a.h5", "a.keras", "a.pt", "a.safetensors", "a"):
        for content in (b"", b"hello, this is text", bytes(200), b"PK\x03\x04junk"):
            (tmp_path / name).write_bytes(content)
            refused(tmp_path / name)


# ------------------------------------------------------------- .npz


def npz(path, header, content, **more):
    """An archive of one .npy member with a header of one's own."""
    text = repr(header).encode() if isinstance(header, dict) else header
    text += b" " * (-(len(text) + 11) % 64) + b"\n"
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content
    with zipfile.ZipFile(path, "w", **more) as archive:
        archive.writestr("weight_ih_l0.npy", member)


def test_npz_headers_that_lie(tmp_path):
    path = tmp_path / "a.npz"
    for shape in [(5 * 10**9,), (10**12, 10**12), (2,), (-3, 2)]:
        npz(path, {"descr": "<f4", "fortran_order": False, "shape": shape}, bytes(64))
        refused(path, "weight_ih_l0.npy")
    npz(path, {"descr": "|O", "fortran_order": False, "shape": (1,)}, pickle.dumps([1]))
    refused(path, "objects")
    npz(path, b"__import__('os').getcwd()", bytes(64))
    refused(path)
    npz(path, b"(" * 5000, bytes(64))
    refused(path)


def test_an_archive_that_unpacks_to_more_than_it_has(tmp_path):
    header = {"descr": "<f4", "fortran_order": False, "shape": (10 << 20,)}
    npz(tmp_path / "a.npz", header, bytes(40 << 20),
        compression=zipfile.ZIP_DEFLATED)  # fmt: skip
    assert os.path.getsize(tmp_path / "a.npz") < 1 << 20
    refused(tmp_path / "a.npz", "claim to hold")


def test_npz_cut_and_changed(lstm, tmp_path, rng):
    np.savez(tmp_path / "a.npz", **mg.interop.to_torch_state_dict(lstm))
    content = (tmp_path / "a.npz").read_bytes()
    cut_and_changed(content, tmp_path / "b.npz", rng)


# ------------------------------------------------------------- safetensors


def test_safetensors_with_a_long_header(lstm, tmp_path, rng):
    path = tmp_path / "a.safetensors"
    path.write_bytes(struct.pack("<Q", 10**10) + b'{"a": 1}' + bytes(100))
    refused(path)
    header = (
        b'{"weight_ih_l0":{"dtype":"F32","shape":[99999999999],"data_offsets":[0,4]}}'
    )
    path.write_bytes(struct.pack("<Q", len(header)) + header + bytes(4))
    refused(path)
    mg.save(path, mg.interop.to_torch_state_dict(lstm))
    cut_and_changed(path.read_bytes(), path, rng)


# ------------------------------------------------------------- PyTorch


class Harm:
    """Unpickled, it would write a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def torch():
    return pytest.importorskip("torch", reason="needs torch")


def test_nothing_in_a_pytorch_file_is_run(torch, tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"weight_ih_l0": Harm(tmp_path / "ran")}, path)
    refused(path, "UnpicklingError")
    torch.save(torch.nn.LSTM(2, 3), path)
    refused(path, "state_dict")
    path.write_bytes(pickle.dumps(Harm(tmp_path / "ran")))
    refused(path, "may run code")
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    refused(path, "since version 1.6")
    assert not (tmp_path / "ran").exists()


def test_a_script_is_said_to_be_one(torch, tmp_path):
    path = tmp_path / "a.pt"
    with pytest.warns(DeprecationWarning):
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)
    refused(path, "TorchScript")


def test_a_tensor_larger_than_its_file(torch, tmp_path):
    path = tmp_path / "a.pt"
    torch.save({"weight_ih_l0": torch.ones(1).expand(4 * 10**9)}, path)
    refused(path, "tensors that the file holds in full")


def test_a_pytorch_file_cut_and_changed(torch, lstm, tmp_path, rng):
    arrays = mg.interop.to_torch_state_dict(lstm)
    torch.save({k: torch.tensor(v) for k, v in arrays.items()}, tmp_path / "a.pt")
    content = (tmp_path / "a.pt").read_bytes()
    cut_and_changed(content, tmp_path / "b.pt", rng, 30)


# ------------------------------------------------------------- HDF5


@pytest.fixture
def h5py():
    return pytest.importorskip("h5py", reason="needs h5py")


def keras_h5(h5py, path, lstm):
    names = ("kernel", "recurrent_kernel", "bias")
    with h5py.File(path, "w") as file:
        group = file.create_group("reader/lstm_cell")
        for name, array in zip(names, mg.interop.to_keras_weights(lstm), strict=True):
            group[name] = array


def test_hdf5_that_claims_more_than_it_has(h5py, lstm, tmp_path):
    path = tmp_path / "a.h5"
    keras_h5(h5py, path, lstm)
    assert list(mg.interop.open(path).layers) == ["reader"]
    for more in ({}, {"chunks": (1024,)}, {"chunks": (1024,), "compression": "gzip"}):
        with h5py.File(path, "w") as file:
            file.create_dataset("lstm/kernel", (5 * 10**9,), "f4", **more)
        refused(path, "kernel")
    with h5py.File(path, "w") as file:
        file.create_dataset("a/kernel", data=np.zeros(10**7, "f4"),
                            chunks=(10**6,), compression="gzip")  # fmt: skip
    refused(path, "kernel")


def test_hdf5_that_points_elsewhere(h5py, lstm, tmp_path):
    keras_h5(h5py, tmp_path / "other.h5", lstm)
    (tmp_path / "secret").write_bytes(bytes(400))
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["reader"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/reader")
    refused(path, "link")
    with h5py.File(path, "w") as file:
        file["a"] = h5py.SoftLink("/nowhere")
    refused(path, "link")
    with h5py.File(path, "w") as file:
        file.create_dataset("a/kernel", (100,), "f4", external=[
            (str(tmp_path / "secret"), 0, h5py.h5f.UNLIMITED)])  # fmt: skip
    refused(path, "kernel")
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout((10,), "f4")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "reader", (10,))
        file.create_virtual_dataset("a/kernel", layout)
    refused(path, "kernel")
    with h5py.File(path, "w") as file:  # a circle of groups is read once
        group = file.create_group("a")
        group["again"] = file["/"]
    assert mg.interop.open(path).layers == {}


def test_hdf5_cut_and_changed(h5py, lstm, tmp_path, rng):
    keras_h5(h5py, tmp_path / "a.h5", lstm)
    cut_and_changed((tmp_path / "a.h5").read_bytes(), tmp_path / "b.h5", rng)


def test_a_keras_archive_that_is_not_whole(h5py, lstm, tmp_path):
    keras_h5(h5py, tmp_path / "a.h5", lstm)
    weights = (tmp_path / "a.h5").read_bytes()
    path = tmp_path / "a.keras"
    deep = b'{"a":' * 100_000
    for config in (None, b"no JSON", deep, b"[1, 2", b'{"config": 3}'):
        with zipfile.ZipFile(path, "w") as archive:
            if config is not None:
                archive.writestr("config.json", config)
            archive.writestr("model.weights.h5", weights)
        if config == b'{"config": 3}':
            assert list(mg.interop.open(path).layers) == ["reader"]
        else:
            refused(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "{}" + " " * 10**8)
        archive.writestr("model.weights.h5", weights)
    refused(path, "claim to hold")


# ------------------------------------------------------------- ONNX


@pytest.fixture
def onnx():
    return pytest.importorskip("onnx", reason="needs onnx")


@pytest.fixture
def model(onnx, lstm, tmp_path):
    """An ONNX model, to be forged; and where to save it."""
    mg.interop.to_onnx(lstm, tmp_path / "good.onnx")
    return onnx.load(tmp_path / "good.onnx"), tmp_path / "bad.onnx"


def test_onnx_from_a_newer_world(onnx, model):
    made, path = model
    made.opset_import[0].version = 999
    onnx.save(made, path)
    refused(path, "opset 999")
    del made.opset_import[:]
    onnx.save(made, path)
    refused(path, "opset 0")


def test_onnx_graphs_that_cannot_run(onnx, model):
    made, path = model
    node = next(n for n in made.graph.node if n.op_type == "LSTM")
    first = node.input[0]
    node.input[0] = node.output[0]
    onnx.save(made, path)
    refused(path, "a cycle")
    node.input[0] = "nobody makes this"
    onnx.save(made, path)
    refused(path, "made nowhere")
    node.input[0] = first
    made.graph.node.append(node)
    onnx.save(made, path)
    refused(path, "made twice")


def test_a_circle_within_a_branch(onnx, model):
    """Nodes that only move numbers are followed: that has to end."""
    made, path = model
    helper = onnx.helper
    inner = helper.make_graph(
        [
            helper.make_node("Identity", ["b"], ["a"]),
            helper.make_node("Identity", ["a"], ["b"]),
            helper.make_node("LSTM", ["x", "a", "b"], ["y"], hidden_size=4),
        ],
        "inner", [], [onnx.ValueInfoProto(name="y")],
    )  # fmt: skip
    made.graph.node.append(helper.make_node("If", ["x"], ["z"], then_branch=inner))
    onnx.save(made, path)
    refused(path, "a cycle")


def test_constants_that_grow(onnx, model):
    made, path = model
    node = next(n for n in made.graph.node if n.op_type == "LSTM")
    helper, name = onnx.helper, node.input[1]
    doubled = [
        helper.make_node("Concat", [name] * 2, ["grown0"], axis=0),
        *[
            helper.make_node("Concat", [f"grown{k}"] * 2, [f"grown{k + 1}"], axis=0)
            for k in range(40)
        ],
    ]
    node.input[1] = "grown40"
    nodes = [*doubled, *made.graph.node]
    del made.graph.node[:]
    made.graph.node.extend(nodes)
    onnx.save(made, path)
    assert "bytes of constants" in next(iter(mg.interop.open(path).refused.values()))
    with pytest.raises(CheckpointError, match="bytes of constants"):
        mg.interop.from_onnx(path)


def weight(made, letter="W"):
    return next(t for t in made.graph.initializer if t.name.endswith(f".{letter}"))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda t: t.dims.append(10**10), "values"),
        (lambda t: t.dims.__setitem__(1, -1), "[1, -1, 3]"),
        (lambda t: setattr(t, "raw_data", t.raw_data[:-1]), "values"),
        (lambda t: setattr(t, "data_type", 77), "type 77"),
        (lambda t: setattr(t, "data_type", 10), "values"),
        (lambda t: t.ClearField("raw_data"), "values"),
    ],
)
def test_tensors_that_lie(onnx, model, change, said):
    made, path = model
    change(weight(made))
    onnx.save(made, path)
    op = mg.interop.open(path)
    assert op.layers == {} and said in next(iter(op.refused.values()))
    with pytest.raises(MinigradError):
        mg.interop.from_onnx(path)


def test_half_floats_are_called_by_name(onnx, model):
    made, path = model
    for letter in "WRB":
        tensor = weight(made, letter)
        array = onnx.numpy_helper.to_array(tensor).astype("float16")
        tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    onnx.save(made, path)
    op = mg.interop.open(path)
    assert "float16" in next(iter(op.refused.values()))
    assert "3 arrays of the file are half floats" in repr(op)


def outside(onnx, tensor, **entries):
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))


def test_data_beside_the_file(onnx, model, lstm):
    made, path = model
    tensor = weight(made)
    content = b"12345678" + tensor.raw_data
    (path.parent / "data").mkdir()
    (path.parent / "data" / "w.bin").write_bytes(content)
    outside(onnx, tensor, location="data/w.bin", offset=8)
    path.write_bytes(made.SerializeToString())
    back = mg.interop.from_onnx(path)
    assert np.array_equal(back.cells[0].W_x.data, lstm.cells[0].W_x.data)
    pytest.importorskip("onnxruntime", reason="needs onnxruntime")
    x, zeros = np.ones((2, 1, 3), "float32"), np.zeros((1, 1, 4), "float32")
    inputs = {"x": x, "h0": zeros, "c0": zeros, "lengths": np.array([2], "int32")}
    _, _, output = mg.interop.open(path).capture(inputs)["lstm_l0"]
    np.testing.assert_allclose(lstm(x)[0].data, output, atol=1e-6)
    (path.parent / "data" / "w.bin").write_bytes(content[:-1])
    with pytest.raises(CheckpointError, match="the file has"):
        mg.interop.from_onnx(path)


@pytest.mark.parametrize(
    "place", ["../w.bin", "/etc/passwd", "a/../../w.bin", "link.bin", "", "c:w", "\0"]
)
def test_data_outside_the_folder(onnx, model, place):
    made, path = model
    folder = path.parent / "inner"
    folder.mkdir()
    tensor = weight(made)
    (path.parent / "w.bin").write_bytes(tensor.raw_data)
    try:
        (folder / "link.bin").symlink_to(path.parent / "w.bin")
    except OSError:
        pytest.skip("only where links can be made")
    outside(onnx, tensor, location=place)
    (folder / "a.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(CheckpointError, match="own folder"):
        mg.interop.from_onnx(folder / "a.onnx")


@pytest.mark.parametrize(
    "entries", [{"offset": -5}, {"length": 10**12}, {"offset": "x"}]
)
def test_numbers_of_outside_data_that_lie(onnx, model, entries):
    made, path = model
    tensor = weight(made)
    (path.parent / "w.bin").write_bytes(tensor.raw_data)
    outside(onnx, tensor, location="w.bin", **entries)
    path.write_bytes(made.SerializeToString())
    with pytest.raises(CheckpointError, match=r"w\.bin"):
        mg.interop.from_onnx(path)


def test_onnx_cut_and_changed(onnx, lstm, tmp_path, rng):
    mg.interop.to_onnx(lstm, tmp_path / "a.onnx")
    content = (tmp_path / "a.onnx").read_bytes()
    cut_and_changed(content, tmp_path / "b.onnx", rng, 120)
    for size in (1, 10, len(content) // 2, len(content) - 1):
        (tmp_path / "b.onnx").write_bytes(content[:size])
        with pytest.raises(MinigradError):
            mg.interop.from_onnx(tmp_path / "b.onnx")


def test_a_file_that_cannot_be_written_leaves_nothing(onnx, lstm, tmp_path):
    with pytest.raises(CheckpointError):
        mg.interop.to_onnx(lstm, tmp_path / "none" / "a.onnx")
    assert list(tmp_path.iterdir()) == []
