"""The steps of a month's close: approve, issue. Each is one journal record that says who took it;
taken again it changes nothing.
"""

from __future__ import annotations

from datetime import datetime

from billing.close.checklist import look, taken
from billing.close.issuing import IssuedMonth, issue_month
from billing.close.records import Checklist, StepName
from billing.invoices.run import Order
from billing.invoices.settings import InvoiceSettings
from billing.invoices.waiting import Waiting
from billing.lake import publish
from billing.store.store import Store
from edge.errors import InputError


def approve(
    store: Store, month: str, *, by: str, reason: str, settings: InvoiceSettings, at: datetime
) -> Checklist:
    """Let pass what the checklist finds now, in the name of `by`; the checklist with that approval.

    InputError when something must be mended first: that nobody can let pass.
    """
    found = look(store, month, settings=settings, at=at)
    _refuse_stops(found, "approved")
    given = found.approval
    if given is not None and given.decided_by == by and not found.unapproved:
        return found
    there = sum(one.issued for one in found.totals)
    _commit(
        store,
        month,
        "approved",
        by=by,
        reason=reason,
        at=at,
        documents=there,
        findings=found.findings,
    )
    return look(store, month, settings=settings, at=at)


def issue(
    store: Store, month: str, *, by: str, settings: InvoiceSettings, at: datetime
) -> tuple[Checklist, IssuedMonth]:
    """Issue the month as far as it is approved, or free of findings where the policy is `auto`.

    Accounts with a finding that nobody approved wait. InputError when nothing may be issued.
    """
    found = look(store, month, settings=settings, at=at)
    _refuse_stops(found, "issued")
    if found.policy == "approve":
        _refuse_unapproved(found)
    order = Order(month=month, account=None, at=at, left=_left(found))
    done = issue_month(store, order, settings)
    issued = [one for one in taken(store, month) if one.step == "issued"]
    documents = len(done.documents)
    if documents and (not issued or issued[-1].documents != documents):
        _commit(store, month, "issued", by=by, at=at, documents=documents)
    return found, done


def note_sent(store: Store, month: str, *, by: str, documents: int, at: datetime) -> None:
    """Note that so many documents of the month have reached their accounts, if that is new."""
    told = [one for one in taken(store, month) if one.step == "sent"]
    if documents and (not told or told[-1].documents != documents):
        _commit(store, month, "sent", by=by, at=at, documents=documents)


def _refuse_stops(found: Checklist, what: str) -> None:
    for one in found.stops[:1]:
        more = f" (and {len(found.stops) - 1} more)" if len(found.stops) > 1 else ""
        raise InputError(
            f"{found.month} cannot be {what}: {one.name}: {one.what}{more}",
            one.answer or f"edgetoll billing close --month {found.month} shows all of it",
        )


def _refuse_unapproved(found: Checklist) -> None:
    again = (
        f'look at it, then edgetoll billing close --month {found.month} --approve NAME --reason "…"'
    )
    if found.approval is None:
        raise InputError(f"nobody has approved the close of {found.month}", again)
    new = [key for key in found.unapproved if ":" not in key]
    if new:
        raise InputError(
            f"since {found.approval.decided_by} approved {found.month} there is: {', '.join(new)}",
            again,
        )


def _left(found: Checklist) -> tuple[Waiting, ...]:
    """The accounts with a finding that nobody approved, each with all of its findings."""
    unapproved = set(found.unapproved)
    said: dict[str, list[str]] = {}
    for one in found.items:
        for account, key in zip(one.accounts, one.findings(), strict=False):
            if key in unapproved:
                said.setdefault(account, []).append(one.name)
    return tuple(
        Waiting(
            account_id=account,
            problem=f"nobody has approved what was found of it: {', '.join(names)}",
            hint=f"edgetoll billing close --month {found.month} shows it;"
            ' then --approve NAME --reason "…" and --issue again',
        )
        for account, names in sorted(said.items())
    )


def _commit(
    store: Store,
    month: str,
    step: StepName,
    *,
    by: str,
    at: datetime,
    reason: str = "",
    documents: int,
    findings: tuple[str, ...] = (),
) -> None:
    """One journal record: the step, who took it, and what was let pass."""
    store.commit(
        "month_close",
        {
            "step": {
                "month": month,
                "step": step,
                "decided_by": by,
                "reason": reason,
                "findings": list(findings),
                "documents": documents,
            }
        },
        at=at,
    )
    publish.publish(store)
