"""Modules and parameters are minigrad's own; models only name them."""

from minigrad.nn import Module, Parameter
from minigrad.random import generator

__all__ = ["Module", "Parameter", "generator"]
