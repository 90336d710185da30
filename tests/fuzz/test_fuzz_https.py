"""Goal: no file that an edge reads for HTTPS, however wrong, ends in a traceback, or is believed
when it is not what was written.

Method: bytes of anything, and real files (settings of a domain, status, stop list, owners, facts,
uploads) cut, with bits flipped, or with a value put in the place of another.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import Corrupt
from edge.https import damage, facts, settings, stop_list
from edge.https.owners import prospect, read_owners
from edge.https.records import HttpsSettings
from edge.https.status import (
    DomainStatus,
    HttpsStatus,
    StatusDamaged,
    read_status_file,
    write_status,
)
from edge.https.upload.rules import judge
from edge.https.upload.trust import Roots, Suffixes
from edge.https.wishes import Wishes
from tests.edge.https.making import NOW, Ca, key_pem, pem
from tests.fuzz.budget import IN_MEMORY
from tests.fuzz.test_fuzz_settings import refusal
from tests.fuzz.test_price_books import FUZZ, INSIDE, anything, toml

DOMAIN = "www.shop.example"
AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
WISH = HttpsSettings(domain=DOMAIN, origin="https://o.example", changed_at=AT)
STATUS = HttpsStatus(domains={DOMAIN: DomainStatus(wish="x", state="live", wished_at=AT)})
LIST = {
    "format": 1, "as_of": "2026-11-30T00:00:00Z", "ledger_version": 3, "count": 1,
    "domains": [{"domain": "*.a.example", "account_id": "a", "cause": "suspended",
                 "since": "2026-11-30T00:00:00Z", "except": ["b.a.example"]}],
}  # fmt: skip
OWNERS = (
    b'{"as_of":"2026-11-30T11:00:00Z","count":1}\n'
    b'{"domain":"www.shop.example","account_id":"a","state":"ok","currency":"USD",'
    b'"available":"5.00","price":"0.01","per":10000,"requests":70,"hours":24}\n'
)


@contextmanager
def folder() -> Iterator[Path]:
    """A home of its own for one example."""
    with tempfile.TemporaryDirectory(dir=IN_MEMORY) as place:
        yield Path(place)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Anything, or `whole` cut, with bits flipped, or as JSON with another value somewhere."""
    way = draw(st.sampled_from(["any", "cut", "flip", "value"]))
    if way == "any":
        return draw(st.binary(max_size=200))
    if way == "cut":
        return whole[: draw(st.integers(0, len(whole)))]
    if way == "flip":
        data = bytearray(whole)
        for place in draw(st.lists(st.integers(0, len(whole) - 1), min_size=1, max_size=4)):
            data[place] ^= 1 << draw(st.integers(0, 7))
        return bytes(data)
    lines = whole.splitlines() if b"\n{" in whole else [whole]
    number = draw(st.integers(0, len(lines) - 1))
    content = json.loads(lines[number])
    content[draw(st.sampled_from([*content, "new"]))] = draw(anything)
    lines[number] = json.dumps(content, default=str).encode()
    return b"\n".join(lines) + b"\n"


def line(text: str) -> None:
    """One line for a person, in no library's words."""
    assert text.isprintable(), text
    assert not [word for word in INSIDE if word in text], text


def written(write: Callable[[Path], object], name: str) -> bytes:
    """What the product writes into a file of a home."""
    with folder() as home:
        write(home)
        return (home / name).read_bytes()


WISH_FILE = written(lambda home: Wishes(home).write(WISH), f"https/domains/{DOMAIN}.json")
STATUS_FILE = written(lambda home: write_status(home, STATUS), "https-status.json")


@FUZZ
@given(data=damaged(WISH_FILE))
def test_settings_of_a_domain_are_what_was_written_or_named_corrupt(data: bytes) -> None:
    with folder() as home:
        path = home / "https" / "domains" / f"{DOMAIN}.json"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        try:
            assert Wishes(home).all() == [WISH] or b"content_sha256" not in data
        except Corrupt as error:
            line(str(error).replace("pydantic", ""))
        for row in damage.damage(home):
            assert all(row)


@FUZZ
@given(data=damaged(STATUS_FILE))
def test_a_status_is_what_was_written_or_is_damaged(data: bytes) -> None:
    with folder() as home:
        (home / "https-status.json").write_bytes(data)
        try:
            assert read_status_file(home) == STATUS or b"content_sha256" not in data
        except StatusDamaged:
            assert [row[0] for row in damage.damage(home)] == ["https-status.json"]


@FUZZ
@given(first=damaged(json.dumps(LIST).encode()), second=damaged(json.dumps(LIST).encode()))
def test_a_stop_list_is_whole_or_the_last_whole_one_is_kept(first: bytes, second: bytes) -> None:
    with folder() as home:
        published, kept = home / "domains.json", home / "https"
        kept.mkdir()
        before: tuple[object, ...] = ()
        for data in (json.dumps(LIST).encode(), first, second):
            published.write_bytes(data)
            found = stop_list.read_stop_list(published, kept)
            assert found.names == before or not found.trouble
            before = found.names


@FUZZ
@given(data=damaged(OWNERS))
def test_owners_of_any_content_are_read_or_said_to_be_not_whole(data: bytes) -> None:
    with folder() as home:
        path = home / "accounts.jsonl"
        path.write_bytes(data)
        owners = read_owners(path, [DOMAIN], now=AT)
        for said in prospect(owners, DOMAIN, days=7).warnings:
            assert said


@FUZZ
@given(data=st.data())
def test_a_fact_file_is_what_was_written_or_is_named_corrupt(data: st.DataObject) -> None:
    with folder() as home:
        path = facts.tell(home, "e1", (), sni_mismatches=5, now=AT)
        assert path is not None
        whole, _ = facts.read_fact_file(path)
        content = data.draw(damaged(path.read_bytes()))
        path.write_bytes(content)
        with suppress(Corrupt):
            # A file without its seal is one of before there were seals.
            assert facts.read_fact_file(path)[0] == whole or b'"content_sha256"' not in content


@pytest.fixture(scope="module")
def upload() -> tuple[bytes, bytes, Roots]:
    """A certificate, its key, and who trusts it."""
    root = Ca.root(now=NOW)
    place = Path(tempfile.mkdtemp(dir=IN_MEMORY))
    (place / "roots.pem").write_bytes(pem(root.certificate))
    middle = root.intermediate(now=NOW)
    leaf, key = middle.leaf(DOMAIN, now=NOW)
    roots = Roots(place / "roots.pem")
    shutil.rmtree(place, ignore_errors=True)
    return pem(leaf, middle.certificate), key_pem(key), roots


@FUZZ
@given(data=st.data())
def test_an_upload_of_anything_is_judged_with_its_reasons(
    upload: tuple[bytes, bytes, Roots], data: st.DataObject
) -> None:
    certificate, key, trust = upload
    pairs = st.sampled_from(["certificate", "key", "both"])
    which = data.draw(pairs)
    pieces = st.one_of(st.binary(max_size=300), torn(certificate), torn(key))
    first = certificate if which == "key" else data.draw(pieces)
    second = key if which == "certificate" else data.draw(pieces)
    found = judge(first, second, DOMAIN, now=NOW, trust=trust, suffixes=Suffixes())
    assert found.bundle is not None or found.refusals
    for one in found.findings:
        assert one.id
        assert one.sentence.isprintable(), one.sentence
        assert b"PRIVATE" not in one.sentence.encode()


@st.composite
def torn(draw: st.DrawFn, whole: bytes) -> bytes:
    """PEM cut anywhere, with letters changed, or twice."""
    data = bytearray(
        whole[draw(st.integers(0, 40)) : draw(st.integers(len(whole) - 40, len(whole)))]
    )
    for place in draw(st.lists(st.integers(0, len(data) - 1), max_size=4)):
        data[place] = draw(st.sampled_from(b"A0+/=-\n \x00\xff"))
    return bytes(data) * draw(st.integers(1, 2))


@FUZZ
@given(
    key=st.sampled_from(sorted(settings.HttpsEdge.model_fields)), value=anything, odd=st.booleans()
)
def test_settings_of_the_edge_are_taken_or_refused_with_their_key(
    key: str, value: object, odd: bool
) -> None:
    with folder() as home:
        name = f"{key}s" if odd else key
        text = f"edge = {{ https = {toml({name: value})} }}\n"
        (home / "edgetoll.toml").write_text(text, encoding="utf-8")
        answer = refusal(settings.read_settings, home)
        assert answer is not None or name in settings.HttpsEdge.model_fields
        assert answer is None or "edgetoll.toml" in answer
