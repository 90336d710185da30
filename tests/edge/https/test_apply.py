"""A real nginx serves exactly what is wished: the rules of the origin document, by number."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from edge.https.probe import REFUSED
from edge.https.wishes import Wishes
from tests.edge.https.making import traces_of
from tests.edge.https.world import Edge

pytestmark = pytest.mark.needs_nginx
WWW = "www.shop.example"


def started(edge: Edge, *domains: str) -> Edge:
    """The edge with HTTPS on for `domains`, applied and running."""
    for domain in domains:
        edge.upload("enable", domain)
    assert edge.run("apply") == 1, "no nginx runs yet: it says so"
    edge.start()
    edge.done("apply")
    return edge


def test_rule_1_on_serves_http_and_https_and_off_takes_certificate_and_key_away(edge: Edge) -> None:
    started(edge, WWW, "*.wild.example")
    assert edge.curl(f"http://{WWW}/")["body"] == f"origin of {WWW}\n"
    assert edge.curl(f"https://{WWW}/")["body"] == f"origin of {WWW}\n"
    assert edge.curl("https://any.wild.example/")["body"] == "origin of any.wild.example\n"
    edge.done("disable", WWW)
    assert not [p for p in (edge.home / "https").rglob("*.pem") if "wild" not in p.name
                and p.parent.name == "live"]  # fmt: skip
    assert len(list((edge.home / "https" / "vault").iterdir())) == 1
    edge.done("apply")
    assert edge.leaf(WWW) == REFUSED
    assert edge.curl(f"http://{WWW}/")["status"] == 200
    assert edge.leaf("any.wild.example") != REFUSED
    edge.upload("enable", WWW, origin=False)
    edge.done("apply")
    assert edge.curl(f"https://{WWW}/")["status"] == 200


def test_disabling_one_domain_takes_nothing_from_another_that_waits_for_its_renewal(
    edge: Edge,
) -> None:
    started(edge, WWW, "other.shop.example")
    before = edge.leaf(WWW)
    edge.upload("renew", WWW)
    edge.done("disable", "other.shop.example")
    assert edge.leaf(WWW) == before
    edge.done("apply")
    assert edge.leaf(WWW) not in (before, REFUSED)
    assert len(list((edge.home / "https" / "vault").iterdir())) == 1


def test_nothing_is_stored_while_another_process_looks_for_what_is_unused(edge: Edge) -> None:
    """Else a bundle that its settings do not name yet would be taken for unused."""
    edge.upload("enable", WWW)
    wishes = Wishes(edge.home)
    before = set(wishes.vault.iterdir())
    upload = threading.Thread(target=edge.upload, args=("renew", WWW))
    with wishes.locked():
        upload.start()
        upload.join(timeout=2)
        assert upload.is_alive()
        assert set(wishes.vault.iterdir()) == before
    upload.join()
    assert len(set(wishes.vault.iterdir()) - before) == 1


def test_rule_2_what_may_not_be_used_changes_nothing(edge: Edge, capsys: object) -> None:
    started(edge, WWW)
    before = edge.leaf(WWW)
    certificate, _ = edge.files(WWW)
    _, other = edge.files(WWW)
    assert edge.run("renew", WWW, "--certificate", certificate, "--key", other) == 1
    edge.done("apply")
    assert edge.leaf(WWW) == before


def test_rule_3_a_renewal_is_live_at_once_and_keys_are_never_shown(
    edge: Edge, capfd: pytest.CaptureFixture[str]
) -> None:
    started(edge, WWW)
    before = edge.leaf(WWW)
    reloads = edge.status()["reloads"]
    edge.upload("renew", WWW)
    edge.done("apply")
    assert edge.leaf(WWW) not in (before, REFUSED)
    assert edge.status()["reloads"] == reloads, "a renewal needs no reload"
    edge.done("show", "--json")
    edge.done("show", WWW)
    said = "".join(capfd.readouterr())
    for path in (edge.home.parent / "uploads").glob("*-key.pem"):
        lines = [line for line in path.read_text().splitlines() if len(line) > 40]
        assert not [line for line in lines if line in said]


def test_rule_3_key_bytes_are_in_the_vault_and_nowhere_else(edge: Edge) -> None:
    """The `edge` fixture searches what every test wrote and printed; here that search is tried."""
    started(edge, WWW)
    vault = edge.home / "https" / "vault"
    (bundle,) = vault.iterdir()
    assert edge.leaks() == []
    assert vault.stat().st_mode & 0o777 == 0o700
    assert bundle.stat().st_mode & 0o777 == 0o600
    shown = edge.home / "copy.log"
    for trace in traces_of(edge.keys[0]):
        shown.write_bytes(b"before " + trace + b" after")
        assert edge.leaks() == [str(shown)]
    assert any(trace in bundle.read_bytes() for trace in traces_of(edge.keys[0]))
    shown.unlink()


def test_rule_4_only_handshakes_with_a_known_name_are_served(edge: Edge) -> None:
    started(edge, WWW, "*.wild.example")
    assert edge.leaf("other.example") == REFUSED
    without_name = edge.curl("https://127.0.0.1/", "-k")
    assert without_name["exit"] != 0
    answer = edge.curl(f"https://{WWW}/", "-H", "Host: any.wild.example")
    assert answer["status"] == 421
    for version in ("--http1.1", "--http2"):
        unknown = edge.curl(f"https://{WWW}/", version, "-H", "Host: other.example")
        assert unknown["status"] == 421, "also where nobody has that name"
    assert edge.curl("http://deep.any.wild.example/")["status"] == 404


def test_rule_5_redirect_hsts_and_http2(edge: Edge) -> None:
    started(edge, WWW, "plain.shop.example")
    edge.done("set", WWW, "--redirect", "to-https", "--hsts", "60d", "--hsts-subdomains")
    edge.done("apply")
    moved = edge.curl(f"http://{WWW}/a?b=c")
    assert moved["status"] == 301
    assert moved["headers"]["location"] == f"https://{WWW}:{edge.https}/a?b=c"
    secure = edge.curl(f"https://{WWW}/", "--http2")
    assert secure["protocol"] == "HTTP/2"
    assert secure["headers"]["strict-transport-security"] == "max-age=5184000; includesubdomains"
    assert "strict-transport-security" not in moved["headers"]
    untouched = edge.curl("https://plain.shop.example/")
    assert "strict-transport-security" not in untouched["headers"]
    assert edge.run("set", WWW, "--redirect", "to-http") == 1, "a circle with HSTS"
    edge.done("set", WWW, "--hsts", "off", "--no-hsts-subdomains", "--redirect", "to-http",
              "--redirect-status", "308")  # fmt: skip
    edge.done("apply")
    back = edge.curl(f"https://{WWW}/a")
    assert (back["status"], back["headers"]["location"]) == (308, f"http://{WWW}:{edge.http}/a")


def test_rule_5_what_this_nginx_cannot_do_by_name_is_refused(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    """Debian's 1.22: HTTP/2 and TLS versions hold for a whole socket, HTTP/3 is not there."""
    started(edge, WWW, "old.shop.example")
    before = (edge.home / "https" / "nginx" / "nginx.conf").read_bytes()
    for options in (["--http2", "off"], ["--tls-min", "1.3"], ["--http3", "on"]):
        edge.done("set", WWW, *options)
        assert edge.run("apply") == 1
        assert "needs 1." in capsys.readouterr().err
        undo = {"--http2": "on", "--tls-min": "1.2", "--http3": "off"}[options[0]]
        edge.done("set", WWW, options[0], undo)
    assert (edge.home / "https" / "nginx" / "nginx.conf").read_bytes() == before
    for domain in (WWW, "old.shop.example"):
        edge.done("set", domain, "--tls-min", "1.3")
    edge.done("apply")
    assert edge.curl(f"https://{WWW}/", "--tls-max", "1.2")["exit"] != 0
    assert edge.curl(f"https://{WWW}/")["status"] == 200


def test_rule_6_a_stopped_domain_is_refused_and_comes_back(edge: Edge) -> None:
    """`b` (with settings of its own) and `c` are another customer's; `d` is the stopped one's."""
    started(edge, WWW, "*.wild.example", "b.wild.example", "d.wild.example")
    others = {"*.wild.example": ["b.wild.example", "c.wild.example"]}
    edge.stop_domains(WWW, "*.wild.example", "elsewhere.example", excepted=others)
    edge.done("apply")
    for scheme in ("http", "https"):
        stopped = edge.curl(f"{scheme}://{WWW}/")
        assert stopped["status"] == 403
        assert "suspended" in stopped["body"]
        for name, status in (("a", 403), ("b", 200), ("c", 200), ("d", 403)):
            assert edge.curl(f"{scheme}://{name}.wild.example/")["status"] == status, name
    lines = edge.status()["domains"]
    assert [name for name, one in lines.items() if one["stopped"]] == [
        "*.wild.example", "d.wild.example", WWW,
    ]  # fmt: skip
    edge.stop_domains("a.wild.example")
    edge.done("apply")
    for name, status in (("a", 403), ("b", 200), ("c", 200), ("d", 200)):
        assert edge.curl(f"https://{name}.wild.example/")["status"] == status, name
    edge.stop_domains()
    edge.done("apply")
    assert edge.curl(f"https://{WWW}/")["status"] == 200
    assert edge.curl("http://a.wild.example/")["status"] == 200


def test_a_stop_of_a_name_that_this_edge_does_not_serve_reloads_nothing(edge: Edge) -> None:
    started(edge, WWW)
    before = edge.status()["reloads"]
    edge.stop_domains("elsewhere.example", "*.elsewhere.example")
    edge.done("apply")
    assert edge.status()["reloads"] == before


def test_rule_6_a_stopped_domain_may_be_closed_at_the_handshake(edge: Edge) -> None:
    settings = edge.home / "edgetoll.toml"
    settings.write_text(settings.read_text() + 'mode = "close"\n')
    started(edge, WWW, "*.wild.example", "b.wild.example", "d.wild.example")
    others = {"*.wild.example": ["b.wild.example", "c.wild.example"]}
    edge.stop_domains(WWW, "*.wild.example", excepted=others)
    edge.done("apply")
    assert edge.leaf(WWW) == REFUSED
    assert edge.leaf("a.wild.example") == REFUSED
    assert edge.leaf("d.wild.example") == REFUSED
    assert edge.curl("https://b.wild.example/")["status"] == 200
    assert edge.curl(f"http://{WWW}/")["exit"] == 52, "an empty reply"
    assert edge.curl("https://c.wild.example/")["status"] == 200
    edge.stop_domains()
    edge.done("apply")
    assert edge.curl(f"https://{WWW}/")["status"] == 200


def test_what_a_stopped_domain_answers_is_billed_to_nobody(edge: Edge) -> None:
    started(edge, WWW)
    edge.curl(f"https://{WWW}/")
    edge.stop_domains(WWW)
    edge.done("apply")
    for _ in range(3):
        edge.curl(f"https://{WWW}/")
    edge.stop()
    billed = [json.loads(line) for line in (edge.home / "access.log").read_text().splitlines()]
    assert [(one["host"], one["scheme"], one["sni"], one["status"]) for one in billed] == [
        (WWW, "https", WWW, "200")
    ]
    own = (edge.home / "https" / "nginx" / "stopped.log").read_text().splitlines()
    assert len(own) == 3


def test_a_damaged_stop_list_neither_stops_nor_releases_anybody(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    started(edge, WWW, "other.shop.example")
    edge.stop_domains(WWW)
    edge.done("apply")
    path = edge.home / "suspended" / "domains.json"
    whole = path.read_text()
    for damaged in (whole[:-20], "", "{}", whole.replace('"count": 1', '"count": 2'),
                    whole.replace(WWW, "no name")):  # fmt: skip
        path.write_text(damaged)
        edge.done("apply")
        assert "the last is kept" in capsys.readouterr().err
        assert edge.curl(f"https://{WWW}/")["status"] == 403
        assert edge.curl("https://other.shop.example/")["status"] == 200
    path.unlink()
    edge.done("apply")
    assert edge.curl(f"https://{WWW}/")["status"] == 403


def test_an_nginx_that_does_not_take_it_over_puts_everything_back(edge: Edge) -> None:
    started(edge, WWW)
    before = edge.leaf(WWW)
    settings = edge.home / "edgetoll.toml"
    good = settings.read_text()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings.write_text(
            good.replace(f"https_port = {edge.https}", f"https_port = {port}\nprove_seconds = 2.0")
        )
        edge.upload("renew", WWW)
        wished = edge.home / "https" / "nginx" / "nginx.conf"
        text = wished.read_bytes()
        assert edge.run("apply") == 1
        assert wished.read_bytes() == text
        assert edge.leaf(WWW) == before
    assert edge.status()["refused_applies"] == 1
    settings.write_text(good)
    edge.done("apply")
    assert edge.leaf(WWW) not in (before, REFUSED)


@pytest.mark.parametrize(
    "words",
    [
        ["set", "unknown.example", "--redirect", "off"],
        ["disable", "unknown.example"],
        ["set", WWW],
        ["set", WWW, "--redirect", "sideways"],
        ["set", WWW, "--hsts", "9999d"],
        ["set", WWW, "--hsts-subdomains"],
        ["set", WWW, "--tls-min", "0.9"],
        ["enable", "no name", "--certificate", "x", "--key", "y"],
        ["enable", "new.example", "--certificate", "missing.pem", "--key", "missing.pem"],
        ["renew", WWW, "--certificate", "/proc/self/mem", "--key", "/"],
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    words: list[str], edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.upload("enable", WWW)
    domains = edge.home / "https" / "domains"
    before = {path.name: path.read_bytes() for path in domains.iterdir()}
    capsys.readouterr()
    assert edge.run(*words) in (1, 2)
    said = capsys.readouterr().err
    assert said.startswith("edgetoll: ")
    assert len(said.strip().splitlines()) <= 2
    assert {path.name: path.read_bytes() for path in domains.iterdir()} == before


def test_a_home_may_be_named_relatively(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(edge.home.parent)
    edge.home = Path("home")
    started(edge, WWW)
    assert edge.curl(f"https://{WWW}/")["status"] == 200


def test_show_tells_what_is_wished_from_what_is_served(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    started(edge, WWW)

    def served() -> str:
        capsys.readouterr()
        edge.done("show", WWW, "--json")
        said: str = json.loads(capsys.readouterr().out)["domains"][0]["served"]
        return said

    assert served() == "live"
    edge.done("set", WWW, "--hsts", "1d")
    assert served() == "waiting"
    edge.done("apply")
    assert served() == "live"
    edge.stop_domains(WWW)
    edge.done("apply")
    assert served() == "stopped"


def test_check_judges_without_storing(edge: Edge, capsys: pytest.CaptureFixture[str]) -> None:
    certificate, key = edge.files(WWW)
    edge.done("check", certificate, key, "--domain", WWW)
    assert "usable: www.shop.example" in capsys.readouterr().out
    assert edge.run("check", certificate, key, "--domain", "other.example") == 1
    assert "[name_not_covered]" in capsys.readouterr().out
    assert not (edge.home / "https").exists()


def test_expiring_certificates_are_listed_and_the_exit_code_says_so(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    certificate, key = edge.files(WWW, days=(-80, 9.5))
    edge.done("enable", WWW, "--certificate", certificate, "--key", key, "--origin", edge.origin)
    edge.done("expiring", "--days", "9")
    capsys.readouterr()
    assert edge.run("expiring", "--days", "10") == 1
    assert WWW in capsys.readouterr().out


def test_the_log_formats_are_the_shipped_ones(root: Path) -> None:
    from edge.https.nginx_config import LOG_FORMATS

    shipped = (root / "deploy" / "nginx" / "edgetoll-log.conf").read_text(encoding="utf-8")
    squeeze = "".join(LOG_FORMATS.split())
    code = "".join(
        "".join(line for line in shipped.splitlines() if not line.startswith("#")).split()
    )
    assert squeeze == code
