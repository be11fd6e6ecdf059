"""The settings of optimisers: numbers in their range, and what others call them.

Read next: `updates.py` (the formulas).
"""

from __future__ import annotations

import math
from typing import Any

from minigrad.engine.errors import ArgumentError

# Of an optimiser opt: what to write instead of names of other libraries.
OPTIMIZER = {
    "learning_rate": "opt.lr = 0.01",
    "param_groups": "opt.lr = 0.01  # one optimiser for each group of parameters",
    "add_param_group": "mg.optim.SGD([p])  # one optimiser for each group",
    "defaults": "opt.settings  # their names; opt.lr is one of them",
    "minimize": "opt.step()  # after loss.backward()",
    "apply_gradients": "opt.step()  # after loss.backward()",
}


def setting(owner: str, name: str, value: Any, below: float = math.inf) -> float:
    """A setting as a Python float: a NumPy number would turn float32 to float64.

    owner  the optimiser's name, for the error
    below  ArgumentError from here on, and for negative numbers and NaN
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number < below:
        limit = "" if below == math.inf else f" < {below:g}"
        raise ArgumentError(
            f"{owner}({name}={value!r}): out of range",
            expect=f"0 <= {name}{limit}, finite",
            actual=repr(value),
            hint="steps go against the gradient already"
            if number < 0
            else "PyTorch's defaults are the defaults here",
        )
    return number
