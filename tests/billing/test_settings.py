"""Settings: a key or a table that nobody reads is refused by every command of its section."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.agent.settings import load as load_edge
from edge.configfile import section
from edge.errors import ConfigError
from edge.shipping.run import settings as load_link
from edgetoll import main
from metering.settings import load as load_metering
from tests.billing.homes import make_home

# What is written, and the key that must be named; it stands on the last line.
BILLING = {
    "a cap that is misspelt": ('[billing]\nbreaker_cap = { USD = "1.00" }', "billing.breaker_cap"),
    "a table that is misspelt": ("[billing.balanse]", "billing.balanse"),
    "balance": ("[billing.balance]\nrelease_day = 3", "billing.balance.release_day"),
    "daemon": ('[billing.daemon]\nlissen = "h:1"', "billing.daemon.lissen"),
    "delivery": ("[billing.delivery]\nweb_hooks = []", "billing.delivery.web_hooks"),
    "mail": (
        '[billing.delivery.mail]\nhost = "h"\nsender = "a@b.example"\noperater = []',
        "billing.delivery.mail.operater",
    ),
    "the second webhook": (
        '[[billing.delivery.webhooks]]\nname = "a"\nurl = "https://a.example"\nkey_files = ["k"]\n'
        '[[billing.delivery.webhooks]]\nname = "b"\nurl = "https://b.example"\nkey_files = ["k"]\n'
        'acounts = ["acme"]',
        "billing.delivery.webhooks.2.acounts",
    ),
    "event file": ('[billing.delivery.file]\npaht = "x"', "billing.delivery.file.paht"),
    "stop list": ('[billing.delivery.stop_list]\ntopik = "x"', "billing.delivery.stop_list.topik"),
    "invoices": ('[invoices]\nprefx = "INV"', "invoices.prefx"),
    "seller": ('[invoices.seller]\ntaxid = "1"', "invoices.seller.taxid"),
    "a section that is misspelt": ("[invoice]", "invoice"),
    "a table that is a value": ("[billing]\nbalance = 3", "billing.balance"),
    "a cap in a currency that is none": (
        '[billing]\nbreaker_caps = { usd = "1.00" }',
        "billing.breaker_caps",
    ),
    "a cap that is no amount": (
        '[billing]\nbreaker_caps = { USD = "lots" }',
        "billing.breaker_caps",
    ),
    "a time zone that is none": ('[invoices]\ntimezone = "Atlantis"', "invoices.timezone"),
    "a floor below zero": ('[billing]\nbreaker_floor = "-1.00"', "billing.breaker_floor"),
}
COMMANDS = (
    ("billing", "rate"),
    ("billing", "alerts"),
    ("billing", "ledger"),
    ("billing", "invoice", "--month", "2026-09"),
    ("billing", "daemon", "--once"),
)


def write(home: Path, text: str) -> int:
    """Make `text` the settings of a home, under a comment; returns the number of its last line."""
    (home / "edgetoll.toml").write_text(f"# settings\n\n{text}\n", encoding="utf-8")
    return 2 + len(text.splitlines())


@pytest.mark.parametrize(("text", "key"), BILLING.values(), ids=BILLING.keys())
def test_a_key_of_billing_that_nobody_reads_is_named_with_its_line(
    text: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path, accounts=None)
    line = write(home, text)
    assert main(["billing", "rate", "--home", str(home)]) == 1
    assert f"edgetoll.toml, line {line}, key {key}: " in capsys.readouterr().err.replace("\n", " ")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_of_billing_refuses_it_whatever_it_reads_itself(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path, accounts=None)
    write(home, '[billing]\nbreaker_cap = { USD = "1.00" }')
    assert main([*command, "--home", str(home)]) == 1
    assert "key billing.breaker_cap: this key is not known here" in capsys.readouterr().err


OTHERS = {
    "edge": ('[edge]\nedgeid = "e1"', "edge.edgeid"),
    "edge logs": ('[[edge.logs]]\npath = "a"\nfromat = "nginx"', "edge.logs.1.fromat"),
    "edge kafka": ('[edge.kafka]\nbootstap = "h:1"', "edge.kafka.bootstap"),
    "metering": ("[metering]\nthread = 1", "metering.thread"),
    "metering kafka": ('[metering.kafka]\ngrup = "x"', "metering.kafka.grup"),
    "an expected edge": (
        '[[metering.expected_edges]]\nedge = "e1"\nsince = 2026-10-01\nsinse = 2026-10-01',
        "metering.expected_edges.1.sinse",
    ),
}


@pytest.mark.parametrize(("text", "key"), OTHERS.values(), ids=OTHERS.keys())
def test_a_key_of_edge_or_metering_that_nobody_reads_is_named_with_its_line(
    text: str, key: str, tmp_path: Path
) -> None:
    line = write(tmp_path, text)
    readers = (load_edge, load_link) if key.startswith("edge") else (load_metering,)
    for reader in readers:
        with pytest.raises(ConfigError, match=rf"line {line}, key {key}: this key is not known"):
            reader(tmp_path)


@pytest.mark.parametrize("text", ["lots", "", "0GB", "-1GB", "512"])
def test_g11_a_memory_limit_that_is_none_is_said_before_any_store_is_blamed(
    text: str, tmp_path: Path
) -> None:
    write(tmp_path, f'[metering]\nmemory_limit = "{text}"')
    with pytest.raises(ConfigError, match=r"metering\.memory_limit"):
        load_metering(tmp_path)
    write(tmp_path, '[metering]\nmemory_limit = "1.5 GiB"')
    assert load_metering(tmp_path).memory_limit == "1.5 GiB"


@pytest.mark.parametrize(
    ("variable", "said"),
    [
        ("EDGETOLL_METERNG__THREADS", "EDGETOLL_METERNG__THREADS: there is no section 'meterng'"),
        ("EDGETOLL_METERING__THREAD", "EDGETOLL_METERING__THREAD, key metering.thread: this key"),
        (
            "EDGETOLL_METERING__THREADS__A",
            "EDGETOLL_METERING__THREADS__A: threads is a value, not a table",
        ),
    ],
)
def test_a_variable_that_nobody_reads_is_named(
    variable: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, "[metering]\nthreads = 1")
    monkeypatch.setenv(variable, "2")
    with pytest.raises(ConfigError, match=said):
        load_metering(tmp_path)


def test_a_table_of_a_section_is_read_by_its_name_and_overridden_from_outside(
    tmp_path: Path,
) -> None:
    from billing.settings import DaemonSettings

    write(tmp_path, "[billing.daemon]\ncheck_hour = 5")
    environ = {"EDGETOLL_BILLING__DAEMON__WAKE_SECONDS": "7"}
    read = section(tmp_path, "billing.daemon", DaemonSettings, environ)
    assert (read.check_hour, read.wake_seconds) == (5, 7)


def test_the_settings_a_home_begins_with_are_taken(root: Path) -> None:
    from billing.settings import check_settings

    check_settings(root / "examples")
    load_edge(root / "examples")
    load_metering(root / "examples")
