"""Goal: what else is read of others or of a disk, however wrong, ends in one clear refusal: rows of
usage, packed logs, log formats of a server, payments, the lake's lists, customers' alert rules, the
notes of red checks and of how billing was left.

Method: rows of which some cells hold anything, bytes of anything, and real files with damage.
"""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from billing.appliers import open_store
from billing.balance.customer_alerts import Rule, read_rules
from billing.checks import red
from billing.lake import version as versions
from billing.ledger.payments_file import is_payments, load_payments
from billing.store import left_note
from billing.store.store import STORE_NAME
from edge.errors import ConfigError, Corrupt, EdgetollError, InputError
from edge.logs.content import Content
from edge.logs.formats.server_config import formats_of
from edge.logs.formats.shipped import find_format
from edge.usage.importing import UsageImporter
from tests.billing.homes import NOW, make_home
from tests.billing.runner import published
from tests.edge.logs.reading import NOW_MS, nginx_lines, open_spool
from tests.fuzz.budget import IN_MEMORY
from tests.fuzz.test_fuzz_accounts import checked
from tests.fuzz.test_fuzz_batches_and_spools import damaged
from tests.fuzz.test_fuzz_settings import refusal
from tests.fuzz.test_price_books import FUZZ, anything, toml

CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ["", "0", "-1", "1e3", "1.5", "٣", "9" * 30, "NaN", "https", "quic", "a.example", "*.x",
         "CN", "2026-03-01T10:00:00Z", "1772359200", "1772359200000", "0001-01-01", "\0", "=1+1",
         "5.00"]
    ),
)  # fmt: skip
USAGE = [
    "time",
    "domain",
    "class",
    "requests",
    "bytes",
    "region",
    "cache_hits",
    "id",
    "scheme",
    "x",
]
GOOD_USAGE = ["2026-03-01T10:00:00Z", "a.example", "https", "7", "70", "CN", "1", "r1", "http", ""]
PAYMENT = ["id", "account", "amount", "kind", "currency", "note"]
GOOD_PAYMENT = ["pay-1", "acme", "5.00", "cash", "USD", ""]


@st.composite
def tables(draw: st.DrawFn, columns: list[str], good: list[str]) -> tuple[str, bytes]:
    """Rows as CSV or JSON lines: the file's ending and its bytes."""
    known = dict(zip(columns, good, strict=True))
    head = draw(st.permutations(columns[:5]).map(list)) + draw(
        st.lists(st.sampled_from(columns), max_size=2)
    )
    rows = [
        [known[name] if draw(st.integers(0, 3)) else draw(CELLS) for name in head]
        for _ in range(draw(st.integers(0, 6)))
    ]
    if draw(st.booleans()):
        text = io.StringIO()
        writer = csv.writer(text, lineterminator=draw(st.sampled_from(["\n", "\r\n"])))
        writer.writerows([head, *rows])
        ending, data = "csv", text.getvalue().encode("utf-8", "surrogatepass")
    else:
        lines = [json.dumps(dict(zip(head, row, strict=True))) for row in rows]
        ending, data = "jsonl", "\n".join(lines).encode()
    way = draw(st.sampled_from(["whole", "whole", "damaged", "any"]))
    if way == "damaged" and data:
        data = draw(damaged(data))
    elif way == "any":
        data = draw(st.binary(max_size=200))
    return ending, data


@FUZZ
@given(made=tables(USAGE, GOOD_USAGE))
def test_rows_of_usage_add_up_and_a_second_import_adds_nothing(made: tuple[str, bytes]) -> None:
    ending, data = made
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        path = Path(folder) / f"usage.{ending}"
        path.write_bytes(data)
        results = []
        for _ in range(2):
            with open_spool(Path(folder) / "spool") as spool:
                try:
                    importer = UsageImporter(spool, "DE", now_ms=NOW_MS)
                    results.append(importer.run([path]))
                except InputError as error:
                    checked(error, repr(data))
                    return
        first, second = results
        for one in results:
            assert one.lines == one.events + one.duplicates + sum(one.skipped.values())
        assert second.lines == first.lines
        # Where all rows stand for nothing, nothing is written, and none of them is remembered.
        assert second.events == 0 or importer.requests == 0
        assert second.events + second.duplicates == first.events + first.duplicates
        assert bool(first.problems) == bool(second.problems)
        told = first.lines or first.problems or first.not_understood
        assert told or len(data.strip(b"\0 \r\n\t").splitlines()) < 2, "more than a head"


LINES = nginx_lines(0, 40).encode()


def in_parquet(lines: bytes) -> bytes:
    """The lines' values as a Parquet file."""
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([json.loads(line) for line in lines.splitlines()]), out)
    return out.getvalue()


PACKED: dict[str, bytes] = {
    "gz": gzip.compress(LINES),
    "zst": zstandard.ZstdCompressor().compress(LINES),
    "bz2": bz2.compress(LINES),
    "xz": lzma.compress(LINES),
    "parquet": in_parquet(LINES),
    "json": json.dumps({"records": [json.loads(line) for line in LINES.splitlines()]}).encode(),
    "bomb": gzip.compress(bytes(64 << 20)),
}


@pytest.mark.parametrize("kind", PACKED)
@FUZZ
@given(data=st.data())
def test_a_packed_log_is_read_to_its_end_or_to_its_damage(kind: str, data: st.DataObject) -> None:
    packed = data.draw(st.just(PACKED[kind]) | damaged(PACKED[kind]))
    with tempfile.NamedTemporaryFile(suffix=f".{kind}", dir=IN_MEMORY) as file:
        file.write(packed)
        file.flush()
        read = 0
        with (
            suppress(InputError),
            Content(Path(file.name), documents=True, records="records") as content,
        ):
            while piece := content.read_at(read, 1 << 20):
                read += len(piece)
                assert len(piece) <= 1 << 20
            assert packed != PACKED[kind] or not content.cut_off
        assert packed != PACKED[kind] or read >= len(LINES)


@FUZZ
@given(
    text=st.one_of(
        st.text(max_size=80),
        st.lists(
            st.sampled_from(
                ['"', "[", "]", " ", "$host", "${status}", "%{Host}i", "%>s", "%t", "%{%s}t", "%",
                 "\\t", "\\", "'", "{", "}", '{"a":"$host"}', "$", "(", ")*+", "%{", "$time_local",
                 "$msec"]
            ),
            max_size=12,
        ).map("".join),
    )
)  # fmt: skip
def test_any_log_format_of_a_server_is_a_mapping_or_is_refused(text: str) -> None:
    for form in {text, *formats_of(f"log_format main {text};\n{text}").values()}:
        with suppress(ConfigError, InputError):
            find_format(log_format=form, scheme="https", host="a.example").make().parse(
                LINES, NOW_MS
            )


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with accounts, a lake and a note of how it was left."""
    return published(make_home(tmp_path_factory.mktemp("files")))


@FUZZ
@given(made=tables(PAYMENT, GOOD_PAYMENT))
def test_payments_are_refused_with_their_lines_or_posted_once(
    home: Path, made: tuple[str, bytes]
) -> None:
    ending, data = made
    with (
        tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder,
        open_store(home, owner="test", now=NOW) as store,
    ):
        path = Path(folder) / f"payments.{ending}"
        path.write_bytes(data)
        is_payments(path)
        before = store.journal.last_no
        done, refused = None, None
        try:
            done = load_payments(store, path, at=NOW)
        except EdgetollError as error:
            refused = error
        if done is None:
            assert refused is not None
            assert "payments." in checked(refused, repr(data))
            assert store.journal.last_no == before, "a file is taken whole or not at all"
            return
        again = load_payments(store, path, at=NOW)
        assert (again.new, again.known) == (0, done.new + done.known)


@FUZZ
@given(data=st.data(), name=st.sampled_from(["CURRENT", "version.json"]))
def test_a_list_of_the_lake_is_what_was_written_or_is_named_corrupt(
    home: Path, data: st.DataObject, name: str
) -> None:
    whole = versions.current(home)
    assert whole is not None
    path = home / "lake" / "CURRENT" if name == "CURRENT" else whole.folder / name
    before = path.read_bytes()
    path.write_bytes(data.draw(damaged(before) | st.binary(max_size=80)))
    try:
        with suppress(Corrupt):
            found = versions.current(home)
            assert found is not None
            versions.verify_open(found)
            assert found == whole
    finally:
        path.write_bytes(before)


KEYS = sorted(Rule.model_fields)


@FUZZ
@given(
    content=st.dictionaries(st.sampled_from([*KEYS, "x"]), anything, max_size=6),
    raw=st.none() | st.binary(max_size=80),
)
def test_alert_rules_are_taken_or_refused_by_their_file(
    content: dict[str, object], raw: bytes | None
) -> None:
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        text = f"rule = [{toml(content)}]\n".encode()
        (Path(folder) / "alert_rules.toml").write_bytes(text if raw is None else raw)
        answer = refusal(read_rules, Path(folder))
        assert answer is None or "alert_rules.toml" in answer


NOTES: dict[str, Callable[[Path], object]] = {
    "checks.json": lambda home: red.read(home).names,
    f"{STORE_NAME}.left": lambda home: left_note.read(home / STORE_NAME),
}


@pytest.mark.parametrize("name", NOTES)
@FUZZ
@given(data=st.data())
def test_a_note_of_any_content_is_read_and_says_no_more_than_was_written(
    home: Path, name: str, data: st.DataObject
) -> None:
    if name == "checks.json":
        whole = b'{"at": "2026-11-30T01:02:03Z", "checks": 51, "red": ["a: 3 rows"]}'
    else:
        whole = (home / name).read_bytes()
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as folder:
        made = data.draw(damaged(whole) | st.binary(max_size=60) | anything.map(as_bytes))
        (Path(folder) / name).write_bytes(made)
        found = NOTES[name](Path(folder))
        assert name != "checks.json" or found or b'"red"' in made, "unknown is not green"


def as_bytes(value: object) -> bytes:
    """A value as JSON, however odd."""
    return json.dumps(value, default=str).encode("utf-8", "surrogatepass")
