"""Optimisers: how a parameter follows its gradient. PyTorch's names and defaults.

    optimizer = mg.optim.Adam(model.parameters(), lr=1e-3)
    ...
    optimizer.zero_grad()            # gradients add up otherwise
    loss.backward()
    optimizer.step()                 # p <- p - ...
    optimizer.lr *= 0.9              # a schedule is an assignment

A step records nothing, and parameters are rebound, never written to: a graph recorded
before a step keeps the values it was computed with. A parameter without a gradient is
passed over. float32 stays float32.

Read next: `optimizer.py` (what they share).
"""

from minigrad.engine.foreign_names import nothing_else
from minigrad.nn.optim.optimizer import Optimizer
from minigrad.nn.optim.updates import SGD, Adam, AdamW, RMSprop

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop"]

__getattr__ = nothing_else("minigrad.nn.optim", "mg.optim")
