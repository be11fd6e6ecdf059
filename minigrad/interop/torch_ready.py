"""Arrays that PyTorch takes where it wants tensors, without PyTorch being there.

Read next: `keras_weights.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np


class TorchReady(np.ndarray):
    """An array like any other, that `module.load_state_dict({name: array})` takes.

    PyTorch asks a value for `__torch_function__` before it says that it is no tensor,
    and calls it when the value is used; only then is a tensor made of it.
    """

    @classmethod
    def __torch_function__(
        cls, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        import torch

        def tensor(value: Any) -> Any:
            return (
                torch.from_numpy(np.array(value)) if isinstance(value, cls) else value
            )

        named = {name: tensor(value) for name, value in (kwargs or {}).items()}
        return function(*map(tensor, args), **named)
