"""The store: the journal first, the tables brought up to it, and nothing believed that differs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from billing.appliers import APPLIERS, open_store
from billing.ledger import transfers
from billing.ledger.records import as_effect
from billing.ledger.top_up import top_up, top_up_transfer
from billing.money import SCALE
from billing.store.journal import RECORDS_AT_ONCE, ROWS_AT_ONCE, Record, grouped
from billing.store.session import SMALL_CHANGE_ROWS, TableRef
from billing.store.store import Applier, Store
from edge.errors import Busy, Corrupt, EdgetollError
from tests import forked
from tests.billing.homes import NOW, START, THOROUGH, load_text, make_home

PLAN = (
    '[[plans]]\nid = "p1"\naccount = "acme"\nkind = "data_transfer"\nregion = "EU"\n'
    'quantity = "50 GB"\nstarts = 2026-10-01T00:00:00Z\nends = 2027-10-01T00:00:00Z\n'
)


def opened(home: Path, now: datetime = NOW, **kinds: Applier) -> Store:
    """The store of `home`; `kinds`: record kinds of the test, and what applies each."""
    appliers = {**APPLIERS, **{kind: (function,) for kind, function in kinds.items()}}
    return open_store(home, owner="test", now=now, appliers=appliers)


def pay(home: Path, key: str, amount: int = SCALE, account: str = "acme") -> None:
    """One payment of `amount` units."""
    with opened(home) as store:
        top_up(store, account, amount, key=key, at=NOW)


def seen(home: Path) -> tuple[str, int, int]:
    """Ledger hash, last record, and what acme has: all that must not depend on the way here."""
    with opened(home) as store:
        have = transfers.balance(store.connection, "acme")
        return transfers.ledger_hash(store.connection), store.journal.last_no, have.cash


def test_g16_a_lost_billing_duckdb_is_rebuilt_from_the_journal(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    for number in range(3):
        pay(home, f"pay-{number}")
    before = seen(home)
    (home / "billing.duckdb").unlink()
    assert seen(home) == before
    assert before[2] == 3 * SCALE


def test_g16_yesterdays_backup_of_the_store_is_brought_up_to_the_journal(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    pay(home, "pay-1")
    shutil.copy(home / "billing.duckdb", tmp_path / "backup")
    pay(home, "pay-2")
    before = seen(home)
    shutil.copy(tmp_path / "backup", home / "billing.duckdb")
    assert seen(home) == before


def record(number: int, rows: int) -> Record:
    effects = {"charges": {"file": f"{number}.parquet", "sha256": "", "rows": rows}}
    effects["clock"] = {"json": {"at": "now"}}
    return Record(number=number, kind="x", at=NOW, effects=effects, previous="", hash="")


@pytest.mark.parametrize(
    ("rows", "sizes"),
    [
        ([0] * (RECORDS_AT_ONCE + 1), [RECORDS_AT_ONCE, 1]),
        ([1, ROWS_AT_ONCE - 1, 1], [2, 1]),
        ([3 * ROWS_AT_ONCE, 3 * ROWS_AT_ONCE], [1, 1]),
        ([], []),
    ],
)
def test_a_transaction_of_catching_up_is_bounded_in_records_and_in_rows(
    rows: list[int], sizes: list[int]
) -> None:
    records = [record(number, count) for number, count in enumerate(rows)]
    groups = list(grouped(records))
    assert [len(group) for group in groups] == sizes
    assert [one for group in groups for one in group] == records


def test_the_same_rows_in_another_order_are_the_same_effect_to_the_byte(tmp_path: Path) -> None:
    with opened(make_home(tmp_path)) as store:
        hashes = set()
        for order in (1, -1):
            store.connection.execute(
                "CREATE OR REPLACE TEMP TABLE shuffled AS SELECT n % 7 AS item, n AS amount"
                " FROM range(300_000) AS r (n) ORDER BY n * $order",
                {"order": order},
            )
            hashes.add(store._store_effect(1, "shuffled", TableRef("shuffled"))["sha256"])
    assert len(hashes) == 1


def test_c17_a_store_ahead_of_its_journal_is_refused_and_left_alone(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    pay(home, "pay-1")
    path = home / "journal" / "journal.jsonl"
    whole = path.read_bytes()
    cut = b"".join(whole.splitlines(keepends=True)[:-1])
    for shorter in (cut, cut + b'{"at":"2026', b""):
        path.write_bytes(shorter)
        with pytest.raises(Corrupt, match="the journal ends at"):
            opened(home)
        assert path.read_bytes() == shorter
    path.write_bytes(whole)
    assert seen(home)[2] == SCALE


def test_c16_a_store_with_another_history_is_refused(tmp_path: Path) -> None:
    home = make_home(tmp_path / "a")
    other = make_home(tmp_path / "b")
    pay(home, "pay-1")
    pay(other, "pay-other")
    shutil.copy(other / "billing.duckdb", home / "billing.duckdb")
    with pytest.raises(Corrupt, match="differ at record"):
        opened(home)


def test_c18_a_damaged_store_file_stops_and_says_what_to_do(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    pay(home, "pay-1")
    before = seen(home)
    path = home / "billing.duckdb"
    damaged = bytearray(path.read_bytes())
    damaged[100] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(Corrupt, match="cannot be opened") as caught:
        opened(home)
    assert "rebuilt from the journal" in caught.value.hint
    path.rename(tmp_path / "moved-away")
    assert seen(home) == before


# what somebody does by hand to billing.duckdb -> the table that is named
EDITS = [
    ("UPDATE balances SET cash = cash + 1", "balances"),
    ("UPDATE posted_transfers SET amount = amount * 2", "posted_transfers"),
    ("INSERT INTO posted_transfers SELECT * FROM posted_transfers", "posted_transfers"),
    ("DELETE FROM plans", "plans"),
    ("UPDATE accounts SET credit_limit = 10000", "accounts"),
    ("DELETE FROM domain_ownership WHERE domain LIKE '*%'", "domain_ownership"),
]


@pytest.mark.parametrize(("edit", "table"), EDITS)
def test_g24_a_row_edited_by_hand_is_found_at_the_next_start(
    edit: str, table: str, tmp_path: Path
) -> None:
    home = make_home(tmp_path)
    load_text(home, PLAN)
    pay(home, "pay-1")
    before = seen(home)
    with duckdb.connect(str(home / "billing.duckdb")) as by_hand:
        by_hand.execute(edit)
    for _ in range(2):
        with pytest.raises(Corrupt, match=f"other than billing: table {table}"):
            opened(home)
    (home / "billing.duckdb").unlink()
    assert seen(home) == before


def test_g24_a_file_that_was_only_copied_is_believed_after_it_was_compared(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    pay(home, "pay-1")
    before = seen(home)
    shutil.copyfile(home / "billing.duckdb", tmp_path / "copy")
    shutil.copyfile(tmp_path / "copy", home / "billing.duckdb")
    assert seen(home) == before
    assert not list(home.glob(".audit-*"))


def test_a_changed_effect_file_is_not_applied(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    (home / "billing.duckdb").unlink()
    effect = next((home / "journal" / "effects").glob("*-account_versions.parquet"))
    data = bytearray(effect.read_bytes())
    data[len(data) // 2] ^= 4
    effect.write_bytes(data)
    with pytest.raises(Corrupt, match="missing or changed"):
        opened(home)
    effect.unlink()
    with pytest.raises(Corrupt, match="missing or changed"):
        opened(home)


def test_what_cannot_be_applied_is_never_appended(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with opened(home) as store:
        before = store.journal.last_no
        transfer = top_up_transfer("cash", "nobody", SCALE, currency="USD", key="pay-1", at=NOW)
        with pytest.raises(EdgetollError, match="not known"):
            store.commit("transfers", {"transfers": [as_effect(transfer)]}, at=NOW)
        assert store.journal.last_no == before
        top_up(store, "acme", SCALE, key="pay-1", at=NOW)
    assert seen(home)[2] == SCALE


def test_a_record_of_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with opened(home) as store, pytest.raises(Corrupt, match="unknown here"):
        store.commit("from-the-future", {}, at=NOW)


def test_c9_an_applier_that_swallows_an_error_is_found_by_reading_back(tmp_path: Path) -> None:
    """COMMIT after a swallowed statement error returns normally and stores nothing."""

    def swallow(connection: duckdb.DuckDBPyConnection, record: object, effects: object) -> None:
        with pytest.raises(duckdb.Error):
            connection.execute("INSERT INTO balances VALUES (NULL, NULL, NULL, NULL, NULL)")

    home = make_home(tmp_path)
    with (
        opened(home, swallowing=swallow) as store,
        pytest.raises((Corrupt, duckdb.Error)),
    ):
        store.commit("swallowing", {}, at=NOW)


def test_c10_a_store_that_fails_at_commit_is_brought_up_to_the_journal(tmp_path: Path) -> None:
    """The record is appended, then the session dies: the commit still counts, and shows."""
    home = make_home(tmp_path)

    def die(connection: duckdb.DuckDBPyConnection, record: object, effects: object) -> None:
        return

    with opened(home, dying=die) as store:
        append = store.journal.append

        def append_and_die(record: object) -> None:
            append(record)  # type: ignore[arg-type]
            store.connection.execute("SELECT error('the disk is gone')")

        store.journal.append = append_and_die  # type: ignore[method-assign, assignment]
        number = store.commit("dying", {}, at=NOW)
        store.journal.append = append  # type: ignore[method-assign]
        assert store.value("statements/store/session/journal_state") == number
    assert seen(home)[1] == number


def test_g25_hugeint_effects_survive_the_parquet_file_exactly(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    huge = 9_007_199_254_740_993 * 10**12 + 1
    read: list[int] = []

    def keep(connection: duckdb.DuckDBPyConnection, record: object, effects: object) -> None:
        rows = connection.execute(
            "SELECT CAST(a AS HUGEINT) FROM effect_a"
            " UNION ALL SELECT CAST(b AS HUGEINT) FROM effect_b"
        ).fetchall()
        read.extend(row[0] for row in rows)

    with opened(home, huge=keep) as store:
        store.connection.execute(f"CREATE TEMP TABLE t AS SELECT {huge}::HUGEINT AS a")
        table = pa.table({"b": pa.array([huge], pa.decimal128(38, 0))})
        store.commit("huge", {"a": TableRef("t"), "b": table}, at=NOW)
    assert read == [huge, huge]


def test_g3_a_second_process_leaves_with_a_code_of_its_own_and_names_the_owner(
    tmp_path: Path,
) -> None:
    home = make_home(tmp_path)
    words = ("billing", "ledger", "--home", str(home))
    with opened(home):
        with pytest.raises(Busy, match="test"):
            opened(home)
        held = forked.start(*words)
        assert forked.ended(held) == 75
    assert "billing.lock is held by" in held.said()[1]
    assert forked.run(*words) == 0


def test_c16_every_torn_or_flipped_wal_ends_in_the_journals_state(tmp_path: Path) -> None:
    """A WAL that lost its end silently leaves an older store: the journal brings it up. A WAL that
    DuckDB refuses is an error that says so. Nothing in between."""
    home = make_home(tmp_path)
    for number in range(3):
        pay(home, f"pay-{number}")
    before = seen(home)
    wal = _leave_a_wal(home)
    store_before, wal_before = (home / "billing.duckdb").read_bytes(), wal.read_bytes()
    wanted = (before[1] + 1, before[2] + SCALE)
    step = max(1, len(wal_before) // (80 if THOROUGH else 8))
    for place in range(0, len(wal_before), step):
        flipped = bytearray(wal_before)
        flipped[place] ^= 1 << (place % 8)
        for data in (wal_before[:place], bytes(flipped)):
            (home / "billing.duckdb").write_bytes(store_before)
            wal.write_bytes(data)
            try:
                _, number, cash = seen(home)
            except Corrupt:
                continue
            assert (number, cash) == wanted


def _leave_a_wal(home: Path) -> Path:
    """A payment by a process that is killed after its commit, so that its WAL stays."""
    program = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from datetime import datetime\n"
        "from billing.appliers import open_store\n"
        "from billing.ledger.top_up import top_up\n"
        "at = datetime.fromisoformat(sys.argv[2])\n"
        "store = open_store(Path(sys.argv[1]), owner='killed', now=at)\n"
        "top_up(store, 'acme', 10**10, key='last', at=at)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    at = NOW.isoformat()
    subprocess.run([sys.executable, "-c", program, str(home), at], check=False)
    wal = home / "billing.duckdb.wal"
    assert wal.stat().st_size > 0
    return wal


def test_the_store_needs_a_home(tmp_path: Path) -> None:
    with pytest.raises(EdgetollError, match="there is no home"):
        opened(tmp_path / "nowhere", datetime(2026, 1, 1, tzinfo=UTC))


def test_an_error_inside_a_transaction_undoes_it(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with opened(home, START) as store:
        with pytest.raises(duckdb.Error), store.transaction() as connection:
            connection.execute("DELETE FROM accounts; SELECT error('no')")
        assert store.connection.execute("SELECT count(*) FROM accounts").fetchall() == [(2,)]


def test_g12_a_full_disk_is_one_line_and_the_command_run_again_posts_once(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    command = [sys.executable, "edgetoll.py", "billing", "top-up", "acme", "5.00", "--id", "k",
               "--home", str(home)]  # fmt: skip
    limited = ["/bin/sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *command]
    # A limited Python would leave halves of its own compiled files behind.
    quiet = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    failed = subprocess.run(limited, capture_output=True, text=True, check=False, env=quiet)
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert "ulimit -f" in failed.stderr
    assert "What was committed stands" in failed.stderr
    for _ in range(2):
        subprocess.run(command, capture_output=True, check=True)
    with opened(home) as store:
        assert transfers.balance(store.connection, "acme").cash == 5 * SCALE


def test_a_store_laid_out_by_another_version_is_rebuilt_from_the_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    pay(home, "pay-1")
    before = seen(home)
    for change in (
        "ALTER TABLE accounts DROP COLUMN tax_id; DROP TABLE store_layout",
        "UPDATE store_layout SET layout = 'older'; DROP TABLE balances",
    ):
        with duckdb.connect(str(home / "billing.duckdb")) as connection:
            connection.execute(change)
        (home / "billing.duckdb.left").unlink()
        assert seen(home) == before
        assert "another version of edgetoll: it is rebuilt" in capsys.readouterr().err
    assert seen(home) == before
    assert capsys.readouterr().err == ""


def test_a_journal_record_of_another_shape_is_one_line_and_changes_nothing(
    tmp_path: Path,
) -> None:
    home = make_home(tmp_path)
    before = seen(home)
    with opened(home) as store:
        effect = store._store_effect(9, "plans", pa.table({"plan": ["of another version"]}))
        record_then = store.journal.next_record("load", {"plans": effect}, at=NOW)
        store.journal.append(record_then)
    kept = (home / "billing.duckdb").read_bytes()
    with pytest.raises(
        Corrupt, match=rf"record {record_then.number} \(load\) was written by another"
    ):
        opened(home)
    (home / "billing.duckdb").write_bytes(kept)
    path = home / "journal" / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    assert seen(home) == before


def test_a_small_store_takes_one_thread_and_a_large_change_all(tmp_path: Path) -> None:
    def threads(store: Store) -> int:
        found: int = store.connection.execute("SELECT current_setting('threads')").fetchall()[0][0]
        return found

    usual = duckdb.connect().execute("SELECT current_setting('threads')").fetchall()[0][0]
    with open_store(tmp_path, owner="test", now=NOW) as store:
        assert threads(store) == 1
        store.expect(SMALL_CHANGE_ROWS)
        assert threads(store) == 1
        store.expect(SMALL_CHANGE_ROWS + 1)
        assert threads(store) == usual
