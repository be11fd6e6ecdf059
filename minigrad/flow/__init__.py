"""Where the gradient goes: what every tool sums up, kept apart and measured.

Read `ledgers.py` (`mg.ledger`), `jacobians.py` (`mg.jacobian_products`), `diagnosis.py`
(`mg.diagnose`) and `monitor.py` (`mg.Monitor`). What the last two warn of is decided in
`findings.py`, from the figures that `observation.py` collects; plots, tables and pages
follow. `comparison.py` puts several networks side by side.

Read next: `ledgers.py`.
"""

from minigrad.flow.diagnosis import Diagnosis, diagnose
from minigrad.flow.jacobians import JacobianProducts, jacobian_products
from minigrad.flow.ledgers import Ledger, ledger
from minigrad.flow.monitor import FlowWarning, Monitor
from minigrad.flow.state_paths import Paths

__all__ = [
    "Diagnosis",
    "FlowWarning",
    "JacobianProducts",
    "Ledger",
    "Monitor",
    "Paths",
    "diagnose",
    "jacobian_products",
    "ledger",
]
