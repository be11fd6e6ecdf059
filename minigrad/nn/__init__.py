"""Building blocks: parameters, modules, and the layers around recurrent cells.

`module.py` says what a model is and `parameters.py` what is asked of its tensors;
`init.py` has how weights start, `layers.py` Linear, Embedding and Dropout, `losses.py`
how wrong a prediction is, `clip.py` the remedy for gradients that explode. `optim/` has
the optimisers.

Read next: `module.py` (what a model is).
"""

from typing import Any

from minigrad.nn import init
from minigrad.nn.layers import Dropout, Embedding, Linear
from minigrad.nn.module import Module, Parameter
from minigrad.nn.module_lists import ModuleList, Sequential

__all__ = [
    "Dropout",
    "Embedding",
    "Linear",
    "Module",
    "ModuleList",
    "Parameter",
    "Sequential",
    "init",
]


def __getattr__(name: str) -> Any:
    if name[:1] == "_":
        raise AttributeError(f"module 'minigrad.nn' has no attribute {name!r}")
    from minigrad.engine.foreign_names import NN, unknown

    raise unknown("minigrad.nn", "mg.nn", name, NN, __all__)
