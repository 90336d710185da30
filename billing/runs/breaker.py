"""The breaker: an absurd run waits for a person instead of reaching a balance (FAULTS F8, P5).

A CDN once billed request counts 10,000 times too high after a change of unit and paused 100
customers. So a run is held when, per period it charges, it lies far above the trailing median of
the runs before it, or when the whole of it lies above an absolute cap. Pure decisions;
`billing.runs.run` acts on them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from billing.money import format_amount

HISTORY = 24
# So many hours (days, months) must be known: a first run over a month of logs tells enough.
HISTORY_LEAST = 3
AGREEMENT = "agreement"
"""The kind of what has no period: a plan that is sold, a commitment that settles. Nothing is usual
about it, so that only a cap holds it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a run charges in one currency for one kind of period (hour, day, month, agreement), in
    10^-10 units.

    `gross` sums absolute amounts, so that a large credit does not hide a large charge.
    """

    currency: str
    period_kind: str
    amount: int
    gross: int
    periods: int
    charges: int

    @property
    def per_period(self) -> int:
        """Gross amount per period charged, cut."""
        return self.gross // max(1, self.periods)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerLimits:
    """`factor` times the trailing median per period holds a run, if it is above `floor` as well;
    `caps` are absolute, per currency. Amounts in 10^-10 units.
    """

    factor: int
    floor: int
    caps: Mapping[str, int]


def to_text(totals: Iterable[Total]) -> str:
    """Totals as they are stored with a run: JSON, amounts as integers in text."""
    document = {
        f"{total.currency}/{total.period_kind}": {
            "amount": str(total.amount),
            "gross": str(total.gross),
            "periods": total.periods,
            "charges": total.charges,
        }
        for total in totals
    }
    return json.dumps(document, sort_keys=True)


def from_text(text: str) -> list[Total]:
    """The totals that `to_text` wrote."""
    totals = []
    for key, value in json.loads(text).items():
        currency, kind = key.split("/")
        totals.append(
            Total(
                currency=currency,
                period_kind=kind,
                amount=int(value["amount"]),
                gross=int(value["gross"]),
                periods=value["periods"],
                charges=value["charges"],
            )
        )
    return totals


def verdict(
    totals: Sequence[Total], history: Sequence[Sequence[Total]], limits: BreakerLimits
) -> str | None:
    """Why the run must wait, in one line; None: post it. `history`: the runs before it."""
    for currency in sorted({total.currency for total in totals}):
        gross = sum(total.gross for total in totals if total.currency == currency)
        cap = limits.caps.get(currency)
        if cap is not None and gross > cap:
            return (
                f"it charges {format_amount(gross, currency)} {currency}, above the cap of"
                f" {format_amount(cap, currency)}"
            )
    for total in totals:
        if total.period_kind == AGREEMENT:
            continue
        median = _median(total, history)
        if median is None or total.per_period <= limits.floor:
            continue
        if total.per_period > limits.factor * median:
            return (
                f"it charges {format_amount(total.per_period, total.currency)} {total.currency} per"
                f" {total.period_kind}, more than {limits.factor} times the trailing median of"
                f" {format_amount(median, total.currency)}"
            )
    return None


def _median(total: Total, history: Sequence[Sequence[Total]]) -> int | None:
    """The lower median per period of the same currency and kind; None while there is too little."""
    key = (total.currency, total.period_kind)
    alike = [one for run in history for one in run if (one.currency, one.period_kind) == key]
    known = sorted(one.per_period for one in alike)
    periods = sum(one.periods for one in alike)
    return known[(len(known) - 1) // 2] if periods >= HISTORY_LEAST else None
