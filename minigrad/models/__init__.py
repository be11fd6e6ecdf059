"""The cells in a checkout: `minigrad.models` is the code of the top-level `models/`.

Learners open that folder first, so it stands at the top of the tree; an installed
package has the same files here, in place of this one. Either way each file is one
module, `minigrad.models.lstm` and so on, whatever a user's own folder holds.

Read next: `models/` (the files themselves).
"""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from models import *  # noqa: F403

_folder = Path(__file__).parents[2] / "models"
_spec = spec_from_file_location(
    __name__, _folder / "__init__.py", submodule_search_locations=[str(_folder)]
)
assert _spec is not None and _spec.loader is not None
sys.modules[__name__] = module_from_spec(_spec)
_spec.loader.exec_module(sys.modules[__name__])
