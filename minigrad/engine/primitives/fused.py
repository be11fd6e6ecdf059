"""Elementwise primitives: one scalar function, from which the kernels are made.

The scalar function is the value of one entry; the rule, ordinary arithmetic on the same
entry, becomes one kernel per needed derivative: a single pass over memory, without
temporaries. Where NumPy's own function is the fastest, it computes the value.

Read next: `elementwise.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.engine.aliases import Array, Attrs, Needs, Operand, Value
from minigrad.engine.errors import CallError
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.graph import Edge, Variable
from minigrad.engine.kernels import jit
from minigrad.engine.kernels.intrinsics import Text
from minigrad.engine.primitives.base import TROUBLE, Primitive, apply_unary
from minigrad.engine.primitives.messages import explain
from minigrad.engine.primitives.operands import arrays_of
from minigrad.engine.quiet import hush, restore


class Elementwise(Primitive):
    """A primitive given by one scalar function, broadcasting over its operands.

    numpy   the ufunc that computes it fastest, if NumPy has one; else a kernel does
    fused   may the rule run as kernels? Not if it wants to be told what is needed. What
            NumPy computes faster (sine, cosine) is its own, in rules too
    """

    def __init__(
        self,
        scalar: Callable[..., Any],
        *,
        numpy: Callable[..., Any] | None = None,
        fused: bool = True,
        listed: bool = True,
    ) -> None:
        value = numpy or self.compute
        expect = "shapes that broadcast together"
        super().__init__(scalar, expect=expect, listed=listed)
        self.listed = listed  # if not, it stands for several, each of which is rounded
        self.value = value
        self.scalar = scalar
        self.least = scalar.__code__.co_argcount - len(scalar.__defaults__ or ())
        self.fused = fused
        self._values: dict[str, Callable[..., Any]] = {}  # dtype character -> ufunc
        # (needs, dtype character) -> rule
        self._fused: dict[tuple[Needs, str], Callable[..., Any]] = {}

    def __call__(self, *inputs: Operand, **attrs: Any) -> Value:
        if len(inputs) == 1 and not attrs and isinstance(inputs[0], Variable):
            return apply_unary(self, inputs[0]._edge)
        refuse(self.name, attrs)
        if not inputs:
            raise CallError(
                f"{self.name}: no argument was given",
                expect=f"{self.name}({', '.join(jit.argument_names(self.scalar))})",
                actual=f"{self.name}()",
                hint="call it with tensors, arrays or numbers",
            )
        return super().__call__(*inputs, **attrs)

    def plain(self, inputs: tuple[Any, ...], attrs: Attrs) -> Value:
        for x in inputs:
            if not isinstance(x, (np.generic, float, int, complex)):
                if hasattr(x, "free_symbols") or isinstance(x, Text):
                    return self.scalar(*inputs)  # SymPy's symbols, a kernel's text
                if not isinstance(x, ndarray) or x.dtype.kind not in "fciub":
                    inputs = arrays_of(inputs)
                    break
        if len(inputs) < self.least:
            raise CallError(
                f"{self.name}: {len(inputs)} arguments, which are too few",
                expect=f"{self.name}({', '.join(jit.argument_names(self.scalar))})",
                actual=f"{self.name}({', '.join(f'{x!r:.20}' for x in inputs)})",
                hint="call it with tensors, arrays or numbers",
            )
        token = hush()
        try:
            return self.value(*inputs)
        except TROUBLE as error:
            edges = tuple([Edge(None, 0, np.asarray(x), False) for x in inputs])
            raise explain(self, edges, attrs, error) from None
        finally:
            restore(token)

    def compute(self, *arrays: Array) -> Array:
        """The value by kernel, or by the scalar function itself on arrays."""
        if jit.enabled:
            x = arrays[0]
            alone = len(arrays) == 1 and type(x) is ndarray
            char: str = x.dtype.char if alone else np.result_type(*arrays).char
            ufunc = self._values.get(char)
            if ufunc is None:
                ufunc = self._values[char] = self.value_kernel(char) or self.scalar
            return ufunc(*arrays)
        return self.scalar(*arrays)

    def function(self, arrays: Sequence[Array]) -> Callable[..., Any]:
        """What computes the value of arrays like these, with nothing in between."""
        dtypes = {array.dtype for array in arrays}
        if self.value != self.compute or not jit.enabled or len(dtypes) > 1:
            return self.value
        char: str = dtypes.pop().char
        if char not in self._values:
            self._values[char] = self.value_kernel(char) or self.scalar
        return self._values[char]

    def value_kernel(self, char: str) -> Callable[..., Any] | None:
        """The scalar function as a ufunc for a dtype's character."""
        names = jit.argument_names(self.scalar)
        program = jit.Program(self.scalar, names, self.listed)
        assert program.results[0] is not None
        made = jit.kernel(program, program.results[0], self.name, char)
        return None if made is None else made.ufunc

    def pull(
        self, needs: Needs, g: Value, y: Any, inputs: Any, attrs: Attrs
    ) -> Sequence[Value]:
        if isinstance(g, Variable) or not self.fused or not jit.enabled:
            return super().pull(needs, g, y, inputs, attrs)
        key = needs, g.dtype.char
        fused = self._fused.get(key)
        if fused is None:
            fused = self._fused[key] = self.fuse(*key)
        try:
            return fused(g, y, *inputs)
        except TypeError:  # operands of dtypes that the kernels do not take
            return super().pull(needs, g, y, inputs, attrs)

    def fuse(self, needs: Needs, char: str) -> Callable[..., Any]:
        """The rule as one function of arrays, with a kernel per needed entry.

        What it does is put together as text, for speed; for `multiply`, say:
        def fused(g, y, a, b): return (multiply(g, b), multiply(g, a))
        """
        assert self.vjp is not None
        entries = self.entries(needs, char)
        if entries is None:  # another dtype, or NumPy is faster
            return self.vjp
        names = jit.argument_names(self.vjp)
        functions: dict[str, Any] = {}
        texts = []
        for k, entry in enumerate(entries):
            if entry is None:
                texts.append("None")
                continue
            function, operands = entry
            arguments = ", ".join([names[index] for index in operands])
            functions[f"f{k}"] = function
            texts.append(f"f{k}({arguments})" if function else arguments)
        text = f"def fused({', '.join(names)}): return ({', '.join(texts)},)"
        exec(text, functions)  # names and functions of ours
        return functions["fused"]

    def entries(self, needs: Needs, char: str) -> list[Entry | None] | None:
        """The rule, entry by entry: (function, which of g, y and the inputs it takes).

        None for an entry that is not needed, a function None for one that passes its
        operand on; None for all where the rule itself is to be called.
        """
        if not self.fused or not jit.enabled or self.vjp is None:
            return None
        names = jit.argument_names(self.vjp)
        program = jit.Program(self.vjp, names, self.listed)
        found: list[Entry | None] = []
        for k, (need, result) in enumerate(zip(needs, program.results, strict=True)):
            if not need or result is None:
                found.append(None)
                continue
            operation, *operands = program.lines[result]
            if operation == "input":  # an identity rule passes the array on
                found.append((None, (result,)))
            elif operation in _UFUNCS and all(
                [index < len(names) for index in operands]
            ):
                found.append((_UFUNCS[operation], tuple(operands)))  # NumPy's own
            else:
                made = jit.kernel(program, result, f"{self.name}_vjp_{k}", char)
                if made is None:
                    return None
                found.append((made.ufunc, made.operands))
        return found


Entry = tuple[Callable[..., Any] | None, tuple[int, ...]]
_UFUNCS = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "divide": np.divide,
    "negative": np.negative,
}


def elementwise(**options: Any) -> Callable[[Callable[..., Any]], Elementwise]:
    """Decorate a scalar function to make it a primitive (see `Elementwise`)."""
    return lambda scalar: Elementwise(scalar, **options)
