"""Facts written by the edge's own code, taken in by billing, and what analysts see of them."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billing.https.expiry import ServedCertificate, ToldCertificate, events, step
from billing.lake import query
from edge.https.facts import FOLDER, HttpsFact, tell
from tests.billing.homes import NOW, START, Use, close_hour, close_hours, make_home
from tests.billing.runner import rate

WWW = "www.acme.example"


def at(hours: float) -> datetime:
    """So many hours after the first one."""
    return START + timedelta(hours=hours)


def fact(hours: float, domain: str = WWW, **other: object) -> HttpsFact:
    """A domain with HTTPS on, changed and live at that time."""
    on = other.get("https", True)
    fields = {
        "domain": domain, "changed_at": at(hours), "live_at": at(hours) + timedelta(seconds=7),
        "https": True, "redirect": "off", "http2": True, "http3": False, "tls_min": "1.2",
        "hsts_seconds": 0, "certificate_sha256": "aa" if on else "", "issuer": "Test CA",
        "not_before": at(0) if on else None, "not_after": at(24 * 90) if on else None,
    } | other  # fmt: skip
    return HttpsFact(**fields)  # type: ignore[arg-type]


def write(home: Path, *facts: HttpsFact, edge: str = "e1", mismatches: int = 0) -> None:
    """The next file of an edge."""
    tell(home / FOLDER, edge, facts, sni_mismatches=mismatches, now=facts[-1].live_at)


def asked(home: Path, text: str) -> list[tuple[object, ...]]:
    """What an analyst gets."""
    with query.connect(home, query=text) as connection:
        return connection.execute(text).fetchall()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """HTTPS on at 1:00, renewed at 2:00, off at 3:00, on again at 6:00; requests all day."""
    made = make_home(tmp_path_factory.mktemp("facts"))
    write(made, fact(1), fact(1, "*.beta.example", certificate_sha256="bb"))
    write(made, fact(2, certificate_sha256="cc", redirect="to-https"))
    write(made, fact(2, certificate_sha256="cc", redirect="to-https"))  # told twice after a kill
    write(made, fact(3, https=False), mismatches=5)
    write(made, fact(6, certificate_sha256="dd"), mismatches=7)
    write(made, fact(1, "x.beta.example"), edge="e2", mismatches=2)
    close_hours(
        made,
        at(0),
        8,
        [Use(requests=10), Use(requests=3, minute=10), Use(requests=100, class_="http"),
         Use(domain="a.beta.example", requests=1), Use(domain="other.example", requests=50)],
    )  # fmt: skip
    rate(made)
    return made


def test_periods_with_https_have_owner_settings_and_certificate(home: Path) -> None:
    assert asked(
        home,
        "SELECT domain, edge_id, account_id, enabled_from, enabled_until, redirect,"
        " certificate_sha256, expires FROM https_domains ORDER BY ALL",
    ) == [
        ("*.beta.example", "e1", "beta", naive(1), None, "off", "bb", naive(2160, 0)),
        (WWW, "e1", "acme", naive(1), naive(3), "to-https", "cc", naive(2160, 0)),
        (WWW, "e1", "acme", naive(6), None, "off", "dd", naive(2160, 0)),
        ("x.beta.example", "e2", "beta", naive(1), None, "off", "aa", naive(2160, 0)),
    ]


def naive(hours: float, seconds: int = 7) -> datetime:
    """As views show times."""
    return (at(hours) + timedelta(seconds=seconds)).replace(tzinfo=None)


def test_https_requests_while_https_is_off_are_an_anomaly_and_are_billed_all_the_same(
    home: Path,
) -> None:
    """Off from 3:00:07 to 6:00:07: after five minutes those of 3:10, 4:00, 4:10, 5:00, 5:10."""
    assert asked(
        home,
        "SELECT kind, domain, account_id, edge_id, requests, first_seen, last_seen"
        " FROM https_anomalies ORDER BY ALL",
    ) == [
        ("https_off", WWW, "acme", None, 29, naive(3 + 1 / 6, 0), naive(5.25, 0)),
        ("sni_mismatch", None, None, "e1", 7, naive(3), naive(6)),
        ("sni_mismatch", None, None, "e2", 2, naive(1), naive(1)),
    ]
    billed = (
        "SELECT sum(quantity) FROM charges WHERE account_id = 'acme' AND item = 'https_requests'"
    )
    assert asked(home, billed) == [(8 * 13,)]


def test_each_file_is_taken_in_once_and_a_hole_stops_its_own_edge_only(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    for hours in (1, 2, 3):
        write(home, fact(hours, https=hours != 2))
    lost = home / FOLDER / "e1" / "00000002.json"
    shutil.move(lost, tmp_path / "lost")
    write(home, fact(1, "x.beta.example"), edge="e2")
    close_hour(home, START, [Use()])
    facts = "SELECT domain, count(*) FROM lake_https_facts GROUP BY ALL ORDER BY ALL"
    for _ in range(2):
        rate(home)
        assert "00000002.json is missing: what edge e1 told later waits" in capsys.readouterr().err
        assert asked(home, facts) == [(WWW, 1), ("x.beta.example", 1)]
    lost.write_bytes((tmp_path / "lost").read_bytes().replace(b'"1.2"', b'"1.3"'))
    rate(home)
    assert "it is not as it was written" in capsys.readouterr().err
    other = tmp_path / "another machine with the same id"
    write(other, fact(1, "z.beta.example"))
    write(other, fact(2, "z.beta.example"))
    shutil.copy(other / FOLDER / "e1" / lost.name, lost)
    rate(home)
    assert "00000002.json does not continue the file before it" in capsys.readouterr().err
    shutil.copy(tmp_path / "lost", lost)
    rate(home)
    rate(home)
    assert capsys.readouterr().err == ""


def certificate(life: float, left: float) -> ServedCertificate:
    """One with so many days of life, of which so many are left at NOW."""
    end = NOW + timedelta(days=left)
    return ServedCertificate(
        domain=WWW, account_id="acme", sha256="aa", issuer="CA", edges=["e1"],
        not_before=end - timedelta(days=life), not_after=end,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("life", "left", "reached"),
    [
        (365, 30.01, None), (365, 30, 30), (365, 14, 14), (365, 7, 7), (365, 3, 3), (365, 1, 1),
        (365, -1, 1), (90, 30, 30), (90, 30.01, None),
        (6, 2.01, None), (6, 2, 30), (6, 14 / 15, 14), (6, 7 / 15, 7), (6, 0.2, 3), (6, 1 / 15, 1),
    ],
)  # fmt: skip
def test_the_end_is_told_by_days_and_of_a_short_life_by_shares(
    life: float, left: float, reached: int | None
) -> None:
    assert step(certificate(life, left), NOW) == reached


def test_each_step_is_told_once_and_a_replaced_certificate_ends_it_once() -> None:
    def told(days: int | None, *, over: bool = False) -> ToldCertificate:
        return ToldCertificate(domain=WWW, sha256="aa", days=days, is_over=over, account_id="acme")

    soon = certificate(90, 6)
    (first,) = events([soon], [], now=NOW)
    assert (first.kind, first.account_id) == ("alert.tls_expiry", "acme")
    assert list(events([soon], [told(7)], now=NOW)) == []
    assert [one.kind for one in events([soon], [told(14)], now=NOW)] == ["alert.tls_expiry"]
    assert [one.kind for one in events([], [told(7)], now=NOW)] == ["alert.tls_renewed"]
    assert list(events([], [told(7, over=True)], now=NOW)) == []


def test_the_outbox_tells_each_step_once_until_the_renewal(tmp_path: Path) -> None:
    from billing.appliers import open_store
    from billing.follow_up import follow_up

    home = make_home(tmp_path)
    write(home, fact(0))

    def kinds(when: datetime) -> list[str]:
        with open_store(home, owner="test", now=when) as store:
            follow_up(store, at=when)
            follow_up(store, at=when)
            found = store.connection.execute(
                "SELECT kind FROM outbox WHERE kind LIKE 'alert.tls%' ORDER BY happened_at"
            ).fetchall()
        return [kind.removeprefix("alert.tls_") for (kind,) in found]

    assert kinds(at(24 * 59)) == []
    assert kinds(at(24 * 61)) == ["expiry"]
    assert kinds(at(24 * 62)) == ["expiry"]
    assert kinds(at(24 * 80)) == ["expiry"] * 2
    write(home, fact(24 * 81, certificate_sha256="ee", not_after=at(24 * 170)))
    assert kinds(at(24 * 82)) == ["expiry", "expiry", "renewed"]
    assert kinds(at(24 * 83)) == ["expiry", "expiry", "renewed"]


def test_facts_are_dated_numbered_and_chained(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 30, tzinfo=UTC)
    first = tell(tmp_path, "e1", [fact(1)], sni_mismatches=0, now=moment)
    assert tell(tmp_path, "e1", [], sni_mismatches=0, now=moment) is None
    second = tell(tmp_path, "e1", [], sni_mismatches=1, now=moment)
    assert [path.name for path in (first, second) if path] == ["00000001.json", "00000002.json"]
