"""Pictures of graphs: `mg.draw(tensor)`. Start with `drawing.py`, then `model.py`."""

from minigrad.drawing.drawing import Drawing, draw

__all__ = ["Drawing", "draw"]
