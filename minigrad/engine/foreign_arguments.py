"""Arguments of other libraries that functions of ours do not have: what to write here.

    x.sum(dim=1)      # ArgumentError: ... it is called axis, as in NumPy

Read next: `calls.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.errors import ArgumentError

# Arguments: what to write instead.
ARGUMENTS = {
    "dim": "it is called axis, as in NumPy",
    "dims": "it is called axes, as in NumPy",
    "keepdim": "it is called keepdims, as in NumPy",
    "unbiased": "ddof=1 divides by n - 1, as PyTorch does; ddof=0 by n, as NumPy does",
    "correction": "it is called ddof, as in NumPy",
    "descending": "reverse what comes out",
    "retain_graph": "leave it out: a graph lives as long as a tensor that refers to it",
    "gradient": "it is called grad",
    "grad_outputs": "it is called grad_output: one output has one",
    "argnums": "mg.grad takes the tensors themselves: mg.grad(y, [a, b])",
    "dtype": ".astype(dtype) before or after",
    "out": "the result is a new tensor",
    "device": "leave it out: all is on the CPU",
    "base": "divide by the logarithm of the base: mg.log(x) / np.log(2)",
}


def refuse(call: str, foreign: dict[str, Any]) -> None:
    """Raise ArgumentError for arguments of `call` that it does not have; none: nothing.

    What other libraries call them is answered with what they are called here.
    """
    if foreign:
        name, value = next(iter(foreign.items()))
        raise ArgumentError(
            f"{call}({name}={value!r:.30}): there is no such argument",
            expect=f"the arguments that help(mg.{call}) lists",
            actual=name,
            hint=ARGUMENTS.get(name, "leave it out, or see help()"),
        )
