"""Measures where gradients go: by loss, by time step, and by path.

Read `ledgers.py` (`mg.ledger`), `jacobians.py` (`mg.jacobian_products`), `diagnosis.py`
(`mg.diagnose`) and `monitor.py` (`mg.Monitor`). `observation.py` measures for the last
two, `findings.py` says what a finding is, and `chance.py` how likely something is to be
learned; plots, tables and pages follow. `comparison.py` compares several networks.

Read next: `ledgers.py`.
"""

from minigrad.flow.diagnosis import Diagnosis, diagnose
from minigrad.flow.findings import Finding
from minigrad.flow.jacobians import JacobianProducts, jacobian_products
from minigrad.flow.ledgers import Ledger, ledger
from minigrad.flow.monitor import FlowWarning, Monitor
from minigrad.flow.state_paths import Paths

__all__ = [
    "Diagnosis",
    "Finding",
    "FlowWarning",
    "JacobianProducts",
    "Ledger",
    "Monitor",
    "Paths",
    "diagnose",
    "jacobian_products",
    "ledger",
]
