"""SQL over the network: who may ask, what is refused, and what a reader of one account can get."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow.ipc
import pytest

from billing.lake import own_rows, query
from billing.readers.tokens import TOKEN_BYTES, hash_of, written
from tests.billing.homes import START, Use, close_hour, make_home
from tests.billing.invoices.world import BOOK
from tests.billing.runner import rate
from tests.effort import PATIENCE_S

ROOT = Path(__file__).parents[3]
SECONDS = 3
"""Of what never ends. Whatever is to be answered has PATIENCE_S, on a machine that is busy too."""
ROWS = 20_000
# Statements that do more than read, and ways to what is not the lake's. Both readers try each.
REFUSED = {
    "create": "CREATE TABLE t AS SELECT 1",
    "create a view": "CREATE VIEW v AS SELECT 1",
    "create a macro": "CREATE MACRO m() AS 1",
    "create a secret": "CREATE SECRET s (TYPE s3, KEY_ID 'a', SECRET 'b')",
    "insert": "INSERT INTO closed_hour_list VALUES ('p', now())",
    "update": "UPDATE closed_hour_list SET partition = ''",
    "delete": "DELETE FROM closed_hour_list",
    "delete within a query": "WITH d AS (DELETE FROM lake_charges RETURNING *) FROM d",
    "merge": "MERGE INTO closed_hour_list USING charges ON false WHEN NOT MATCHED THEN INSERT",
    "truncate": "TRUNCATE closed_hour_list",
    "drop": "DROP VIEW charges",
    "alter": "ALTER TABLE closed_hour_list ADD COLUMN x INT",
    "copy out": "COPY charges TO '{home}/lake/out.csv'",
    "copy in": "COPY closed_hour_list FROM '/etc/passwd'",
    "export": "EXPORT DATABASE '{home}/lake/all'",
    "import": "IMPORT DATABASE '{home}/lake'",
    "attach": "ATTACH '{home}/billing.duckdb' AS b (READ_ONLY)",
    "attach elsewhere": "ATTACH 'http://127.0.0.1:9/x.duckdb'",
    "detach": "DETACH memory",
    "use": "USE memory.main",
    "install": "INSTALL httpfs",
    "load": "LOAD httpfs",
    "set": "SET memory_limit = '9GB'",
    "set a variable": "SET VARIABLE reader_account = 'acme'",
    "reset": "RESET memory_limit",
    "pragma": "PRAGMA enable_external_access = true",
    "call": "CALL pragma_version()",
    "prepare": "PREPARE p AS SELECT 1",
    "execute": "EXECUTE p",
    "explain": "EXPLAIN ANALYZE SELECT 1",
    "vacuum": "VACUUM",
    "checkpoint": "CHECKPOINT",
    "begin": "BEGIN",
    "second statement": "SELECT 1; DROP VIEW charges",
    "hidden statement": "SELECT 1 /* ; */; COPY charges TO '/dev/shm/x.csv'",
    "a text file": "FROM read_text('/etc/passwd')",
    "bytes": "FROM read_blob('/etc/passwd')",
    "csv": "FROM read_csv('/etc/passwd')",
    "sniffing": "FROM sniff_csv('/etc/passwd')",
    "json": "FROM read_json('{home}/demo.json')",
    "a file by its name": "FROM '/etc/passwd'",
    "a file of the home": "FROM read_text('{home}/edgetoll.toml')",
    "up and out of the lake": "FROM read_text('{home}/lake/../edgetoll.toml')",
    "the private store": "FROM read_duckdb('{home}/billing.duckdb')",
    "names of files": "FROM glob('/*')",
    "names of the home's files": "FROM glob('{home}/*')",
    "the network": "FROM read_parquet('http://127.0.0.1:9/x.parquet')",
    "an environment variable": "SELECT getenv('PATH')",
    "a query in a text": "FROM query('SELECT 1')",
    "a quoted query in a text": "FROM \"query\"('SELECT 1')",
    "a serialized query": "FROM json_execute_serialized_sql(json_serialize_sql('SELECT 42'))",
    "a log in a file": "FROM enable_logging('QueryLog', storage := 'file')",
    "a Python variable": "FROM os",
}
# Ways of a reader of one account to the rows of others.
KEPT_APART = {
    "the list of files": "FROM read_json('{home}/lake/current/version.json')",
    "the files": "FROM read_parquet('{home}/lake/current/charges/*.parquet')",
    "a file by its name": "FROM '{home}/lake/current/accounts/{accounts}'",
    "what a file tells": "FROM parquet_metadata('{home}/lake/current/accounts/{accounts}')",
    "names of files": "FROM glob('{home}/lake/**')",
    "closed hours": "FROM read_parquet('{home}/closed/*/*.parquet')",
    "what was left": "FROM everyone.lake_charges",
    "by its catalog": "FROM memory.everyone.lake_accounts",
    "by a name made up": "FROM query_table('everyone.lake_charges')",
    "runs of all": "FROM runs",
    "hours of all": "FROM hours",
    "usage without an account": "FROM live_usage",
    "imports": "FROM lake_imported_files",
}
CATALOG = (
    "duckdb_tables()", "duckdb_views()", "duckdb_columns()", "duckdb_settings()",
    "duckdb_databases()", "duckdb_schemas()", "information_schema.tables",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs, and the tokens of its readers."""

    process: subprocess.Popen[str]
    port: int
    tokens: dict[str, str]

    def post(
        self, reader: str, text: str | bytes, *, kind: str = "text/plain", accept: str = "*/*"
    ) -> tuple[int, bytes]:
        """What a reader is answered: status and body."""
        headers = {"Content-Type": kind, "Accept": accept}
        if reader:
            headers["Authorization"] = f"Bearer {self.tokens.get(reader, reader)}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2 * PATIENCE_S)
        connection.request(
            "POST", "/sql", text if isinstance(text, bytes) else text.encode(), headers
        )
        answer = connection.getresponse()
        given = answer.read()
        connection.close()
        return answer.status, given

    def rows(self, reader: str, text: str) -> list[dict[str, object]]:
        """The rows a reader is given."""
        status, body = self.post(reader, text)
        assert status == 200, body
        found: list[dict[str, object]] = json.loads(body)
        return found


@contextmanager
def serving(home: Path, seconds: int) -> Iterator[Server]:
    """A server whose queries may take so many seconds."""
    readers, tokens = {}, {}
    for name, account in (("finance", None), ("beta", "beta"), ("nobody", "gone")):
        tokens[name] = written(os.urandom(TOKEN_BYTES))
        readers[name] = {"token_sha256": hash_of(tokens[name]), "account": account}
    limits = {"rows": ROWS, "megabytes": 2, "at_once": 3, "at_once_each": 2}
    given = {"READERS": json.dumps(readers), "SQL": json.dumps(limits)}
    words = ["sql", "--serve", "127.0.0.1:0", "--home", str(home), "--timeout", str(seconds)]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "edgetoll.py"), *words, "--memory", "300MB"],
        stderr=subprocess.PIPE, text=True,
        env={**os.environ, **{f"EDGETOLL_BILLING__{key}": one for key, one in given.items()}},
    )  # fmt: skip
    assert process.stderr is not None
    first = process.stderr.readline()
    assert "quack" in first
    port = int(first.partition("/sql")[0].rpartition(":")[2])
    threading.Thread(target=process.stderr.read, daemon=True).start()
    yield Server(process, port, tokens)
    process.send_signal(signal.SIGTERM)
    assert process.wait(PATIENCE_S) == 0


@pytest.fixture(scope="module")
def server(home: Path) -> Iterator[Server]:
    with serving(home, PATIENCE_S) as one:
        yield one


@pytest.fixture(scope="module")
def hasty(home: Path) -> Iterator[Server]:
    """One that soon ends what never does."""
    with serving(home, SECONDS) as one:
        yield one


def said(home: Path, text: str) -> str:
    accounts = next(home.glob("lake/current/accounts/[0-9]*.parquet")).name
    return text.replace("{home}", str(home)).replace("{accounts}", accounts)


@pytest.mark.parametrize("reader", ["finance", "beta"])
def test_nothing_but_reading_is_taken(reader: str, server: Server, home: Path) -> None:
    before = sorted(home.rglob("*"))
    for name, text in REFUSED.items():
        status, body = server.post(reader, said(home, text))
        assert status == 400, (name, body)
        assert json.loads(body).keys() == {"error", "hint"}, name
        assert b"\n" not in body.rstrip(), name
    assert sorted(home.rglob("*")) == before


def test_a_reader_of_one_account_finds_no_way_to_others(server: Server, home: Path) -> None:
    for name, text in KEPT_APART.items():
        status, body = server.post("beta", said(home, text))
        assert status == 400, (name, body)
        assert b"acme" not in body, name
    status, body = server.post("beta", "FROM hours")
    assert "not kept by account" in json.loads(body)["error"]
    assert server.post("nobody", "FROM charges")[0] == 400


def test_whatever_a_reader_of_one_account_is_given_is_a_copy_of_its_own(home: Path) -> None:
    with (
        query.connect(home, account="beta", shut=True) as own,
        query.connect(home) as whole,
    ):
        made = {name for (name,) in own.sql("SELECT table_name FROM duckdb_tables()").fetchall()}
        assert made == set(own_rows.RULES)
        compared = 0
        for name in made:
            rows = own.table(name).fetchall()
            assert "acme" not in repr(rows).lower(), name
            owner = "BillingAccountId" if name.startswith("focus") else "account_id"
            if name != "focus_rows" and owner in whole.table(name).columns and "price" not in name:
                expected = whole.sql(f"FROM {name} WHERE {owner} = 'beta'").fetchall()
                assert sorted(map(repr, rows)) == sorted(map(repr, expected)), name
                compared += 1
        assert compared > 20
        for catalog in CATALOG:
            text = repr(own.sql(f"FROM {catalog}").fetchall())
            assert "acme" not in text, catalog
            assert str(home) not in text, catalog


def test_of_a_query_only_what_it_names_is_copied(home: Path) -> None:
    asked = (
        "SELECT sum(quantity), price_of('https_requests', 'DE', 5, book := 'plain') FROM charges"
    )
    with query.connect(home, query=asked, account="beta", shut=True) as own:
        made = {name for (name,) in own.sql("SELECT table_name FROM duckdb_tables()").fetchall()}
        assert made <= {"charges", "accounts", "price_cards", "price_regions", "prices"}
        assert own.sql(asked).fetchall()


def test_prices_of_another_book_are_not_for_a_reader_of_one_account(tmp_path: Path) -> None:
    home = make_home(tmp_path, book=BOOK)
    other = BOOK.replace('id = "plain"', 'id = "agreed"').replace("-1", "-2")
    (home / "prices" / "agreed.toml").write_text(other)
    close_hour(home, START, [Use()])
    rate(home)
    with query.connect(home, account="beta", shut=True) as own, query.connect(home) as whole:
        for view in ("prices", "price_cards", "price_regions"):
            books = f"FROM {view} SELECT DISTINCT book"
            assert own.sql(books).fetchall() == [("plain",)], view
            assert len(whole.sql(books).fetchall()) == 2, view


def test_answers_are_exact_in_each_format(server: Server) -> None:
    asked = json.dumps({
        "sql": "SELECT item, sum(amount) AS amount FROM charges WHERE month = $m GROUP BY item"
               " ORDER BY item",
        "params": {"m": "2026-10"},
    })  # fmt: skip
    form = "application/json"
    status, body = server.post("finance", asked, kind=form)
    rows = json.loads(body)
    assert status == 200
    assert all(isinstance(row["amount"], str) for row in rows)
    _, text = server.post("finance", asked, kind=form, accept="text/csv")
    lines = text.decode().splitlines()
    assert lines == ["item,amount", *(f"{row['item']},{row['amount']}" for row in rows)]
    arrow = "application/vnd.apache.arrow.stream"
    _, stream = server.post("finance", asked, kind=form, accept=arrow)
    table = pyarrow.ipc.open_stream(io.BytesIO(stream)).read_all()
    assert [str(one) for one in table["amount"].to_pylist()] == [row["amount"] for row in rows]
    mine = server.rows("beta", "SELECT DISTINCT account_id FROM charges")
    assert mine == [{"account_id": "beta"}]


def test_who_has_no_token_and_what_is_no_query_is_told(server: Server) -> None:
    for token in ("", "guessed", "edgetoll_sql_" + "A" * 43):
        assert server.post(token, "SELECT 1")[0] == 401
    assert server.post("finance", b"\xff")[0] == 400
    assert server.post("finance", "{}", kind="application/json")[0] == 400
    assert server.post("finance", "[" * 100_000, kind="application/json")[0] == 400
    assert server.post("finance", "SELECT 1", accept="image/png")[0] == 406
    assert server.post("finance", "SELECT 1 -- " + "x" * (300 << 10))[0] == 413
    assert server.post("finance", "SELECT * FROM chargs")[1].count(b"Did you mean") == 1


@pytest.mark.parametrize(
    ("text", "status", "message"),
    [
        ("SELECT * FROM range(20001)", 400, "more than 20000 rows"),
        ("SELECT repeat('x', 1000) FROM range(10000)", 400, "larger than 2 MB"),
        ("SELECT length(repeat('x', 2000000000))", 422, "memory"),
        ("SELECT * FROM range(20000)", 200, ""),
    ],
    ids=["rows", "bytes", "memory", "within"],
)
def test_m4_what_takes_too_much_is_ended_and_told(
    text: str, status: int, message: str, server: Server
) -> None:
    got, body = server.post("finance", text)
    assert got == status, body[:200]
    assert message in body.decode()


def test_a_reader_asks_so_many_at_once_and_no_more_and_what_never_ends_is_ended(
    hasty: Server,
) -> None:
    endless = "SELECT count(*) FROM range(1000000) a, range(1000000) b"
    found: list[tuple[int, bytes]] = []
    asking = [
        threading.Thread(target=lambda: found.append(hasty.post("finance", endless)))
        for _ in range(4)
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert sorted(status for status, _ in found) == [422, 422, 429, 429]
    assert all(b"longer than 3 s" in body for status, body in found if status == 422)
    assert hasty.post("finance", "SELECT 1 AS one")[0] != 429
