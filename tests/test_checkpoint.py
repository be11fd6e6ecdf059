"""mg.save and mg.load: round trips, atomicity, damaged and foreign files."""

import os
import pickle
import struct
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from hostile_checkpoints import DAMAGED, entry, file_of
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of
from safetensors.numpy import load_file, save_file

import minigrad as mg
from minigrad.engine.errors import CheckpointError, DTypeError
from minigrad.training.checkpoint import load

DTYPES = (
    "float64 float32 float16 int64 int32 int16 int8 uint64 uint32 uint16 uint8 bool"
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "saved.safetensors"


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


# round trips


@pytest.mark.parametrize("dtype", DTYPES.split())
@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (3,), (2, 3, 4)])
def test_round_trip(shape, dtype, path, rng):
    array = (100 * rng.random(shape)).astype(dtype)
    mg.save(path, {"x": array})
    loaded = mg.load(path)
    assert list(loaded) == ["x"]
    assert same(loaded["x"], array)
    assert loaded["x"].flags.writeable
    assert same(load_file(path)["x"], array)


@given(
    arrays_of.arrays(
        st.sampled_from(DTYPES.split()), arrays_of.array_shapes(min_dims=0, min_side=0)
    ),
    st.dictionaries(st.text(), st.text(), max_size=3),
    st.text(min_size=1).filter(lambda name: name != "__metadata__"),
)
def test_any_array_name_and_metadata(tmp_path_factory, array, metadata, name):
    path = tmp_path_factory.getbasetemp() / "any"
    mg.save(path, {name: array}, metadata)
    loaded = mg.load(path)
    assert same(loaded[name], array)
    assert loaded.metadata == metadata


@pytest.mark.parametrize(
    "turn",
    [
        lambda a: a.T,
        lambda a: a[::2, ::-1],
        lambda a: np.broadcast_to(a[:1], (5, 4)),
        lambda a: np.asfortranarray(a),
        lambda a: a.astype(">f8"),
        lambda a: a[:, 1],
    ],
)
def test_arrays_of_any_layout(turn, path):
    array = turn(np.arange(24.0).reshape(6, 4))
    mg.save(path, {"x": array})
    assert np.array_equal(mg.load(path)["x"], array)


def test_tensors_numbers_and_metadata(path):
    saved = {"t": mg.tensor([1.0, 2.0]).T, "n": 3, "f": 0.5, "b": True}
    mg.save(path, saved, metadata={"task": "größe", "empty": ""})
    loaded = mg.load(str(path))
    assert loaded == {"t": pytest.approx([1.0, 2.0]), "n": 3, "f": 0.5, "b": True}
    assert loaded.metadata == {"task": "größe", "empty": ""}
    mg.save(path, {})
    assert mg.load(path) == {}
    assert mg.load(path).metadata == {}


def test_a_module_and_an_optimiser(path):
    def build(rng):
        model = mg.nn.Sequential(
            mg.nn.Linear(2, 3, rng=rng), mg.nn.Linear(3, 1, rng=rng)
        )
        return model, mg.optim.Adam(model.parameters(), lr=0.1 * (rng + 1))

    model, optimizer = build(0)
    mg.losses.mse(model(np.ones((4, 2))), np.zeros((4, 1))).backward()
    optimizer.step()
    mg.save(path, {"model": model, "optimizer": optimizer, "epoch": 3})
    other, other_optimizer = build(1)
    loaded = mg.load(path)
    other.load_state_dict(loaded.part("model"))
    other_optimizer.load_state_dict(loaded.part("optimizer"))
    for one, two in ((model, other), (optimizer, other_optimizer)):
        one, two = one.state_dict(), two.state_dict()
        assert one.keys() == two.keys()
        assert all(same(one[name], two[name]) for name in one)
    assert loaded["epoch"] == 3
    mg.save(path, model)
    assert mg.load(path).keys() == model.state_dict().keys()


def test_torch_reads_it_and_we_read_torch_s(path, rng):
    pytest.importorskip("torch", reason="needs torch")
    from safetensors.torch import load_file, save_file

    array = rng.normal(size=(3, 4)).astype("float32")
    mg.save(path, {"x": array.T})
    tensors = load_file(path)
    assert np.array_equal(tensors["x"].numpy(), array.T)
    save_file(tensors, path)
    assert np.array_equal(mg.load(path)["x"], array.T)


# all or nothing


def test_a_failed_write_leaves_the_old_file_and_no_other(path, monkeypatch):
    mg.save(path, {"x": np.ones(3)})

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CheckpointError, match="No space left on device"):
        mg.save(path, {"x": np.zeros(3)})
    monkeypatch.undo()
    assert os.listdir(path.parent) == [path.name]
    assert np.array_equal(mg.load(path)["x"], np.ones(3))


def test_an_interrupted_write_leaves_the_old_file_and_no_other(path, monkeypatch):
    mg.save(path, {"x": np.ones(3)})

    def interrupted(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        mg.save(path, {"x": np.zeros(3)})
    monkeypatch.undo()
    assert os.listdir(path.parent) == [path.name]
    assert np.array_equal(mg.load(path)["x"], np.ones(3))


def test_what_cannot_be_saved_does_not_touch_the_file(path):
    mg.save(path, {"x": np.ones(3)})
    with pytest.raises(DTypeError):
        mg.save(path, {"x": np.zeros(3), "y": "words"})
    assert np.array_equal(mg.load(path)["x"], np.ones(3))


@pytest.mark.skipif(os.name == "nt", reason="only where files have modes")
def test_the_file_is_as_readable_as_any_and_links_stay(path):
    plain = path.with_name("plain")
    plain.write_text("")
    link = path.with_name("link")
    link.symlink_to(path)
    mg.save(link, {"x": np.ones(3)})
    assert link.is_symlink()
    assert np.array_equal(mg.load(path)["x"], np.ones(3))
    assert path.stat().st_mode == plain.stat().st_mode


def test_the_library_is_imported_only_when_used():
    program = "import minigrad, sys; print([m for m in {!r} if m in sys.modules])"
    heavy = ["safetensors", "numba", "rich", "matplotlib", "sympy", "numpy.random"]
    ran = subprocess.run(
        [sys.executable, "-c", program.format(heavy)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == "[]\n"


# files that are not what they should be


def twice_a_name(size):
    names = [
        f'"{k}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}' for k in range(size)
    ]
    return file_of(f"{{{','.join([*names, names[0]])}}}".encode())


def twice_a_word(size):
    words = "".join(f'"{k}":"a",' for k in range(size))
    return file_of(f'{{"__metadata__":{{{words}"k":"b","k":"c"}}}}'.encode())


LONG = {
    "dimensions that overflow": lambda size: file_of(
        entry(shape=(1 << 62,) * size), bytes(8)
    ),
    "dimensions": lambda size: file_of(entry(shape=(1,) * size), bytes(8)),
    "names, one of them twice": twice_a_name,
    "metadata, one of them twice": twice_a_word,
}


@pytest.mark.parametrize("name", LONG)
def test_a_long_header_is_refused_at_once(name, path):
    """Ten times the header costs about ten times the time; were it quadratic, as it
    once was, it would cost a hundred times as much."""

    def cost(size):
        path.write_bytes(LONG[name](size))
        start = time.process_time()
        with pytest.raises(
            CheckpointError, match="safetensors file, complete"
        ) as caught:
            mg.load(path)
        assert len(str(caught.value)) < 1000
        return time.process_time() - start

    costs = [min(cost(size) for _ in range(3)) for size in (5_000, 50_000)]
    assert costs[1] < 35 * costs[0]


@pytest.mark.parametrize("name", DAMAGED)
def test_damaged_files(name, path):
    path.write_bytes(DAMAGED[name])
    with pytest.raises(CheckpointError, match="a safetensors file, complete") as caught:
        mg.load(path)
    assert str(path) in str(caught.value)
    archive = name == "a ZIP archive"
    hint = "convert it where it was made" if archive else "cut off: save it anew"
    assert hint in caught.value.hint


def test_every_cut_is_noticed(path):
    mg.save(path, {"x": np.arange(3.0), "y": np.ones(2, bool)}, {"a": "b"})
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(CheckpointError):
            mg.load(path)


def test_a_changed_bit_in_any_byte_is_noticed(path):
    mg.save(path, {"x": np.arange(2.0), "y": np.ones(2, bool)}, {"a": "b"})
    whole = path.read_bytes()
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 1 << (3 * place) % 8
        path.write_bytes(changed)
        with pytest.raises(CheckpointError):
            load(path, sealed_only=True)


def test_a_change_in_the_arrays_is_noticed_by_all(path):
    mg.save(path, {"x": np.arange(100.0)})
    whole = bytearray(path.read_bytes())
    whole[-3] ^= 4
    path.write_bytes(whole)
    with pytest.raises(CheckpointError, match="the digest differs"):
        mg.load(path)


def test_the_seal_is_no_metadata_of_the_user_s(path):
    trick = '"minigrad.sha256":"' + "0" * 64
    mg.save(path, {"x": np.ones(1)}, {"a": trick, trick: "b"})
    assert mg.load(path).metadata == {"a": trick, trick: "b"}
    with pytest.raises(CheckpointError, match="the place of the digest"):
        mg.save(path, {}, {"minigrad.sha256": "mine"})


def test_files_of_others_have_no_seal(path):
    save_file({"x": np.ones(3)}, path)
    assert np.array_equal(mg.load(path)["x"], np.ones(3))
    with pytest.raises(CheckpointError, match="no digest"):
        load(path, sealed_only=True)


def test_a_header_cannot_make_it_allocate(path):
    """A length of 90 MB in a file of 100 bytes: refused by the size, not by memory."""
    path.write_bytes(struct.pack("<Q", 90_000_000) + bytes(92))
    tracemalloc.start()
    with pytest.raises(CheckpointError):
        mg.load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


class Trap:
    """What a hostile pickle would do."""

    def __reduce__(self):
        return exec, ("raise SystemExit('a file was executed')",)


@pytest.mark.parametrize("protocol", [2, pickle.HIGHEST_PROTOCOL])
def test_a_pickle_is_refused_unread(protocol, path):
    path.write_bytes(pickle.dumps(Trap(), protocol=protocol))
    with pytest.raises(CheckpointError, match="which may run code when read"):
        mg.load(path)


def test_an_archive_of_numpy_is_named_as_such(path):
    with open(path, "wb") as file:
        np.savez(file, x=np.ones(3))
    with pytest.raises(CheckpointError, match="a PyTorch or NumPy archive"):
        mg.load(path)


def test_a_dtype_that_numpy_lacks(path):
    path.write_bytes(file_of(entry("BF16", (4,)), bytes(8)))
    with pytest.raises(CheckpointError, match="dtype that NumPy lacks"):
        mg.load(path)


BAD_LOADS = [
    (
        lambda p: mg.load(p),
        r"No such file or directory\n  in .*\n  hint    check the path",
    ),
    (lambda p: mg.load(p.parent), "hint    check the path"),
    (lambda p: mg.save(p / "b", {}), r"make the folder first: os.makedirs\("),
    (lambda p: mg.save(p.parent, {}), "cannot be written"),
    (lambda p: mg.save(p, {"": 1}), "'' cannot be a name"),
    (lambda p: mg.save(p, {"__metadata__": 1}), "'__metadata__' cannot be a name"),
    (lambda p: mg.save(p, {"1": 1, 1: 2}), "two entries are called '1'"),
    (lambda p: mg.save(p, {"a.b": 1, "a": {"b": 2}}), "two entries are called 'a.b'"),
]


@pytest.mark.parametrize(("call", "message"), BAD_LOADS)
def test_bad_paths_and_names(call, message, path):
    with pytest.raises(CheckpointError, match=message) as caught:
        call(path)
    text = str(caught.value)
    assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))
    assert not path.exists()


BAD_VALUES = [
    (lambda p: mg.save(p, np.ones(3)), "a ndarray has no names"),
    (lambda p: mg.save(p, mg.ones(3)), "a Tensor has no names"),
    (lambda p: mg.save(p, {"x": "word"}), "entry 'x' is not an array"),
    (lambda p: mg.save(p, {"x": None}), "of dtype object"),
    (lambda p: mg.save(p, {"x": [[1], [1, 2]]}), "entry 'x' is not an array"),
    (lambda p: mg.save(p, {"x": 1j}), "complex128"),
    (lambda p: mg.save(p, {"x": 2**70}), "dtype object"),
    (lambda p: mg.save(p, {}, {"epoch": 3}), "json.dumps"),
    (lambda p: mg.save(p, {}, {3: "epoch"}), "metadata.*3 is not words"),
]


@pytest.mark.parametrize(("call", "message"), BAD_VALUES)
def test_what_cannot_be_saved(call, message, path):
    with pytest.raises(DTypeError, match=message) as caught:
        call(path)
    text = str(caught.value)
    assert all(f"\n  {word}  " in text for word in ("expect", "actual", "hint  "))
    assert not path.exists()


def test_a_part_that_is_not_there(path):
    mg.save(path, {"model": {"b": 1.0}})
    with pytest.raises(CheckpointError, match="nothing was saved under this name") as e:
        mg.load(path).part("optimizer")
    assert "'model.b'" in str(e.value)


@pytest.mark.skipif(os.name == "nt", reason="only where files have modes")
def test_a_pipe_or_a_device_is_neither_waited_for_nor_replaced(tmp_path):
    pipe, link = tmp_path / "pipe.safetensors", tmp_path / "link.safetensors"
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    for path in (pipe, link):
        with pytest.raises(CheckpointError, match="a pipe or a device"):
            mg.load(path)
        with pytest.raises(CheckpointError, match="a pipe or a device"):
            mg.save(path, {"a": np.ones(2)})
    assert pipe.is_fifo() and link.is_symlink()
    assert sorted(tmp_path.iterdir()) == [link, pipe]
