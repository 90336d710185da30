"""`edgetoll status`: which signals stand, on what it exits 1, and that table and code agree."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from billing.checks.red import CheckState, RedCheck
from billing.daemon.metrics import signal_family
from billing.outbox.undone import Undone
from billing.status import signals
from billing.status.facts import (
    BillingFact,
    EdgeFact,
    HomeFacts,
    IncompleteHour,
    MeteringFact,
    StoreFacts,
    UnissuedMonth,
    UnownedName,
    UnownedTraffic,
)
from billing.status.gather import around
from billing.status.judge import findings, unverified
from edge.spool.spool import Spool
from edgetoll import main
from tests.billing.homes import (
    ACCOUNTS,
    BOOK,
    NOW,
    START,
    Use,
    close_hour,
    close_hours,
    load_text,
    make_home,
)  # fmt: skip
from tests.billing.runner import rate
from tests.metering.sources.test_unread_spools import drained, spooled
from tests.metering.world import T0

HOUR = timedelta(hours=1)
WELL = HomeFacts(
    at=NOW,
    edges=(EdgeFact(edge_id="e1", promise=NOW - timedelta(minutes=2), is_metered=True),),
    metering=MeteringFact(workers=1, fresh_at=NOW, accepted=10, complete_through=NOW - HOUR),
    checks=CheckState(full_at=NOW - 5 * HOUR, checks=40),
    store=StoreFacts(
        billing=BillingFact(
            last_run="R1", last_state="done", rated_through=NOW - HOUR, imported_through=NOW - HOUR
        )
    ),
)


def store(**more: Any) -> HomeFacts:
    """A well home but for what its store says."""
    assert WELL.store is not None
    return replace(WELL, store=replace(WELL.store, **more))


def billing(**more: Any) -> HomeFacts:
    """A well home but for how far billing is."""
    assert WELL.store is not None
    return store(billing=replace(WELL.store.billing, **more))


def edge(**more: Any) -> HomeFacts:
    """A well home but for its edge."""
    return replace(WELL, edges=(replace(WELL.edges[0], **more),))


def metering(**more: Any) -> HomeFacts:
    """A well home but for metering."""
    return replace(WELL, metering=replace(WELL.metering, **more))


def unowned(requests: int) -> HomeFacts:
    """A well home with so many of 10,000 requests for a name that nobody owns."""
    name = UnownedName(domain="new.example", requests=requests)
    return store(
        unowned=UnownedTraffic(
            since=START, requests=requests, all_requests=10_000, names=1, largest=(name,)
        )
    )


ENDPOINT = Undone(
    endpoint="webhook:crm", waiting=3, waiting_since=NOW, next_try=NOW, given_up=0,
    cause="answered 401", off_since=None,
)  # fmt: skip
ILL = {
    "edge_problem": edge(problems=("its spool is damaged",)),
    "edge_silent": edge(promise=NOW - 7 * HOUR),
    "edge_unread": metering(unread=("e1: its folder cannot be read, since 2026-10-19",)),
    "edge_refused": edge(refused=5),
    "metering_silent": replace(
        metering(fresh_at=NOW - HOUR), edges=(replace(WELL.edges[0], unread_bytes=100),)
    ),
    "metering_alarm": metering(alarms=("fork of e1",)),
    "not_conserved": metering(adds_up=False),
    "quarantine": metering(quarantined=2),
    "sequence_gap": edge(gaps=1),
    "hour_open_long": metering(open_hours=1, oldest_open=NOW - 9 * HOUR),
    "hour_incomplete": store(
        incomplete=(IncompleteHour(hour=START, partition="spool", missing="e2"),)
    ),
    "hour_too_old": billing(too_old_files=6, too_old_requests=70, too_old_first=START),
    "hour_unpriced": billing(unpriced_hours=2, unpriced="acme 2026-10-01T00:00Z: no card"),
    "prices_refused": replace(WELL, prices="prices/plain.toml, line 3: no"),
    "run_held": billing(held_run="R2", held_reason="it charges too much"),
    "check_red": replace(
        WELL, checks=replace(WELL.checks, red=(RedCheck(check="ledger_balances", found="1 row"),))
    ),
    "check_old": replace(WELL, checks=CheckState()),
    "recorded_ahead": billing(newest_transfer=NOW + timedelta(minutes=6)),
    "billing_unreadable": replace(WELL, store=None, unreadable="the chain is broken"),
    "rating_behind": billing(rated_through=NOW - 5 * HOUR),
    "override_of_nobody": store(overrides=("price book plain: override x is for account y",)),
    "clock_behind": replace(WELL, newest_record=NOW + timedelta(days=1)),
    "home_exposed": replace(WELL, exposed=("other users of this machine can read prices/",)),
    "month_unissued": store(unissued=(UnissuedMonth(account_id="acme", month="2026-09"),)),
    "unowned_traffic": unowned(100),
    "unowned_names": unowned(99),
    "endpoint_off": store(endpoints=(replace(ENDPOINT, off_since=NOW),)),
    "delivery_failing": store(endpoints=(ENDPOINT,)),
    "https_not_served": replace(WELL, https="nothing answers at 127.0.0.1"),
    "tls_expiring": store(expiring=("www.acme.example: the certificate of CA ends soon",)),
    "https_facts_refused": store(https_facts=("00000002.json is missing",)),
}


def test_a_well_home_needs_nobody() -> None:
    assert findings(WELL) == ()


@pytest.mark.parametrize(("name", "facts"), ILL.items(), ids=ILL.keys())
def test_each_signal_stands_when_it_should_and_alone(name: str, facts: HomeFacts) -> None:
    assert [one.signal.name for one in findings(facts)] == [name]


def test_every_signal_is_tried_stands_in_the_docs_and_in_the_metrics(root: Path) -> None:
    names = [one.name for one in signals.SIGNALS]
    assert sorted(ILL) == sorted(names)
    assert len(set(names)) == len(names)
    page = (root / "docs" / "operating.md").read_text(encoding="utf-8")
    assert signals.table() in page, "write signals.table() into the section Signals"
    served = {one.labels["signal"]: one.value for one in signal_family(()).samples}
    assert served == dict.fromkeys(names, 0)


def test_metrics_and_commands_that_a_signal_names_exist(root: Path) -> None:
    page = (root / "docs" / "commands.md").read_text(encoding="utf-8")
    code = (root / "billing" / "daemon" / "metrics.py").read_text(encoding="utf-8")
    for one in signals.SIGNALS:
        for metric in re.findall(r"edgetoll_([a-z_]+)", one.seen):
            assert f'"{metric.removesuffix("_total")}"' in code or "events_" in metric, metric
        for command in re.findall(r"`edgetoll ((?:edge|metering|billing) [a-z-]+)", one.answer):
            assert f"## edgetoll {command}" in page, command


def status(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, Any]]:
    """What `edgetoll status --json` exits with and says."""
    capsys.readouterr()
    code = main(["status", "--home", str(home), "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, document


def test_a_fresh_home_needs_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "home")]) == 0
    code, document = status(tmp_path / "home", capsys)
    assert (code, document["signals"]) == (0, [])


def test_g8_traffic_that_nobody_owns_is_named_by_rate_and_status_with_the_way_to_own_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    uses = [
        Use(requests=800),
        Use(domain="www.new.example", requests=150),
        Use(domain="cdn.new.example", requests=40, class_="http"),
        Use(domain=None, requests=10),
    ]
    close_hour(home, now - 2 * HOUR, uses)
    assert main(["billing", "rate", "--home", str(home)]) == 0
    out = capsys.readouterr().out
    assert "Nobody pays for 200 requests of 1,000: 3 names that no account owns." in out
    assert "  www.new.example: 150\n  cdn.new.example: 40\n  (many small names): 10\n" in out
    assert 'To own one, load [[domains]] domain = "www.new.example", account = "ID":' in out
    assert main(["billing", "rate", "--json", "--home", str(home)]) == 0
    traffic = json.loads(capsys.readouterr().out)["unowned"]
    assert (traffic["requests"], traffic["largest"][0]["domain"]) == (200, "www.new.example")
    code, document = status(home, capsys)
    assert code == 1
    assert "unowned_traffic" in [one["signal"] for one in document["signals"]]
    assert document["store"]["unowned"]["requests"] == 200


@pytest.mark.parametrize(
    ("month", "said"), [("2026-10", "100 requests of 300"), ("2026-09", "7 requests of 7")]
)
def test_g8_the_invoice_run_names_what_nobody_pays_for_in_its_month(
    month: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    close_hours(home, START, 2, [Use(requests=100), Use(domain="x.new.example", requests=50)])
    close_hour(home, START - 24 * HOUR, [Use(domain="old.example", requests=7)])
    rate(home)
    late = ["--as-of", "2026-11-05T00:00:00Z", "--home", str(home)]
    main(["billing", "invoice", "--month", month, "--draft", *late])
    told = capsys.readouterr()
    assert f"Nobody pays for {said}" in told.err
    drafts = [*home.joinpath("invoices", month, "drafts").iterdir()]
    assert ("the drafts are in" in told.out + told.err) == bool(drafts)
    for more in ([], ["--draft"]):
        main(["billing", "invoice", "--month", month, *more, "--json", *late])
        out = capsys.readouterr().out
        named = json.loads(out)["unowned"]["largest"] if out else []
        wanted = "x.new.example" if month == "2026-10" else "old.example"
        assert [one["domain"] for one in named] == [wanted]


@pytest.mark.parametrize("more", [[], ["--draft"]])
def test_g9_the_invoice_run_names_the_hours_of_its_month_that_lack_an_edge(
    more: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    for hours_ago in (24, -1, -2, 31 * -24):  # the last and the first, in September and November
        close_hour(home, START - hours_ago * HOUR, [Use()], state="incomplete")
    rate(home, at=datetime(2026, 11, 1, 6, tzinfo=UTC))
    late = ["--as-of", "2026-12-20T00:00:00Z", "--really", "--home", str(home)]
    main(["billing", "invoice", "--month", "2026-10", *more, *late])
    said = capsys.readouterr().err
    assert "2 hours are incomplete: charged for what is there" in said
    assert "2026-10-01T01:00Z" in said
    assert "2026-10-01T02:00Z" in said


def test_issue_11_a_price_for_an_account_that_nobody_loaded_is_told_by_load_rate_and_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    card = BOOK[BOOK.index("[[card]]") :].split("[[card]]")[1]
    own = card.replace('id = "', 'account = "acmee"\nid = "own-')
    (home / "prices" / "plain.toml").write_text(f"{BOOK}\n[[override]]{own}")
    said = "which nobody has loaded"
    assert main(["billing", "rate", "--home", str(home)]) == 0
    assert said in capsys.readouterr().err
    assert main(["billing", "load", str(home / "rows.toml"), "--home", str(home)]) == 0
    assert said in capsys.readouterr().err
    _code, document = status(home, capsys)
    (found,) = [one for one in document["signals"] if one["signal"] == "override_of_nobody"]
    assert "is for account acmee" in found["what"]
    load_text(
        home, ACCOUNTS.replace('"acme"', '"acmee"').replace("www.acme", "www.acmee"), name="b.toml"
    )
    assert main(["billing", "rate", "--home", str(home)]) == 0
    assert said not in capsys.readouterr().err


NOBODYS = {
    "a webhook": (
        "edgetoll.toml",
        '\n[[billing.delivery.webhooks]]\nname = "crm"\nurl = "https://crm.example/x"\n'
        'key_files = ["k"]\naccounts = ["acme", "acmee"]\n',
        "[[billing.delivery.webhooks]] crm is for account acmee",
    ),
    "a language": (
        "edgetoll.toml",
        '\n[billing.delivery.mail]\nhost = "smtp.example"\nsender = "a@b.example"\n'
        'languages = { acmee = "de" }\n',
        "[billing.delivery.mail] languages is for account acmee",
    ),
    "an alert rule": (
        "alert_rules.toml",
        '[[rule]]\nid = "r"\naccount = "acmee"\nkind = "high_bill"\nlimit = "5.00"\n',
        "alert_rules.toml: rule r is for account acmee",
    ),
}


@pytest.mark.parametrize("what", NOBODYS)
def test_issue_11_whatever_is_for_an_account_that_nobody_loaded_is_told(
    what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    name, text, said = NOBODYS[what]
    with open(home / name, "a", encoding="utf-8") as file:
        file.write(text)
    assert main(["billing", "rate", "--home", str(home)]) == 0
    assert f"{said}, which nobody has loaded" in capsys.readouterr().err
    _code, document = status(home, capsys)
    (found,) = [one for one in document["signals"] if one["signal"] == "override_of_nobody"]
    assert said in found["what"]


def test_g14_an_exposed_home_needs_a_person_until_it_is_closed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    home.chmod(0o755)
    code, document = status(home, capsys)
    assert code == 1
    assert "home_exposed" in [one["signal"] for one in document["signals"]]
    home.chmod(0o700)
    code, document = status(home, capsys)
    assert "home_exposed" not in [one["signal"] for one in document["signals"]]


def test_m6_rate_says_which_hours_are_incomplete(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    close_hour(home, NOW - 2 * HOUR, [Use()], state="incomplete")
    close_hour(home, NOW - HOUR, [Use()])
    words = ["billing", "rate", "--as-of", NOW.isoformat(), "--home", str(home)]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "1 hour is incomplete" in out
    assert "2026-10-19T22:00Z" in out
    assert main([*words, "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["incomplete_hours"]) == 1


def test_p6_what_metering_has_read_does_not_wait_for_it(tmp_path: Path) -> None:
    """A promise is acknowledged with the next checkpoint: until then it is read all the same."""
    spooled(tmp_path, "edge-1")
    drained(tmp_path)

    def unread() -> int:
        return around(tmp_path, now=datetime.now(UTC)).edges[0].unread_bytes

    assert unread() == 0
    with Spool.open(tmp_path / "spool" / "edge-1", "edge-1", "de", random64=lambda: 1) as spool:
        spool.heartbeat(T0 + 3_600_001)
    assert unread() > 0
    drained(tmp_path)
    assert unread() == 0


def test_p6_nothing_rated_yet_is_no_illness() -> None:
    assert unverified("no usage has been rated yet") is None
    assert unverified("check is red: x; no usage has been rated yet") == "check is red: x"
    assert unverified(None) is None


def test_the_screen_fits_80_columns_and_breaks_no_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    home = make_home(tmp_path)
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    names = [Use(domain=f"www.customer-number-{n}.example", requests=10**12 + n) for n in range(30)]
    close_hour(home, now - 2 * HOUR, [Use(), *names])
    rate(home, at=now)
    capsys.readouterr()
    main(["status", "--home", str(home)])
    lines = capsys.readouterr().out.splitlines()
    wide = [line for line in lines if len(line) > 80 and str(home) not in line]
    assert wide == []
    assert "1,000,000,000,029" in "\n".join(lines)


def test_g11_a_store_that_cannot_be_opened_hides_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    rate(home)
    (home / "billing.lock").unlink()
    (home / "billing.lock").mkdir()  # what root meets too; a read-only disk says another reason
    code, found = status(home, capsys)
    assert code == 1
    (finding,) = [one for one in found["signals"] if one["signal"] == "billing_unreadable"]
    assert "a folder stands where the lock should be" in finding["what"]
    assert "metering" in found


def test_g7_a_record_of_a_clock_that_ran_ahead_needs_a_person() -> None:
    """What followed was recorded before it, without a word."""
    ahead = replace(WELL, newest_record=NOW + timedelta(minutes=6))
    assert [one.signal for one in findings(ahead)] == [signals.CLOCK_BEHIND]
    assert not findings(replace(WELL, newest_record=NOW + timedelta(minutes=4)))
