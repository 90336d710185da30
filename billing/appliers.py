"""What each kind of journal record does to the tables: one literal table for every command.

The functions of a kind are called in the order in which they stand here. Money moves first, then
what was decided about the account (its state, the events that tell of it) is taken in. `open_store`
is how every command opens the billing store.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import MappingProxyType

from billing.accounts import appliers as accounts
from billing.balance.appliers import apply_deliveries, apply_states
from billing.balance.burn import apply_burn
from billing.https.edge_facts import apply_facts
from billing.invoices import appliers as invoices
from billing.ledger import transfers
from billing.older_copy import refuse_older_copy
from billing.prune import merging, messages, usage
from billing.runs import import_hours, run
from billing.settings import check_settings
from billing.store.open import opened
from billing.store.store import Appliers, Store

APPLIERS: Appliers = MappingProxyType(
    {
        # accounts, domains, plans
        "load": (accounts.apply_load, apply_states),
        "terms": (run.apply_terms,),
        # closed hours and what they cost
        "import": (import_hours.apply_import,),
        "accept_too_old": (import_hours.apply_accept,),
        "run_held": (run.apply_held,),
        "rating_run": (transfers.apply_charges, apply_burn, run.apply_rating),
        # what need not be kept as it was
        "charges_merged": (merging.apply_merge,),
        "usage_pruned": (usage.apply_pruned,),
        messages.KIND: (messages.apply_pruned,),
        # payments, vouchers, refunds
        "transfers": (transfers.apply_transfers, apply_states),
        "payments": (transfers.apply_payments, apply_states),
        # invoices
        "invoice_run": (invoices.apply_run,),
        "invoice_void": (invoices.apply_void,),
        "credit_note": (invoices.apply_credit_note, apply_states),
        "invoice_paid": (invoices.apply_paid,),
        "month_close": (invoices.apply_close,),
        "document_events": (apply_states,),
        # how accounts stand, and who was told
        "account_states": (apply_states,),
        "account_act": (apply_states,),
        "full_state": (apply_states,),
        "deliveries": (apply_deliveries,),
        # HTTPS at the edges
        "https_facts": (apply_facts,),
        "https_expiry": (apply_states,),
    }
)


def open_store(
    home: Path,
    *,
    owner: str,
    now: datetime,
    wait_seconds: int = 0,
    appliers: Appliers = APPLIERS,
) -> Store:
    """Take the lock of `home` and open its store, brought up to the journal, unless the lake or a
    document shows that store and journal are an older copy.

    First the settings are read whole: ConfigError names a key that nobody would read.
    """
    check_settings(home)
    return opened(
        home,
        owner=owner,
        now=now,
        appliers=appliers,
        evidence=refuse_older_copy,
        wait_seconds=wait_seconds,
    )
