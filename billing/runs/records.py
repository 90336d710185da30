"""The nouns of a run: what it came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from billing.money import format_amount
from billing.rating.records import HeldHour
from billing.runs import breaker
from billing.runs.import_hours import ImportOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a run did. `state`: done, nothing, held, waiting (no closed hour yet) or dry (not
    posted).
    """

    state: str
    run_id: str | None = None
    through: datetime | None = None
    imported: ImportOutcome = field(default_factory=ImportOutcome)
    totals: tuple[breaker.Total, ...] = ()
    reason: str = ""
    held_hours: tuple[HeldHour, ...] = ()
    held_count: int = 0
    journal_no: int | None = None

    @property
    def exit_code(self) -> int:
        """3 where the breaker holds the run, 1 where it met usage that is not billed: too old to be
        billed unseen, or without a price.
        """
        if self.state == "held":
            return 3
        return 1 if self.imported.too_old or self.held_count else 0

    def document(self) -> dict[str, object]:
        """The run for `--json`; money as decimal strings."""
        return {
            "state": self.state,
            "run": self.run_id,
            "through": self.through,
            "imported_files": self.imported.files,
            "imported_requests": self.imported.requests,
            "too_old_files": self.imported.too_old,
            "future_files": self.imported.future,
            "totals": [
                {
                    "currency": total.currency,
                    "period": total.period_kind,
                    "amount": format_amount(total.amount),
                    "periods": total.periods,
                    "charges": total.charges,
                }
                for total in self.totals
            ],
            "reason": self.reason,
            "held_hours": [
                {"account_id": one.account_id, "hour": one.hour, "problem": one.problem,
                 "hint": one.hint}
                for one in self.held_hours
            ],
            "held_count": self.held_count,
            "journal_no": self.journal_no,
        }  # fmt: skip


HELD_CAUSES = 20
"""So many causes are named, whatever the number of hours that each of them holds."""


def held_lines(done: RunOutcome) -> list[str]:
    """What a run did not rate, a line for each cause: an account and what its hours lack."""
    causes: dict[tuple[str, str, str], list[datetime]] = {}
    for one in done.held_hours:
        causes.setdefault((one.account_id, one.problem, one.hint), []).append(one.hour)
    named = list(causes.items())[:HELD_CAUSES]
    said = []
    for (account, problem, hint), hours in named:
        count = "1 hour," if len(hours) == 1 else f"{len(hours):,} hours from"
        since = f"{count} {min(hours):%Y-%m-%dT%H:%MZ}"
        said.append(f"Not rated: {account}, {since}: {problem}. {hint}")
    more = done.held_count - sum(len(hours) for _cause, hours in named)
    if more > 0:
        said.append(f"… and {more:,} more account-hours are not rated.")
    return said
