"""Where the gradient goes: what every tool sums up, kept apart and measured.

uses.py         where a parameter is used: which node, at which time step
ledgers.py      `mg.ledger`: a gradient itemised by loss and by step of use
local.py        one step's graph, alone, for one sample of the batch
products.py     `mg.jacobian_products`: ds_k/ds_{k-1}, their products, the path alone
scaled.py       products that neither overflow nor vanish

Start with `uses.py`.
"""

from minigrad.flow.ledgers import Ledger, ledger
from minigrad.flow.products import JacobianProducts, Paths, jacobian_products

__all__ = ["JacobianProducts", "Ledger", "Paths", "jacobian_products", "ledger"]
