"""Moving in and out: networks of PyTorch, Keras and ONNX become models here, and back.

`bias_pairs.py` and `gate_blocks.py` are what all of it rests on; `torch_modules.py`,
`keras_weights.py` and the files about ONNX each know one library. None of these
libraries is needed by minigrad itself. `opened_file.py` opens a file of any kind.

Read next: `bias_pairs.py`.
"""

from minigrad.engine.foreign_names import nothing_else
from minigrad.interop.exported_files import export
from minigrad.interop.keras_weights import from_keras_weights, to_keras_weights
from minigrad.interop.onnx_layers import from_onnx
from minigrad.interop.onnx_models import to_onnx
from minigrad.interop.opened_file import Opened, open
from minigrad.interop.torch_diagnosis import diagnose
from minigrad.interop.torch_modules import Parts, from_torch, to_torch_state_dict

__all__ = [
    "Opened",
    "Parts",
    "diagnose",
    "export",
    "from_keras_weights",
    "from_onnx",
    "from_torch",
    "open",
    "to_keras_weights",
    "to_onnx",
    "to_torch_state_dict",
]

__getattr__ = nothing_else("minigrad.interop", "mg.interop")
