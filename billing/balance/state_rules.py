"""The decision: (what is known, state before, terms, conditions) -> the next state, or none.

Pure: no clock, no store. The rules are DESIGN §3.8 and DOMAIN §3. What shapes the code:
 - worse states come at once; `low_balance` and `projected_overdue` are left only when a margin
   above the limit is reached (hysteresis), arrears the moment the balance is back at zero;
 - while the figures are unverified nobody moves to `suspend_due`, `suspended` or `released`,
   whoever asks, and the grace clock does not run;
 - a payment lifts only what was stopped for arrears.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from billing.balance.forecast import Forecast, burns_per_hour, forecast
from billing.balance.records import (
    IN_ARREARS,
    STOPPED,
    AccountState,
    Act,
    Cause,
    Conditions,
    Figures,
    State,
    SuspensionTerms,
)
from edge.errors import ConflictError


def decide(
    figures: Figures, prior: AccountState, terms: SuspensionTerms, conditions: Conditions
) -> AccountState | None:
    """The account's next state, or None when it does not change."""
    state, reason = _judge(figures, prior, terms, conditions)
    if state is prior.state:
        return None
    return _next(figures, prior, terms, conditions, state, reason)


def apply_order(
    act: Act, figures: Figures, prior: AccountState, terms: SuspensionTerms, conditions: Conditions
) -> AccountState:
    """The state after a person's order; ConflictError when the order may not be followed."""
    who = f"{act.reason} (by {act.by})"
    if not act.suspend:
        return _resume(act, figures, prior, terms, conditions)
    for_another_cause = act.cause is Cause.ADMINISTRATIVE and prior.cause is Cause.ARREARS
    if prior.state in STOPPED and not for_another_cause:
        raise ConflictError(
            f"{prior.account_id} is {prior.state} already since {prior.since:%Y-%m-%dT%H:%MZ}",
            "nothing to do; resume it with: edgetoll billing resume",
        )
    if act.cause is Cause.ARREARS and conditions.unverified:
        raise ConflictError(
            f"{prior.account_id} cannot be suspended now: {conditions.unverified}",
            "no suspension on unverified figures; correct that first",
        )
    if act.cause is Cause.ARREARS and prior.state is not State.SUSPEND_DUE:
        raise ConflictError(
            f"{prior.account_id} is {prior.state}, not suspend_due",
            "only a debt older than its grace is suspended; for another cause:"
            " --cause administrative",
        )
    chosen = _next(figures, prior, terms, conditions, State.SUSPENDED, who)
    return replace(chosen, by=act.by, cause=act.cause)


def _resume(
    act: Act, figures: Figures, prior: AccountState, terms: SuspensionTerms, conditions: Conditions
) -> AccountState:
    """Service again: the debt, if one is left, gets a fresh grace from now."""
    if prior.state not in STOPPED and prior.state is not State.SUSPEND_DUE:
        raise ConflictError(
            f"{prior.account_id} is {prior.state}, not stopped: there is nothing to resume",
            "see how it stands: edgetoll billing accounts",
        )
    fresh = replace(prior, state=State.OK, overdue_since=None, overdue_clock=None, cause=None)
    patient = replace(terms, grace_seconds=max(1, terms.grace_seconds))
    state, _reason = _judge(figures, fresh, patient, conditions)
    resumed = _next(figures, fresh, terms, conditions, state, f"{act.reason} (by {act.by})")
    return replace(resumed, previous=prior.state, by=act.by)


def _judge(
    figures: Figures, prior: AccountState, terms: SuspensionTerms, conditions: Conditions
) -> tuple[State, str]:
    """The state the rules give, with the rule in words."""
    if prior.cause is Cause.ADMINISTRATIVE and prior.state in STOPPED:
        return prior.state, prior.reason
    if figures.available < 0:
        return _judge_debtor(prior, terms, conditions)
    return _judge_solvent(figures, prior, terms)


def _judge_debtor(
    prior: AccountState, terms: SuspensionTerms, conditions: Conditions
) -> tuple[State, str]:
    if prior.state in STOPPED:
        assert prior.since is not None, "a stopped account has a time since when"
        stopped_seconds = int((conditions.now - prior.since).total_seconds())
        long_enough = stopped_seconds >= terms.release_seconds
        if prior.state is State.SUSPENDED and long_enough and not conditions.unverified:
            days = terms.release_seconds // 86_400
            return State.RELEASED, f"suspended for {days} days: configuration dropped"
        return prior.state, prior.reason
    if conditions.unverified:
        held = prior.state if prior.state is State.SUSPEND_DUE else State.OVERDUE
        return held, "the balance is below zero"
    if grace_used(prior, conditions) < terms.grace_seconds:
        return State.OVERDUE, "the balance is below zero"
    due = State.SUSPENDED if terms.automatic else State.SUSPEND_DUE
    if terms.grace_seconds == 0:
        return due, "the balance is below zero and there is no grace"
    return due, f"below zero for longer than the grace of {terms.grace_seconds // 3600} h"


def grace_used(prior: AccountState, conditions: Conditions) -> int:
    """Verified seconds in arrears up to now; 0 when the arrears begin now."""
    if prior.overdue_clock is None:
        return 0
    return conditions.verified_seconds - prior.overdue_clock


def _judge_solvent(
    figures: Figures, prior: AccountState, terms: SuspensionTerms
) -> tuple[State, str]:
    # Compared as products, so that the mean of seven is never rounded:
    # available < 3 * sum // 7  would let 11.9999999999 pass for a limit of 12.
    mean_limit = 3 * figures.payable_7_hours
    margin = terms.hysteresis_percent
    stay_projected = prior.state is State.PROJECTED_OVERDUE
    if figures.projected < 0:
        return State.PROJECTED_OVERDUE, "the open hours will take the balance below zero"
    if stay_projected and 700 * figures.projected < margin * mean_limit:
        return State.PROJECTED_OVERDUE, prior.reason
    stay_low = prior.state in (State.LOW_BALANCE, State.PROJECTED_OVERDUE)
    scale = 100 + margin if stay_low else 100
    if 700 * figures.available < scale * mean_limit:
        return State.LOW_BALANCE, "less than 3 hours at the mean of the last 7"
    if terms.daily and 100 * figures.available < scale * figures.payable_day:
        return State.LOW_BALANCE, "less than the most recent day's payable"
    if terms.threshold is not None and 100 * figures.available < scale * terms.threshold:
        return State.LOW_BALANCE, "below the customer's own threshold"
    return State.OK, _relief(prior)


def _relief(prior: AccountState) -> str:
    return "the balance was restored" if prior.state in IN_ARREARS else "enough balance"


def stops_at(
    current: AccountState, outlook: Forecast, terms: SuspensionTerms, conditions: Conditions
) -> datetime | None:
    """When service would stop unless somebody pays; None: not foreseen, or stopped already.

    Zero as forecast plus the grace; in arrears what is left of the grace. While the figures are
    unverified no grace passes, so that it is the earliest time.
    """
    if current.state in STOPPED:
        return None
    if current.state is State.SUSPEND_DUE:
        return conditions.now
    if current.overdue_clock is not None:
        left = max(0, terms.grace_seconds - grace_used(current, conditions))
        return conditions.now + timedelta(seconds=left)
    if outlook.zero_at is None:
        return None
    return max(outlook.zero_at, conditions.now) + timedelta(seconds=terms.grace_seconds)


def _next(
    figures: Figures,
    prior: AccountState,
    terms: SuspensionTerms,
    conditions: Conditions,
    state: State,
    reason: str,
) -> AccountState:
    arrears = figures.available < 0
    began = prior.overdue_since is not None
    chosen = AccountState(
        account_id=prior.account_id,
        version=prior.version + 1,
        state=state,
        previous=prior.state,
        since=conditions.now,
        reason=reason,
        overdue_since=(prior.overdue_since if began else conditions.now) if arrears else None,
        overdue_clock=(prior.overdue_clock if began else conditions.verified_seconds)
        if arrears
        else None,
        cause=Cause.ARREARS if state in STOPPED else None,
    )
    return replace(chosen, evidence=evidence(figures, chosen, terms, conditions))


def evidence(
    figures: Figures, chosen: AccountState, terms: SuspensionTerms, conditions: Conditions
) -> dict[str, object]:
    """What the decision rested on, to be kept with it: anyone can repeat the judgement."""
    outlook = forecast(
        figures, start=conditions.known_through or conditions.usage_through or conditions.now
    )
    return {
        "ledger_version": conditions.ledger_version,
        "usage_through": conditions.usage_through,
        "payments_through": conditions.payments_through,
        "available": figures.available,
        "open_amount": figures.open_amount,
        "projected": figures.projected,
        "payable_7_hours": figures.payable_7_hours,
        "payable_day": figures.payable_day,
        "burn_per_hour": burns_per_hour(figures),
        "projected_zero_at": outlook.zero_at,
        "projected_zero_earliest": outlook.earliest,
        "projected_zero_latest": outlook.latest,
        "overdue_since": chosen.overdue_since,
        "grace_seconds": terms.grace_seconds,
        "grace_used_seconds": grace_used(chosen, conditions),
        "policy": "auto" if terms.automatic else "confirm",
        "suspension_at": stops_at(chosen, outlook, terms, conditions),
        "release_seconds": terms.release_seconds,
        "unverified": conditions.unverified,
    }
