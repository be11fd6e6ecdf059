"""What numba has no words for: addresses as pointers, and calls by address.

Generated kernels import these. They take one pointer to whole numbers: sizes, and the
address and row stride of every operand, as the plan's table has them.

Read next: `kernel_text.py`.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


def _pointer(to: Any) -> Any:
    @intrinsic
    def pointer(typing_context, address):  # type: ignore[no-untyped-def]
        def generate(context, builder, signature, arguments):  # type: ignore
            kind = context.get_value_type(signature.return_type)
            return builder.inttoptr(arguments[0], kind)

        return types.CPointer(to)(types.int64), generate

    return pointer


pointer_float32 = _pointer(types.float32)
pointer_float64 = _pointer(types.float64)
pointer_bool = _pointer(types.uint8)
pointer_int64 = _pointer(types.int64)


@intrinsic
def unaliased(typing_context):  # type: ignore[no-untyped-def]
    """In a function of pointers: no two of them lead to the same memory.

    Without this word LLVM compares all pairs before a loop, and beyond eight pairs it
    does not vectorise at all.
    """

    def generate(context, builder, signature, arguments):  # type: ignore
        for argument in builder.function.args:
            if isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")
        return context.get_dummy_value()

    return types.void(), generate


@intrinsic
def call(typing_context, address, arguments):  # type: ignore[no-untyped-def]
    """Call the function at an address with a pointer to its arguments."""

    def generate(context, builder, signature, given):  # type: ignore
        pointer = context.get_value_type(signature.args[1])
        kind = ir.FunctionType(ir.VoidType(), [pointer])
        builder.call(builder.inttoptr(given[0], ir.PointerType(kind)), [given[1]])
        return context.get_dummy_value()

    return types.void(types.int64, types.CPointer(types.int64)), generate


def _gemm(real: Any, kind: Any) -> Any:
    @intrinsic
    def gemm(typing_context, function, flips, sizes, a, b, c):  # type: ignore
        """c = op(a) op(b) by the BLAS function at an address (CBLAS, 64-bit sizes).

        flips, sizes  tuples: 111 or 112 per operand; m, n, k, lda, ldb, ldc
        """
        three, six = types.UniTuple(types.int64, 2), types.UniTuple(types.int64, 6)
        takes = (types.int64, three, six, types.int64, types.int64, types.int64)

        def generate(context, builder, signature, given):  # type: ignore
            function, flips, sizes, a, b, c = given
            flag, size = ir.IntType(32), ir.IntType(64)
            to = ir.PointerType(kind)
            parts = [flag, flag, flag, size, size, size, kind]
            parts += [to, size, to, size, kind, to, size]
            cblas = ir.FunctionType(ir.VoidType(), parts)
            turn = [
                builder.trunc(builder.extract_value(flips, k), flag) for k in range(2)
            ]
            m, n, k, lda, ldb, ldc = [builder.extract_value(sizes, j) for j in range(6)]
            a, b, c = [builder.inttoptr(x, to) for x in (a, b, c)]
            one, zero, by_rows = kind(1.0), kind(0.0), flag(101)
            builder.call(
                builder.inttoptr(function, ir.PointerType(cblas)),
                [by_rows, *turn, m, n, k, one, a, lda, b, ldb, zero, c, ldc],
            )
            return context.get_dummy_value()

        return types.void(*takes), generate

    return gemm


gemm_float32 = _gemm(types.float32, ir.FloatType())
gemm_float64 = _gemm(types.float64, ir.DoubleType())
