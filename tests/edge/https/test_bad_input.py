"""Bad input, or a machine in the way: one line, the edge serves on, nothing is half applied."""

from __future__ import annotations

import base64
import resource
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.https.agent import watch
from edge.https.damage import damage
from edge.https.probe import REFUSED
from edge.https.settings import read_settings
from edge.https.wishes import PRIVATE_BEGINS
from tests.edge.https.world import Edge

WWW, OTHER = "www.shop.example", "other.shop.example"


@contextmanager
def files_no_longer_than(size: int) -> Iterator[None]:
    """The kernel refuses to let any file of this process grow beyond `size`: a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def said_by(edge: Edge, capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """What a command that must fail says: one line, and a hint."""
    capsys.readouterr()
    assert edge.run(*words) in (1, 2), words
    lines = capsys.readouterr().err.strip().splitlines()
    assert lines[0].startswith("edgetoll: ")
    assert len(lines) == 1 or (len(lines) == 2 and lines[1].startswith("  hint: "))
    return lines[0]


def wished(edge: Edge) -> dict[str, bytes]:
    """All settings and the vault, byte by byte."""
    return {
        str(path.relative_to(edge.home)): path.read_bytes()
        for folder in ("domains", "vault")
        for path in sorted((edge.home / "https" / folder).glob("*"))
    }


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["set", "unknown.example", "--redirect", "off"], "knows no domain unknown.example"),
        (["renew", "unknown.example", "CERTIFICATE"], "knows no domain unknown.example"),
        (["show", "unknown.example"], "knows no domain unknown.example"),
        (["enable", WWW, "CERTIFICATE"], "is on already"),
        (["enable", "new.example", "CERTIFICATE"], "[name_not_covered]"),
        (["renew", WWW, "OTHER'S"], "[name_not_covered]"),
        (["renew", WWW, "MISSING"], "cannot be read: No such file"),
        (["renew", WWW, "HUGE"], "[too_large]"),
        (["set", OTHER, "--http2", "off"], f"HTTPS of {OTHER} is off"),
        (["disable", OTHER], f"HTTPS of {OTHER} is off"),
        (["set", WWW, "--redirect", "to-http", "--hsts", "1d"], "in a circle"),
        (["set", WWW, "--hsts-subdomains"], "needs --hsts"),
        (["set", WWW, "--tls-min", "1.4"], "is not known"),
    ],
)
def test_bad_input_is_one_line_that_says_what_and_changes_nothing(
    words: list[str], line: str, edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.upload("enable", WWW)
    edge.upload("enable", OTHER)
    edge.done("disable", OTHER)
    before = wished(edge)
    certificate, key = edge.files(WWW)
    others, others_key = edge.files(OTHER)
    huge = edge.home.parent / "huge.pem"
    huge.write_bytes(b"x" * 65_537)
    files = {
        "CERTIFICATE": (certificate, key), "OTHER'S": (others, others_key),
        "MISSING": ("missing.pem", key), "HUGE": (str(huge), key),
    }  # fmt: skip
    chain, secret = files.get(words[-1], ("", ""))
    options = ["--certificate", chain, "--key", secret] if chain else words[-1:]
    if words[0] == "enable":
        options += ["--origin", edge.origin]
    assert line in said_by(edge, capsys, *words[:-1], *options)
    assert wished(edge) == before


@pytest.mark.needs_nginx
def test_an_nginx_that_cannot_be_run_is_a_line_and_the_running_one_serves_on(
    edge: Edge, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    edge.upload("enable", WWW)
    assert edge.run("apply") == 1
    edge.start()
    edge.done("apply")
    before = edge.leaf(WWW)
    edge.upload("renew", WWW)
    settings = edge.home / "edgetoll.toml"
    good = settings.read_text()
    program = next(line for line in good.splitlines() if line.startswith("nginx = "))
    text_file = tmp_path / "text"
    text_file.write_text("no program")
    for name, line in (
        ("/nowhere/nginx", "there is no program"),
        (str(text_file), "cannot be started"),
        ("/bin/false", "is no nginx"),
    ):
        settings.write_text(good.replace(program, f'nginx = "{name}"'))
        assert line in said_by(edge, capsys, "apply")
        assert edge.leaf(WWW) == before
    settings.write_text(good)
    edge.done("apply")
    assert edge.leaf(WWW) not in (before, REFUSED)


@pytest.mark.needs_nginx
def test_a_port_that_is_taken_when_nginx_starts_is_said(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    """nginx itself says why; apply says that none runs with the configuration, and how to start."""
    edge.upload("enable", WWW)
    with socket.create_server(("127.0.0.1", edge.https)):
        capsys.readouterr()
        assert edge.run("apply") == 1
        assert "no nginx runs with it: start it with" in capsys.readouterr().err
    edge.start()
    edge.done("apply")
    assert edge.leaf(WWW) != REFUSED


@pytest.mark.needs_nginx
@pytest.mark.parametrize("room", [0, 300, 4000])
def test_a_disk_that_is_full_in_the_middle_applies_nothing_by_half(
    room: int, edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    """A renewal and a new redirect at once: both are served, or neither."""
    for name in (WWW, OTHER):
        edge.upload("enable", name)
    assert edge.run("apply") == 1
    edge.start()
    edge.done("apply")
    before = edge.leaf(WWW)
    edge.upload("renew", WWW)
    edge.done("set", OTHER, "--redirect", "to-https")
    with files_no_longer_than(room):
        assert "File too large" in said_by(edge, capsys, "apply")
    assert edge.leaf(WWW) == before
    assert edge.curl(f"http://{OTHER}/")["status"] == 200
    edge.done("apply")
    assert edge.leaf(WWW) not in (before, REFUSED)
    assert edge.curl(f"http://{OTHER}/")["status"] == 301
    assert not list((edge.home / "https").rglob(".*.tmp"))


def test_a_disk_that_is_full_when_something_is_stored_changes_nothing(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    edge.upload("enable", WWW)
    before = wished(edge)
    certificate, key = edge.files(WWW)
    for room in (0, 600):
        with files_no_longer_than(room):
            line = said_by(edge, capsys, "renew", WWW, "--certificate", certificate, "--key", key)
        assert "File too large" in line
        assert wished(edge) == before
    with files_no_longer_than(0):
        assert "File too large" in said_by(edge, capsys, "set", WWW, "--redirect", "to-https")
        assert "File too large" in said_by(edge, capsys, "disable", WWW)
    assert wished(edge) == before


@pytest.mark.needs_nginx
def test_what_fails_after_a_first_certificate_was_changed_puts_that_one_back(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    """A folder stands where the second domain's link should be."""
    for name in (OTHER, WWW):
        edge.upload("enable", name)
    assert edge.run("apply") == 1
    edge.start()
    edge.done("apply")
    before = edge.leaf(OTHER)
    for name in (OTHER, WWW):
        edge.upload("renew", name)
    link = edge.home / "https" / "live" / f"{WWW}.pem"
    link.unlink()
    link.mkdir()
    assert "Is a directory" in said_by(edge, capsys, "apply")
    assert edge.leaf(OTHER) == before
    link.rmdir()
    edge.done("apply")
    assert edge.leaf(OTHER) not in (before, REFUSED)


@pytest.mark.needs_nginx
def test_the_watch_outlives_a_full_disk_says_it_once_and_tries_again(edge: Edge) -> None:
    edge.upload("enable", WWW)
    assert edge.run("apply") == 1
    edge.start()
    edge.done("apply")
    before = edge.leaf(WWW)
    edge.upload("renew", WWW)
    edge.done("set", WWW, "--hsts", "1d")
    said: list[str] = []
    stop = threading.Event()
    settings = read_settings(edge.home)
    agent = threading.Thread(
        target=watch, args=(edge.home, settings), kwargs={"stop": stop, "say": said.append}
    )

    def until(happened: Callable[[], bool]) -> None:
        for _ in range(600):
            if happened():
                return
            stop.wait(0.1)
        raise AssertionError(said)

    try:
        with files_no_longer_than(0):
            agent.start()
            until(lambda: bool(said))
        assert edge.leaf(WWW) == before
        until(lambda: edge.leaf(WWW) != before)
        until(lambda: f"{WWW}: live" in said)
    finally:
        stop.set()
        agent.join()
    assert "File too large" in said[0]
    assert said[1:] == [f"{WWW}: live"]


def test_a_key_with_any_one_bit_turned_is_said_to_be_damaged_and_ends_in_no_traceback(
    edge: Edge,
) -> None:
    edge.upload("enable", WWW)
    (bundle,) = (edge.home / "https" / "vault").glob("*.pem")
    public, begin, rest = bundle.read_bytes().partition(PRIVATE_BEGINS)
    key = base64.b64decode(rest.partition(b"-----END")[0])
    for bit in range(0, len(key) * 8, 3):
        turned = bytearray(key)
        turned[bit // 8] ^= 1 << bit % 8
        text = base64.encodebytes(turned) + b"-----END PRIVATE KEY-----\n"
        bundle.write_bytes(public + begin + b"\n" + text)
        assert [row[0] for row in damage(edge.home)] in ([f"vault/{bundle.name}"], []), bit
    bundle.write_bytes(public)
    ((_name, why, _advice),) = damage(edge.home)
    assert "its key is damaged" in why
