"""Ways to write into what a graph holds: each raises, or the gradient stays right."""

import ctypes
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.lib.stride_tricks import as_strided

import minigrad as mg
from minigrad.engine.errors import MinigradError

REFUSED = (MinigradError, ValueError, TypeError, BufferError, AttributeError)


class Program:
    """Every kind of array that a user can be handed, before backward."""

    def __init__(self):
        rng = np.random.default_rng(3)
        self.x = mg.tensor(rng.standard_normal((4, 4)), requires_grad=True, name="x")
        self.y = mg.exp(self.x @ self.x)
        self.norm = mg.norm(self.y, axis=1)
        self.mean = self.y.mean(axis=0)
        self.turned = self.y.T
        self.parts = mg.split(self.y, 2)
        self.loss = (self.norm * self.norm * self.mean * self.mean).sum()
        self.loss = self.loss + (self.turned * self.turned).sum()
        self.loss = self.loss + (self.parts[0] * self.parts[1]).sum()

    def gradient(self):
        return mg.grad(self.loss, self.x)[0].data

    def handed_out(self):
        values = [self.x, self.y, self.norm, self.mean, self.turned, *self.parts]
        for value in values:
            yield value.data
            yield value.numpy()
            yield value.detach().numpy()
            with mg.no_grad():
                yield np.asarray(value)
                yield np.array(value)
        yield mg.grad(self.loss, self.x)[0].data
        yield from self.y.node.outputs
        yield from (edge.array for edge in self.loss.node.edges)


def base(array):
    assert isinstance(array.base, np.ndarray)
    array.base[...] = 9.0


def base_made_writable(array):
    assert isinstance(array.base, np.ndarray)
    array.base.flags.writeable = True
    array.base[...] = 9.0


def flag(array):
    array.flags.writeable = True
    array[...] = 9.0


def at(array):
    np.add.at(array, (0,) * array.ndim, 9.0)


def pointer(array):
    kind = ctypes.c_double * 1
    kind.from_address(array.ctypes.data)[0] = 9.0


def torch_in_place(array):
    torch = pytest.importorskip("torch", reason="needs torch")
    torch.from_numpy(array).add_(9.0)


def scipy_overwrites(array):
    linalg = pytest.importorskip("scipy.linalg", reason="needs scipy")
    square = np.eye(array.shape[0])
    linalg.solve(square * 2.0, array, overwrite_b=True)
    linalg.blas.dscal(9.0, array.reshape(-1))


def each_by_an_iterator(array):
    with np.nditer(array, op_flags=["readwrite"]) as entries:
        for entry in entries:
            entry[...] = 9.0


def state_of_a_pickle(array):
    array.__setstate__((1, array.shape, array.dtype, False, bytes(array.nbytes)))


def without_the_flag(array):
    """Another array of the same memory, as other libraries make one."""
    place = array.__array_interface__
    place = {**place, "data": (place["data"][0], False)}
    np.asarray(SimpleNamespace(__array_interface__=place))[...] = 9.0


WAYS = {
    "x[...] = 9": lambda a: a.__setitem__(..., 9.0),
    "a view": lambda a: a.reshape(-1)[::-1].__setitem__(..., 9.0),
    "another type of view": lambda a: a.view(np.ndarray).__setitem__(..., 9.0),
    "its base": base,
    "its base, made writable": base_made_writable,
    "made writable": flag,
    "np.add.at": at,
    "np.copyto": lambda a: np.copyto(a, 9.0),
    "out=": lambda a: np.add(a, 9.0, out=a),
    "np.put": lambda a: np.put(a, [0], 9.0),
    "np.place": lambda a: np.place(a, a == a, 9.0),
    "np.putmask": lambda a: np.putmask(a, a == a, 9.0),
    "sort": lambda a: a.sort(),
    "partition": lambda a: a.partition(1),
    "fill": lambda a: a.fill(9.0),
    "byteswap": lambda a: a.byteswap(inplace=True),
    "a memoryview": lambda a: memoryview(a).cast("B").__setitem__(0, 1),
    "np.frombuffer": lambda a: np.frombuffer(a)[...].__setitem__(..., 9.0),
    "DLPack": lambda a: np.from_dlpack(a).__setitem__(..., 9.0),
    "+=": lambda a: a.__iadd__(9.0),
    "shuffled": lambda a: np.random.default_rng(0).shuffle(a),
    "out= of a generator": lambda a: np.random.default_rng(0).random(out=a),
    "one entry of flat": lambda a: a.flat.__setitem__(0, 9.0),
    "setfield": lambda a: a.setfield(9.0, "f8"),
    "strides over it": lambda a: as_strided(a, writeable=True).__setitem__(..., 9.0),
    "an iterator": each_by_an_iterator,
    "other strides": lambda a: setattr(a, "strides", (0,) * a.ndim),
    "another dtype": lambda a: setattr(a, "dtype", "int64"),
    "the state of a pickle": state_of_a_pickle,
    "its address": without_the_flag,
    "PyTorch, in place": torch_in_place,
    "SciPy, which may overwrite": scipy_overwrites,
}
MEMORY = {  # of arrays that a user asks a node for, nothing protects these
    "np.add.at", "PyTorch, in place", "SciPy, which may overwrite",
    "its base, made writable", "made writable", "other strides", "another dtype",
    "the state of a pickle", "its address",
}  # fmt: skip


@pytest.mark.parametrize("name", WAYS)
@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.filterwarnings("ignore:Setting the (strides|dtype)")
def test_the_gradient_is_that_of_the_program_that_ran(name, proof):
    row = proof("or an error", f"arrays of the graph, each changed in {len(WAYS)} ways")
    expected = Program().gradient()
    count = len(list(Program().handed_out()))
    inside = len(list(Program().y.node.outputs)) + 2
    outside = count - inside if name in MEMORY else count
    assert outside > 30
    for k in range(outside):
        program = Program()
        array = list(program.handed_out())[k]
        try:
            WAYS[name](array)
        except (*REFUSED, AssertionError):
            pass
        row.expect(np.array_equal(program.gradient(), expected), f"{name}: array {k}")


def test_a_pointer_to_what_was_handed_out():
    program = Program()
    expected = program.gradient()
    for value in (program.x, program.y, program.norm):
        pointer(value.data)
    np.testing.assert_array_equal(program.gradient(), expected)


def test_what_a_node_made_has_no_writable_base():
    program = Program()
    for value in (program.norm, program.mean, program.turned, program.loss):
        array = value.node.array
        assert array.base is None or not array.base.flags.writeable


def test_what_is_given_is_copied():
    given = np.ones(3)
    mask, index = np.array([True, False, True]), np.array([0, 1, 1])
    x = mg.tensor(given, requires_grad=True)
    loss = (x * given).sum() + x[index].sum() + mg.where(mask, x, given).sum()
    before = mg.grad(loss, x)[0].data
    given[:], mask[:], index[:] = 9.0, False, 0
    np.testing.assert_array_equal(mg.grad(loss, x)[0].data, before)
