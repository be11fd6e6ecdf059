"""Building blocks: parameters, modules, and the layers around recurrent cells.

Read next: `module.py` (what a model is), `layers.py` (Linear, Embedding, Dropout),
`init.py` (how weights start).
"""

from minigrad.nn import init
from minigrad.nn.layers import Dropout, Embedding, Linear
from minigrad.nn.module import Module, ModuleList, Parameter, Sequential

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
