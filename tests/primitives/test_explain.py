"""Messages of failed operations, word for word but for the line they name."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.engine import errors
from minigrad.engine.scope import cell, gate, time_step


def t(*shape, name=None, dtype="float32"):
    return mg.tensor(np.zeros(shape), dtype, name=name)


MESSAGES = {
    "inner sizes": (
        lambda: t(8, 64, name="h") @ t(32, 16, name="W_h"),
        """matmul(a, b): inner sizes differ
  expect  a.shape[-1] == b.shape[-2]
  actual  64 != 32        a: 'h' (8, 64) float32     b: 'W_h' (32, 16) float32
  hint    print the two shapes where you make them; use reshape or .T to match""",
    ),
    "transposed weights": (
        lambda: t(8, 64, name="h") @ t(32, 64, name="W_h"),
        """matmul(a, b): inner sizes differ
  expect  a.shape[-1] == b.shape[-2]
  actual  64 != 32        a: 'h' (8, 64) float32     b: 'W_h' (32, 64) float32
  hint    is W_h transposed? minigrad stores weights as (inputs, outputs)""",
    ),
    "vector": (
        lambda: t(2, 3) @ t(4),
        """matmul(a, b): inner sizes differ
  expect  a.shape[-1] == len(b)
  actual  3 != 4        a: (2, 3) float32     b: (4,) float32
  hint    print the two shapes where you make them; use reshape or .T to match""",
    ),
    "number": (
        lambda: t(2, 3) @ t(),
        """matmul(a, b): an operand has no axes
  expect  a.ndim >= 1 and b.ndim >= 1
  actual  2 and 0 axes        a: (2, 3) float32     b: () float32
  hint    use * to multiply by a number""",
    ),
    "batches": (
        lambda: t(2, 3, 4) @ t(5, 4, 3),
        """matmul(a, b): batch axes do not broadcast
  expect  axes before the last two that are equal, or 1
  actual  (2,) against (5,)        a: (2, 3, 4) float32     b: (5, 4, 3) float32
  hint    matmul multiplies the last two axes; those before them count batches""",
    ),
    "broadcasting": (
        lambda: t(8, 3, name="z") * t(4, name="b"),
        """multiply(a, b): shapes do not broadcast
  expect  on every axis, counted from the last: equal lengths, or a 1
  actual  3 != 4 on axis -1        a: 'z' (8, 3) float32     b: 'b' (4,) float32
  hint    print both shapes where you make them; reshape or index one to match""",
    ),
    "broadcasting over the first axis": (
        lambda: t(8, 3, name="z") * t(8, name="mask"),
        """multiply(a, b): shapes do not broadcast
  expect  on every axis, counted from the last: equal lengths, or a 1
  actual  3 != 8 on axis -1        a: 'z' (8, 3) float32     b: 'mask' (8,) float32
  hint    mask.expand_dims(-1) lines it up with the leading axes of z; trailing axes \
are matched first""",
    ),
    "where": (
        lambda: mg.where(t(2), t(3), t(3)),
        """where(condition, a, b): shapes do not broadcast
  expect  on every axis, counted from the last: equal lengths, or a 1
  actual  2 != 3 on axis -1        condition: (2,) float32     a: (3,) float32     \
b: (3,) float32
  hint    print both shapes where you make them; reshape or index one to match""",
    ),
    "reshape": (
        lambda: t(2, 3).reshape(4, 2),
        """reshape(x): the entries do not fit the shape (4, 2)
  expect  as many entries in the new shape as in the old
  actual  6 != 8        x: (2, 3) float32
  hint    one length may be -1: it is worked out from the others""",
    ),
    "reshape with a free length": (
        lambda: t(2, 3).reshape(4, -1),
        """reshape(x): the entries do not fit the shape (4, -1)
  expect  as many entries in the new shape as in the old
  actual  6 is no multiple of 4        x: (2, 3) float32
  hint    one length may be -1: it is worked out from the others""",
    ),
    "concatenate": (
        lambda: mg.concatenate([t(2, 3), t(2, 4)]),
        """concatenate(a, b): lengths differ on axis 1
  expect  equal lengths on every axis but 0, the one joined along
  actual  3 != 4        a: (2, 3) float32     b: (2, 4) float32
  hint    did you mean axis=1?""",
    ),
    "concatenate, axes": (
        lambda: mg.concatenate([t(2, 3), t(3)]),
        """concatenate(a, b): numbers of axes differ
  expect  as many axes in each
  actual  a: 2 axes, b: 1        a: (2, 3) float32     b: (3,) float32
  hint    expand_dims gives a missing axis; stack joins along a new one""",
    ),
    "stack": (
        lambda: mg.stack([t(2), t(2), t(3)]),
        """stack(a, b, c): shapes differ
  expect  one shape for all: they get a new axis
  actual  (2,) != (3,), the shape of number 2        a: (2,) float32     \
b: (2,) float32     c: (3,) float32
  hint    concatenate joins along an axis that they have""",
    ),
    "max": (
        lambda: t(0, 3).max(axis=0),
        """max(x): no entry to choose from
  expect  a length of at least 1 on the axes reduced
  actual  axes (0,) of shape (0, 3)        x: (0, 3) float32
  hint    check the filter or slice that left nothing""",
    ),
    "broadcast_to": (
        lambda: t(2).broadcast_to((2, 3)),
        """broadcast_to(x): x does not broadcast to the shape
  expect  an x that can be repeated to (2, 3)
  actual  (2,) against (2, 3)        x: (2,) float32
  hint    only axes of length 1, and new leading axes, are repeated""",
    ),
    "row out of range": (
        lambda: mg.take(t(3, 2, name="E"), [0, 7]),
        """getitem(x, index): index 7 is out of bounds for axis 0 with size 3
  expect  an index that fits x's shape
  actual  x: 'E' (3, 2) float32     index: (2,) int64
  hint    print the operands' .shape and .dtype where you make them""",
    ),
    "booleans": (
        lambda: -(t(2) > 0),
        """negative(x): not defined for these dtypes
  expect  dtypes that NumPy's negative takes
  actual  bool        x: 'greater' (2,) bool
  hint    give a mask a number dtype first: mask.astype('float64')""",
    ),
}


@pytest.mark.parametrize("name", MESSAGES)
def test_message(name):
    call, expected = MESSAGES[name]
    with (
        time_step(3),
        cell("lstm"),
        gate("f"),
        pytest.raises(errors.MinigradError) as e,
    ):
        call()
    lines = str(e.value).split("\n")
    where = lines.pop(3)
    assert where.startswith(
        "  in      step 3 / lstm / forget gate      test_explain.py:"
    )
    assert "\n".join(lines) == expected


def test_many_operands_are_cut_short():
    with pytest.raises(errors.ShapeError) as e:
        mg.concatenate([t(2, 3)] * 9 + [t(2)])
    first, *_ = str(e.value).split("\n")
    assert first.startswith("concatenate(") and first.count(",") <= 4
    assert "and 6 more" in str(e.value)


def test_the_kind_of_error_is_also_the_builtin():
    for call, builtin in (
        (lambda: t(2) @ t(3), ValueError),
        (lambda: t(2)[5], IndexError),
        (lambda: -(t(2) > 0), TypeError),
    ):
        with pytest.raises(builtin) as e:
            call()
        assert isinstance(e.value, errors.MinigradError)
        assert e.value.__cause__ is None  # NumPy's own words are not shown as well
