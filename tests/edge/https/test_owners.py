"""What a person is told of a domain's owner before its HTTPS is switched on."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from edge.https.owners import DomainOwner, Owners, prospect, read_owners
from tests.edge.https.world import Edge

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
WWW = "www.shop.example"


def owner(**other: object) -> DomainOwner:
    """24,000 requests a day at 0.05 per 10,000: 7 days cost 0.84."""
    fields = {
        "domain": WWW, "account_id": "acme", "state": "ok", "currency": "USD",
        "available": Decimal("0.84"), "price": Decimal("0.05"), "per": 10_000,
        "requests": 24_000, "hours": 24,
    } | other  # fmt: skip
    return DomainOwner(**fields)  # type: ignore[arg-type]


def said_of(one: DomainOwner, *, days: int = 7) -> tuple[bool, str]:
    """Whether it is enough, and what is said."""
    found = prospect(Owners(of={one.domain: one}), WWW, days=days)
    return found.enough, "; ".join(found.warnings)


def write(
    path: Path, *owners: DomainOwner, as_of: datetime = NOW, count: int | None = None
) -> None:
    """The file as billing writes it."""
    lines = [
        {**{name: getattr(one, name) for name in one.__slots__},
         "available": str(one.available), "price": None if one.price is None else str(one.price)}
        for one in owners
    ]  # fmt: skip
    head = {
        "format": 1,
        "as_of": as_of.isoformat(),
        "count": len(lines) if count is None else count,
    }
    path.parent.mkdir(exist_ok=True)
    text = [json.dumps(one, separators=(",", ":")) for one in (head, *lines)]
    path.write_text("\n".join(text) + "\n")


def test_a_balance_that_just_lasts_is_enough_and_one_unit_less_is_told_with_the_figures() -> None:
    assert said_of(owner()) == (True, "")
    enough, said = said_of(owner(available=Decimal("0.8399999999")))
    assert not enough
    assert "acme of www.shop.example has 0.84" in said or "has 0.8399999999" in said
    assert "7 days of HTTPS at its 24,000 requests a day and 0.05 USD per 10,000 cost 0.84" in said
    assert said_of(owner(), days=8)[0] is False
    assert said_of(owner(requests=0, available=Decimal(0)))[0] is True


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"state": "suspended"}, "is suspended: its domains are refused until it pays"),
        ({"price": None, "per": None}, "no price of HTTPS is known"),
        ({"hours": 0, "requests": 0}, "no usage of www.shop.example is known yet"),
    ],
)
def test_what_is_not_known_or_not_well_is_said(other: dict[str, object], words: str) -> None:
    assert words in said_of(owner(**other))[1]


def test_a_domain_of_nobody_is_said_and_a_wildcards_owner_is_found() -> None:
    other = Owners(of={"*.shop.example": owner(domain="*.shop.example")})
    assert prospect(other, WWW, days=7).enough
    (said,) = prospect(other, "www.else.example", days=7).warnings
    assert "no account owns www.else.example" in said


def test_a_file_that_is_absent_old_or_torn_is_said_to_be_so(tmp_path: Path) -> None:
    path = tmp_path / "accounts.jsonl"
    assert "is not there" in read_owners(path, [WWW], now=NOW).trouble
    write(path, owner(), owner(domain="x.example"))
    whole = read_owners(path, [WWW], now=NOW + timedelta(hours=3))
    assert (whole.trouble, whole.owner(WWW)) == ("", owner())
    late = read_owners(path, [WWW], now=NOW + timedelta(hours=3, seconds=1))
    assert "is of 2026-11-30 12:00 UTC" in late.trouble
    assert late.owner(WWW) == owner()
    for damaged in (
        path.read_bytes()[:-30],
        b"".join(path.read_bytes().splitlines(keepends=True)[:-1]),
        b"",
        b"{}\n",
        b'{"count":1,"as_of":"x"}\n{"domain":1}\n',
    ):
        path.write_bytes(damaged)
        found = read_owners(path, [WWW], now=NOW)
        assert "is not whole" in found.trouble
        assert found.owner(WWW) is None


def test_rule_6_enable_warns_with_figures_and_refuses_when_a_balance_is_required(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    path = edge.home / "suspended" / "accounts.jsonl"
    certificate, key = edge.files(WWW)
    words = ["enable", WWW, "--certificate", certificate, "--key", key, "--origin", edge.origin]
    write(path, owner(available=Decimal("0.5")), as_of=datetime.now(UTC))
    assert edge.run(*words, "--require-balance") == 1
    said = capsys.readouterr().err
    assert "has 0.50 USD; 7 days of HTTPS" in said
    assert not (edge.home / "https" / "domains").exists()
    edge.done(*words, "--days", "4", "--require-balance", "--json")
    assert json.loads(capsys.readouterr().out)["owner"] == {
        "balance_lasts": True, "needed": "0.48", "warnings": [],
    }  # fmt: skip
    edge.done("show")
    assert capsys.readouterr().out.split()[-1] == "ok"
    path.unlink()
    edge.done("disable", WWW)
    assert edge.run(*words, "--require-balance") == 1
    edge.done(*words)
    assert "who pays for a domain is not known here" in capsys.readouterr().err
