"""How fast the monthly run is: invoice records of many accounts, then their documents.

    python -m bench.documents [--accounts 100000] [--hours 1] [--pdf 200] [--workers 2]
    python -m bench.documents --accounts 1000000 --records      only the run, without documents
    python -m bench.documents --records --sums                  of charges that stand in sums alone

Fills a store of a temporary home with accounts whose month is rated (three items each, tiers
reached, plans used) in `--hours` charges an item (744: one an hour), or in none at all with
`--sums`: the sums of the month are there and no file of charges is. Then it runs the real run:
lines, settlement, numbers, one journal record with its Parquet effects, tables, ledger, checks.
Then it renders and writes JSON and CSV of all and the PDF of a few, as `edgetoll billing invoice`
does. Baselines in the same run: a Python loop over the same settlement rules, and writing the same
bytes to files without rendering them.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import duckdb

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import sql
from billing.appliers import open_store
from billing.checks import invariants
from billing.invoices import reading
from billing.invoices.documents import bulk, pdf_document
from billing.invoices.documents.rendering import prepare, render_chunk
from billing.invoices.run import Order, issue
from billing.invoices.settings import InvoiceSettings, Seller
from billing.invoices.settlement import cut_to_minor
from billing.store.store import Store

MONTH = "2026-10"
END = datetime(2026, 11, 1, tzinfo=UTC)
AT = datetime(2026, 11, 1, 4, tzinfo=UTC)
LOOP_ACCOUNTS = 20_000
FILL = (
    """INSERT INTO accounts BY NAME SELECT 1 AS journal_no,
    'a' || lpad(n::VARCHAR, 8, '0') AS account_id, TIMESTAMP '2020-01-01' AS effective_from,
    'Customer ' || n AS name, 'USD' AS currency, 'UTC' AS timezone, 'bench' AS price_book,
    'data_transfer' AS billing_method, 0 AS credit_limit, 24 AS grace_hours,
    'confirm' AS suspension_policy, (n % 4) * 500 AS tax_rate_bp,
    'pay@x' || n || '.example' AS email,
    n || ' Main Street, Town' AS address, 'DE' AS country, '' AS tax_id,
    TIMESTAMP '2020-01-01' AS opened_at FROM range($accounts) AS t(n)""",
    """INSERT INTO account_versions BY NAME FROM accounts""",
    """INSERT INTO balances SELECT account_id, currency, 1000000000000, 0, 0 FROM accounts""",
    """INSERT INTO price_cards BY NAME SELECT item || '.' || region AS card_id, 'bench' AS book,
    item, region, model, 'USD' AS currency, unit, per, unit_quantity, 'month' AS period,
    TIMESTAMP '2020-01-01' AS effective_from, 0 AS flat_fee, 0 AS free_quantity,
    0 AS discount_millionths FROM (VALUES
    ('https_requests', 'all', 'per_unit', 'request', 10000, 10000),
    ('quic_requests', 'all', 'per_unit', 'request', 10000, 10000),
    ('data_transfer', 'EU', 'graduated', 'GB', 1, 1073741824))
    AS c(item, region, model, unit, per, unit_quantity)""",
    """INSERT INTO price_tiers SELECT * FROM (VALUES
    ('https_requests.all', 1, 0, NULL, 80000000, 0, false),
    ('quic_requests.all', 1, 0, NULL, 80000000, 0, false),
    ('data_transfer.EU', 1, 0, 53687091200, 700000000, 0, false),
    ('data_transfer.EU', 2, 53687091200, 1099511627776, 600000000, 0, false),
    ('data_transfer.EU', 3, 1099511627776, NULL, 300000000, 0, false))""",
    """CREATE TEMP TABLE effect_month_state AS WITH used AS (
    SELECT accounts.account_id, c.card_id, c.item, c.region, c.unit_quantity, c.model,
    hash(accounts.account_id || c.card_id)
    % (CASE c.model WHEN 'graduated' THEN 200000000000 ELSE 90000000 END)
    AS q FROM accounts CROSS JOIN price_cards AS c)
    SELECT account_id, '2026-10' AS month, item, region, card_id AS rate_card, q AS quantity,
    0 AS free_quantity, CASE model WHEN 'graduated' THEN q // 4 ELSE 0 END AS plan_quantity,
    q - plan_quantity AS billable_quantity,
    CASE model WHEN 'per_unit' THEN q::HUGEINT * 80000000 // 10000
    ELSE (least(q - q // 4, 53687091200)::HUGEINT * 700000000
    + greatest(0, q - q // 4 - 53687091200)::HUGEINT * 600000000) // 1073741824 END AS amount,
    0 AS place_from, 0 AS numerator, 1 AS denominator, 0 AS flat_fee, 0 AS maximum, 0 AS minimum
    FROM used""",
    """INSERT INTO month_accounts
    SELECT row_number() OVER (ORDER BY account_id), account_id FROM accounts""",
    sql.text("statements/rating/apply/keep_replayed_months"),
    sql.text("statements/rating/apply/put_months"),
    "DROP TABLE effect_month_state",
    # Each hour has its share of the month, so that the shares add up to it, to the unit.
    """CREATE TABLE made_charges AS SELECT account_id || item || h AS charge_id, account_id, item,
    region, month, TIMESTAMP '2026-10-01' + INTERVAL 1 HOUR * (h * 744 // $hours) AS period_start,
    TIMESTAMP '2026-10-01' + INTERVAL 1 HOUR * ((h + 1) * 744 // $hours) AS period_end,
    0::HUGEINT AS free_quantity,
    plan_quantity * (h + 1) // $hours - plan_quantity * h // $hours AS plan_quantity,
    billable_quantity * (h + 1) // $hours - billable_quantity * h // $hours AS billable_quantity,
    plan_quantity * (h + 1) // $hours - plan_quantity * h // $hours
    + billable_quantity * (h + 1) // $hours - billable_quantity * h // $hours AS quantity,
    amount * (h + 1) // $hours - amount * h // $hours AS amount, 'USD' AS currency, rate_card,
    0 AS revision, 'usage' AS reason, 'bench' AS run_id, 0 AS journal_no, 'usage' AS term
    FROM month_state CROSS JOIN range($hours::BIGINT) AS r(h)""",
    "CREATE OR REPLACE TEMP VIEW charges AS FROM made_charges",
    """INSERT INTO usage BY NAME SELECT
    TIMESTAMP '2026-10-01' + INTERVAL 1 HOUR * (h * 744 // $hours) AS hour, hour AS bucket,
    'spool' AS partition, 0 AS revision, account_id,
    'www.customer-' || n || '.example' AS domain, 'DE' AS region, 'https' AS class,
    1000 + (n + h) % 999 AS requests, 1000000 + (n * h) % 999999 AS bytes_sent, 1 AS import_no
    FROM (SELECT account_id, row_number() OVER () AS n FROM accounts)
    CROSS JOIN range($hours::BIGINT) AS r(h)""",
    """INSERT INTO rating_marks SELECT 'bench', 1, TIMESTAMP '2026-11-01', TIMESTAMP '2026-10-01',
    '', 1""",
    """INSERT INTO imported_files BY NAME SELECT hour, 'spool' AS partition, 0 AS revision,
    '' AS data_sha256, sha256(hour::VARCHAR) AS certificate_sha256,
    row_number() OVER () AS certificate_number,
    'closed' AS state, 0 AS rows, 0 AS requests, 0 AS bytes_sent, hour AS closed_at,
    TIMESTAMP '2026-11-01' AS complete_through, false AS too_old, '{}' AS certificate,
    1 AS import_no
    FROM generate_series(TIMESTAMP '2026-10-01', TIMESTAMP '2026-10-31 23:00', INTERVAL 1 HOUR)
    AS t(hour)""",
)
SETTINGS = InvoiceSettings(
    formats=("json", "csv"),
    seller=Seller(name="Bench CDN", address=("1 Bench Street",), tax_id="B-1"),
)
Row = tuple[str, str, str, str, str]
"""What was measured: seconds, CPU seconds (of the workers too), documents a second, and more."""


class Clock:
    """Seconds and CPU seconds of this process, its threads and the children it waited for."""

    def __init__(self) -> None:
        self.seconds, self.cpu = time.perf_counter(), _cpu()

    def stop(self) -> None:
        """Keep what passed since it was made."""
        self.seconds, self.cpu = time.perf_counter() - self.seconds, _cpu() - self.cpu

    def cells(self, documents: int) -> tuple[str, str, str]:
        """Seconds, CPU seconds and documents a second, as a table has them."""
        return (
            f"{self.seconds:.1f} s",
            f"{self.cpu:.1f} CPU s",
            f"{documents / self.seconds:,.0f}/s",
        )


def _cpu() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def timed(what: Callable[[], object]) -> float:
    """Seconds that `what` takes."""
    begin = time.perf_counter()
    what()
    return time.perf_counter() - begin


def fill(store: Store, accounts: int, hours: int, *, sums: bool) -> None:
    """Accounts whose October is rated, straight into the tables: filling is not measured.

    A store that was empty when it was opened has one thread; one of this size is opened with all.
    """
    store.connection.execute("RESET threads")
    given = {"accounts": accounts, "hours": hours}
    for statement in FILL:
        if sums and "made_charges" in statement:
            continue
        used = {name: value for name, value in given.items() if f"${name}" in statement}
        store.connection.execute(statement, used)


def settle_in_a_loop(connection: duckdb.DuckDBPyConnection, accounts: int) -> tuple[int, float]:
    """The same totals account by account in Python: their sum and the seconds (of `accounts`)."""
    rows = connection.execute(
        "SELECT account_id, list(amount), any_value(tax_rate_bp) FROM month_state"
        " INNER JOIN accounts USING (account_id) GROUP BY account_id ORDER BY account_id LIMIT $n",
        {"n": accounts},
    ).fetchall()
    begin = time.perf_counter()
    total = 0
    for _account, amounts, rate in rows:
        net, _cut = cut_to_minor(sum(amounts), "USD")
        units = Fraction(rate) * net / 10_000 / 10**8 + Fraction(1, 2)
        total += net + units.numerator // units.denominator * 10**8
    return total, time.perf_counter() - begin


def records(store: Store, settings: InvoiceSettings, accounts: int, *, sums: bool) -> list[Row]:
    """Measure the run itself."""
    order = Order(month=MONTH, account=None, at=AT)
    issued = Clock()
    done = issue(store, order, settings)
    issued.stop()
    assert done.invoices == accounts, "an account has no invoice"
    lines = store.connection.table("invoice_lines").shape[0]
    rows = [
        ("lines, numbers, journal, tables, ledger", *issued.cells(accounts), f"{lines:,} lines")
    ]
    checked = Clock()
    _sound(store, of_the_run=sums)
    checked.stop()
    checks = "the checks of a run" if sums else "all checks over all of it"
    rows.append((checks, *checked.cells(accounts), ""))
    wanted, seconds = settle_in_a_loop(store.connection, min(accounts, LOOP_ACCOUNTS))
    ((found,),) = store.connection.execute(
        "SELECT sum(total) FROM (SELECT total FROM invoices ORDER BY account_id LIMIT $n)",
        {"n": min(accounts, LOOP_ACCOUNTS)},
    ).fetchall()
    assert found == wanted, "the loop and the run differ"
    per_loop = min(accounts, LOOP_ACCOUNTS) / seconds
    rows.append(("baseline: totals only, Python loop", f"{accounts / per_loop:.1f} s", "",
                 f"{per_loop:,.0f}/s", "equal to the unit"))  # fmt: skip
    return rows


def _sound(store: Store, *, of_the_run: bool) -> None:
    """The checks over invoices; those of a run read no file of charges."""
    found = invariants.run(store.connection, scope=1 if of_the_run else None)
    failures = [one for one in found if one.check.startswith("invoice_")]
    assert failures == [], failures[0]


def documents(store: Store, options: argparse.Namespace) -> list[Row]:
    """Measure rendering and writing."""
    reading.of_month(store.connection, MONTH, None)
    count = options.accounts
    rendering = Clock()
    reading.choose_month(store.connection, MONTH, None)
    prepare(store.connection)
    for chunk in reading.chunks(store.connection):
        render_chunk(store.connection, chunk)
    rendering.stop()
    first = Clock()
    written = bulk.write(store.home, store.connection, MONTH, workers=options.workers)
    first.stop()
    size = sum(path.stat().st_size for path in (store.home / "invoices" / MONTH).iterdir())
    again = Clock()
    bulk.write(store.home, store.connection, MONTH, workers=options.workers)
    again.stop()
    merely = _write_only(store.home)
    some = list(reading.first_of_month(store.connection, MONTH, options.pdf))
    pdf_document.render(some[0])
    pdf = Clock()
    for one in some:
        pdf_document.render(one)
    pdf.stop()
    times = f"{first.seconds / merely.seconds:.2f} x as long as merely written"
    return [
        (f"JSON and CSV of {count:,} in memory", *rendering.cells(count), ""),
        (f"JSON and CSV of {count:,} in files", *first.cells(count),
         f"{written.new:,} files, {size / 1e6:,.0f} MB"),
        ("again, nothing to change", *again.cells(count), ""),
        ("baseline: the same bytes, written only", *merely.cells(count), times),
        (f"PDF of {len(some)}, one process", *pdf.cells(len(some)), ""),
    ]  # fmt: skip


def _write_only(home: Path) -> Clock:
    """What it takes to write the documents once more, from memory, under other names."""
    here = home / "invoices" / MONTH
    contents = [(path.name, path.read_bytes()) for path in here.iterdir()]
    there = home / "invoices" / "copy"
    there.mkdir()

    clock = Clock()
    for name, data in contents:
        hidden = there / f".{name}.tmp"
        hidden.write_bytes(data)
        os.replace(hidden, there / name)
    clock.stop()
    return clock


def main() -> None:
    """Fill, run, render, and print one table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, default=100_000)
    parser.add_argument("--hours", type=int, default=1)
    parser.add_argument("--sums", action="store_true", help="charges stand in sums alone")
    parser.add_argument("--records", action="store_true", help="the run only, no documents")
    parser.add_argument("--pdf", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        open_store(Path(folder), owner="bench", now=AT) as store,
    ):
        filled = timed(lambda: fill(store, options.accounts, options.hours, sums=options.sums))
        print(f"filled in {filled:.1f} s", file=sys.stderr)
        rows = records(store, SETTINGS, options.accounts, sums=options.sums)
        print(*rows, sep="\n", file=sys.stderr)
        if not options.records:
            rows += documents(store, options)
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()},"
        f" DuckDB {duckdb.__version__}; {options.accounts:,} accounts × 3 items"
        + (", charges in sums alone" if options.sums else f" × {options.hours} charges")
    )
    for name, seconds, cpu, rate, more in rows:
        print(f"  {name:<40} {seconds:>8} {cpu:>12} {rate:>10}  {more}")
    print(f"  peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MiB")


if __name__ == "__main__":
    main()
