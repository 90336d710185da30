"""A small world for rating tests: real tables in memory, real statements, no files.

It does for a rating run what the store does: the effects become views, the charges are inserted,
and rating's appliers move its tables.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

import sql
from billing.ledger.transfers import gather_charges
from billing.prices import read_book
from billing.prices.records import PriceBooks
from billing.rating import appliers, engine
from billing.rating.records import RatingOutcome
from tests.billing.filed import made_charges
from tests.effort import THOROUGH
from tests.reference import Account, Usage

BOOK = "book"
_TEXT, _TIME, _COUNT = pa.string(), pa.timestamp("us"), pa.int64()
_USAGE = (_TIME, _TIME, _TEXT, pa.int32(), _TEXT, _TEXT, _TEXT, _TEXT, _COUNT, _COUNT, _COUNT)


def at(text: str) -> datetime:
    """A time as a test writes it."""
    return datetime.fromisoformat(text)


def one_book(folder: Path, text: str) -> PriceBooks:
    """The price book in `text`, read from a file in `folder`."""
    path = folder / "book.toml"
    path.write_text(text, encoding="utf-8")
    return PriceBooks(books={BOOK: read_book(path)})


class World:
    """Accounts, usage and runs in a DuckDB in memory."""

    def __init__(self, books: PriceBooks, currency: str = "USD") -> None:
        self.connection = duckdb.connect()
        if not THOROUGH:  # as in a small store; thorough runs rate on all cores
            self.connection.execute("SET threads = 1")
        self.books = books
        self.currency = currency
        self.import_no = 0
        self.runs = 0
        self.held: dict[str, str] = {}
        """Accounts with an hour that was ever held, and why."""
        for name in ("billing", "rating", "invoices"):
            self.connection.execute(sql.text(f"schema/{name}"))
        made_charges(self.connection)

    def account(self, account: Account, book: str = BOOK) -> None:
        """Add an account with its methods and plans."""
        self.connection.execute(
            "INSERT INTO accounts (account_id, effective_from, name, currency, timezone,"
            " price_book, billing_method, credit_limit, grace_hours, suspension_policy,"
            " tax_rate_bp, email, address, country, tax_id, opened_at, closed_at, journal_no)"
            " SELECT ?, ?, 'name', ?, ?, ?, ?, 0, 24, 'auto', 0, '', '', '', '', ?, ?, last_no + 1"
            " FROM journal_state",
            [account.account_id, account.opened, self.currency, account.zone, book,
             account.method, account.opened,
             None if account.closed.year == 9999 else account.closed],
        )  # fmt: skip
        self.connection.execute(
            "INSERT INTO account_versions BY NAME FROM accounts WHERE account_id = ?",
            [account.account_id],
        )  # fmt: skip
        self.connection.execute(
            "INSERT INTO month_accounts SELECT count(*) + 1, ? FROM month_accounts",
            [account.account_id],
        )
        self.connection.execute("UPDATE journal_state SET last_no = last_no + 1")
        if account.changes:
            methods = [(datetime(1970, 1, 1), account.method), *account.changes]  # noqa: DTZ001
            for asked, method in methods:
                self.connection.execute(
                    "INSERT INTO account_methods VALUES (?, ?, ?)",
                    [account.account_id, method, asked],
                )
        for plan in account.plans:
            self.plan(account.account_id, plan)
            if self.runs and plan.price is not None:
                self.changed(account.account_id, plan.starts, "sold in hours already rated")
        for credit in account.credits:
            self.credit(account.account_id, credit)
        for one in account.commitments:
            self.connection.execute(
                "INSERT INTO agreements VALUES (?, ?, 'commitment', ?, '', '', 0, ?, ?, ?, 1)",
                [one.commitment_id, account.account_id, one.amount, one.settles, one.starts,
                 one.ends],
            )  # fmt: skip

    def close(self, account_id: str, moment: datetime, *, at: datetime) -> None:
        """Close an account, as a load says it; what was charged after it is looked at again."""
        for update in (
            "UPDATE accounts SET closed_at = ? WHERE account_id = ?",
            "UPDATE account_versions SET closed_at = ? WHERE account_id = ?",
        ):
            self.connection.execute(update, [moment, account_id])
        if moment < at:
            self.changed(account_id, moment, "account opened or closed otherwise")

    def plan(self, account_id: str, plan: Any) -> None:
        """Add a plan of an account."""
        self.connection.execute(
            "INSERT INTO plans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, 1)",
            [plan.plan_id, account_id, plan.kind, plan.region, plan.quantity, plan.starts,
             plan.ends, plan.starts, getattr(plan, "price", None)],
        )  # fmt: skip

    def credit(self, account_id: str, credit: Any) -> None:
        """Add a promotional credit of an account."""
        self.connection.execute(
            "INSERT INTO agreements VALUES (?, ?, 'credit', ?, ?, ?, ?, '', ?, ?, 1)",
            [credit.credit_id, account_id, credit.amount, ",".join(credit.items),
             ",".join(credit.regions), credit.priority, credit.starts, credit.ends],
        )  # fmt: skip

    def use(self, rows: Iterable[tuple[str | None, Usage]]) -> int:
        """Import usage of accounts as one import; returns its number."""
        self.import_no += 1
        values = [
            (row.bucket.replace(minute=0), row.bucket, "spool", 0, account_id, "www.example.com",
             row.label, row.kind, row.requests, row.bytes_sent, self.import_no)
            for account_id, row in rows
        ]  # fmt: skip
        columns = list(zip(*values, strict=True)) or [() for _ in _USAGE]
        self.connection.register(
            "given_usage",
            pa.table([pa.array(c, k) for c, k in zip(columns, _USAGE, strict=True)],
                     names=[f"c{n}" for n in range(len(_USAGE))]),
        )  # fmt: skip
        self.connection.execute(
            "INSERT INTO usage (hour, bucket, partition, revision, account_id, domain, region,"
            " class, requests, bytes_sent, import_no) SELECT * FROM given_usage"
        )
        return self.import_no

    def rate(self, through: datetime) -> RatingOutcome:
        """One rating run, applied."""
        self.runs += 1
        outcome = engine.rate(
            self.connection,
            books=self.books,
            run_id=f"R{self.runs}",
            through=through.replace(tzinfo=UTC),
        )
        self.apply(outcome)
        self.held |= {one.account_id: one.problem for one in outcome.held}
        return outcome

    def apply(self, outcome: RatingOutcome) -> None:
        """What the ledger's applier of a rating run does to the tables rating cares about."""
        for name, table in outcome.effects.items():
            self.connection.register(f"effect_{name}", self.connection.table(table))
        self.connection.execute("BEGIN")
        self.connection.execute(
            "INSERT INTO made_charges BY NAME SELECT uuid()::VARCHAR AS charge_id, ? AS run_id,"
            " ? AS journal_no, * EXCLUDE (numerator, denominator, place_from, replayed)"
            " FROM effect_charges",
            [f"R{self.runs}", self.runs],
        )
        if outcome.numbered is not None:
            self.connection.register("effect_charges", self.connection.table(outcome.numbered))
        gather_charges(self.connection)
        effects: dict[str, Any] = dict.fromkeys(outcome.effects, "")
        appliers.apply(self.connection, effects | {"rating_mark": dict(outcome.mark)})
        self.connection.execute("UPDATE journal_state SET last_no = last_no + 1")
        self.connection.execute("DELETE FROM replay_marks")
        self.connection.execute("COMMIT")
        for name in outcome.effects:
            self.connection.unregister(f"effect_{name}")

    def changed(self, account_id: str, since: datetime, reason: str) -> None:
        """Say that an account's past changed, as a load does."""
        self.connection.execute(
            "INSERT INTO replay_marks VALUES (?, ?, ?, 1)", [account_id, since, reason]
        )

    def issue(self, account_id: str, month: str) -> None:
        """Issue a month: usage imported later is late."""
        self.connection.execute(
            "INSERT INTO issued_months SELECT ?, ?, coalesce(max(import_no), 0), 'I1', now(), 1"
            " FROM rating_marks",
            [account_id, month],
        )

    def totals(self) -> dict[tuple[str, str, str, str], tuple[int, int, int, int]]:
        """(account, month, item, region) -> quantity, free, plan, amount over all revisions."""
        rows = self.connection.execute(
            "SELECT account_id, month, item, region, sum(quantity), sum(free_quantity),"
            " sum(plan_quantity), sum(amount) FROM charges GROUP BY ALL"
        ).fetchall()
        found = {row[:4]: tuple(int(value) for value in row[4:]) for row in rows}
        return {key: value for key, value in found.items() if any(value)}

    def terms(self) -> dict[tuple[str, str, str, str], tuple[int, int, int]]:
        """(account, month, item, region) -> flat fee, maximum, minimum, as the months hold them
        and as the charges add up to them.
        """
        found = []
        for table in (
            "SELECT account_id, month, item, region, flat_fee, maximum, minimum FROM month_state",
            "SELECT account_id, month, item, region,"
            " CASE term WHEN 'flat fee' THEN amount ELSE 0 END AS flat_fee,"
            " CASE term WHEN 'maximum' THEN amount ELSE 0 END AS maximum,"
            " CASE term WHEN 'minimum' THEN amount ELSE 0 END AS minimum FROM charges",
        ):
            rows = (
                self.connection.sql(table)
                .query(
                    "rows",
                    "SELECT account_id, month, item, region, sum(flat_fee), sum(maximum),"
                    " sum(minimum) FROM rows GROUP BY ALL",
                )
                .fetchall()
            )
            found.append({row[:4]: tuple(map(int, row[4:])) for row in rows if any(row[4:])})
        assert found[0] == found[1]
        return found[0]

    def hourly(self) -> dict[tuple[str, str, str, str, datetime], int]:
        """(account, month, item, region, hour) -> amount, of items charged by the hour."""
        rows = self.connection.execute(
            "SELECT account_id, month, item, region, date_trunc('hour', period_start), sum(amount)"
            " FROM charges WHERE item NOT LIKE '%bandwidth' GROUP BY ALL"
        ).fetchall()
        return {row[:5]: int(row[5]) for row in rows if row[5]}

    def repeated(self) -> list[tuple[object, ...]]:
        """The charges of one number, as check charge_revisions_once finds them."""
        self.connection.execute("CREATE OR REPLACE TEMP VIEW filed_charges AS FROM charges")
        return self.connection.execute(
            sql.text("checks/charge_revisions_once"), {"after": 0}
        ).fetchall()

    def plan_hours(self) -> dict[tuple[str, datetime], int]:
        """(plan, hour) -> what it paid."""
        rows = self.connection.execute(
            "SELECT plan_id, hour, sum(quantity) FROM plan_use GROUP BY ALL"
        ).fetchall()
        return {row[:2]: int(row[2]) for row in rows if row[2]}
