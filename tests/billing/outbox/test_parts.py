"""The parts of delivery by themselves: signatures, retry times, addresses, the event file."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from standardwebhooks import Webhook

from billing.outbox import events_file
from billing.outbox.address import judge
from billing.outbox.daily_state import NotOk, pages
from billing.outbox.retry import STEPS_SECONDS, next_attempt
from billing.outbox.settings import read_keys
from billing.outbox.signing import (
    Key,
    headers,
    is_genuine,
    parse_key,
    public_key,
    sign,
    signed_content,
)
from billing.outbox.webhook import BODY_BYTES_MAX, AttemptResult, judge_status
from edge.errors import ConfigError, InputError

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BODY = b'{"type":"account.overdue"}'


def test_hmac_signature_is_that_of_the_standards_own_library() -> None:
    text = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    at = datetime(2022, 11, 16, 13, 5, 14, tzinfo=UTC)
    ours = sign([parse_key(text)], message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
                timestamp=int(at.timestamp()), body=b'{"test": 2432232314}')  # fmt: skip
    theirs = Webhook(text).sign("msg_p5jXN8AQM9LWM0D4loKWxJek", at, '{"test": 2432232314}')
    assert ours == theirs
    # The vector that every Standard Webhooks implementation carries in its tests.
    vector = sign([parse_key(text)], message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
                  timestamp=1614265330, body=b'{"test": 2432232314}')  # fmt: skip
    assert vector == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_h8_rotated_secret_signs_twice_and_both_receivers_accept() -> None:
    old, new = Key("v1", b"o" * 32), Key("v1", b"n" * 32)
    signed = sign([new, old], message_id="m", timestamp=7, body=BODY)
    assert signed.count("v1,") == 2
    content = signed_content("m", 7, BODY)
    for secret in (b"o" * 32, b"n" * 32):
        assert is_genuine(signed, content, secrets=[secret], publics=[])
    assert not is_genuine(signed, content, secrets=[b"x" * 32], publics=[])
    assert not is_genuine(signed, content + b" ", secrets=[b"o" * 32], publics=[])


def test_h8_moving_from_hmac_to_ed25519_overlaps() -> None:
    private = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    text = "whsk_" + base64.b64encode(bytes(range(32))).decode()
    key = parse_key(text)
    assert key.scheme == "v1a"
    public = base64.b64decode(public_key(key).removeprefix("whpk_"))
    assert public == private.public_key().public_bytes_raw()
    signed = sign([key, Key("v1", b"o" * 32)], message_id="m", timestamp=7, body=BODY)
    content = signed_content("m", 7, BODY)
    assert is_genuine(signed, content, secrets=[], publics=[public])
    assert is_genuine(signed, content, secrets=[b"o" * 32], publics=[])
    assert not is_genuine(signed, content, secrets=[], publics=[bytes(32)])


def test_headers_are_those_of_the_standard() -> None:
    made = headers([Key("v1", b"o" * 32)], message_id="m", timestamp=7, body=BODY)
    assert list(made) == ["webhook-id", "webhook-timestamp", "webhook-signature"]


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_AAAA", "whsk_AAAA", "key", "whsec_é"])
def test_a_wrong_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_key(text)
    assert len(text) <= 6 or text not in str(caught.value)


def test_secret_files_that_others_can_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "crm.key"
    path.write_text("whsec_" + base64.b64encode(b"s" * 32).decode())
    path.chmod(0o644)
    with pytest.raises(ConfigError, match=r"webhook crm: .*crm\.key can be read by others \(644\)"):
        read_keys(tmp_path, [Path("crm.key")], of="webhook crm")
    path.chmod(0o600)
    (key,) = read_keys(tmp_path, [Path("crm.key")], of="webhook crm")
    assert "ssss" not in repr(key)
    path.write_text("whsec_AAAA-no-key")
    with pytest.raises(ConfigError, match=r"webhook crm, .*crm\.key: ") as caught:
        read_keys(tmp_path, [Path("crm.key")], of="webhook crm")
    assert "AAAA-no-key" not in str(caught.value)


def test_h1_retries_reach_over_three_days_and_then_end() -> None:
    at, attempts = NOW, 1
    while (again := next_attempt(attempts=attempts, now=at, jitter_permille=0)) is not None:
        at, attempts = again, attempts + 1
    assert timedelta(hours=74) < at - NOW < timedelta(hours=77)
    assert attempts == len(STEPS_SECONDS) + 1 == 10
    early = next_attempt(attempts=9, now=NOW, jitter_permille=-100)
    late = next_attempt(attempts=9, now=NOW, jitter_permille=100)
    assert early is not None
    assert late is not None
    assert late - early == timedelta(seconds=2 * 8640)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0",
        "100.64.0.1", "224.0.0.1", "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "::",
    ],
)  # fmt: skip
def test_h6_names_that_resolve_to_a_private_address_are_refused(address: str) -> None:
    with pytest.raises(InputError, match="not a public address"):
        judge("https://x.example/h", allow_private=False, resolver=lambda _h, _p: [address])
    both = ["93.184.216.34", address]
    with pytest.raises(InputError, match="not a public address"):
        judge("https://x.example/h", allow_private=False, resolver=lambda _h, _p: both)


@pytest.mark.parametrize(
    "url",
    ["http://93.184.216.34/", "ftp://x.example/", "https:///x", "https://u:p@x.example/", "x"],
)
def test_h6_urls_that_are_not_plain_https_are_refused(url: str) -> None:
    with pytest.raises(InputError):
        judge(url, allow_private=False, resolver=lambda _h, _p: ["93.184.216.34"])


def test_h6_metadata_address_is_refused_even_in_ones_own_network() -> None:
    with pytest.raises(InputError):
        judge("http://m.example/", allow_private=True, resolver=lambda _h, _p: ["169.254.169.254"])


def test_h6_the_judged_address_is_pinned_against_dns_rebinding() -> None:
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    target = judge(
        "https://x.example:8443/h?a=1", allow_private=False, resolver=lambda _h, _p: next(answers)
    )
    assert target.pinned_url == "https://93.184.216.34:8443/h?a=1"
    assert target.host_header == "x.example:8443"
    assert next(answers) == ["127.0.0.1"], "the name was resolved once only"


def test_statuses_mean_delivered_gone_or_again() -> None:
    assert judge_status(204).result is AttemptResult.DELIVERED
    assert judge_status(410).result is AttemptResult.GONE
    for code in (301, 302, 307, 400, 401, 429, 500, 503):
        assert judge_status(code).result is AttemptResult.FAILED


def test_event_file_closes_a_torn_line_before_the_next(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b'{"id":"torn')
    made = events_file.line(event_id="m", kind="k", account_id="a", version=1, body='{"x":1}')
    assert events_file.append(path, [made]).result is AttemptResult.DELIVERED
    torn, whole = path.read_bytes().splitlines()
    assert torn == b'{"id":"torn'
    assert orjson.loads(whole)["event"] == {"x": 1}


def test_event_file_that_cannot_be_written_is_a_failed_attempt(tmp_path: Path) -> None:
    assert events_file.append(tmp_path, [b"x\n"]).result is AttemptResult.FAILED


def test_h2_daily_state_pages_fit_the_body_limit_and_name_everyone() -> None:
    since = NOW.replace(tzinfo=None)
    rows = [
        NotOk(
            account_id="a" * 58 + f"{n:06}", version=10**9, state="projected_overdue", since=since
        )
        for n in range(200)
    ]
    made = list(pages(rows, day="2026-03-01", now=NOW))
    assert max(len(event.body) for event in made) < BODY_BYTES_MAX
    named = [
        one["account_id"] for event in made for one in orjson.loads(event.body)["data"]["accounts"]
    ]
    assert named == [row.account_id for row in rows]
    (empty,) = pages([], day="2026-03-01", now=NOW)
    assert orjson.loads(empty.body)["data"]["accounts"] == []
