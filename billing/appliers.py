"""Wiring: imports every module that registers appliers, so that any record of the journal can be
applied.
"""

from __future__ import annotations

import importlib
import importlib.util

_MODULES = (
    "billing.ledger.transfers",
    "billing.accounts.load",
    "billing.runs.import_hours",
    "billing.runs.run",
    "billing.prices",
    "billing.prices.adoption",
    "billing.rating",
    "billing.rating.appliers",
    "billing.invoices",
    "billing.invoices.appliers",
    "billing.balance",
    "billing.balance.appliers",
    "billing.outbox",
    "billing.outbox.appliers",
)


def _present(name: str) -> bool:
    parent = name.rpartition(".")[0]
    if parent != "billing" and not _present(parent):
        return False
    return importlib.util.find_spec(name) is not None


for _name in _MODULES:
    if _present(_name):
        importlib.import_module(_name)
