"""Mail over TLS to a real server: a password and a customer's debts never travel in the clear."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from billing.outbox import deliver
from tests.billing.conftest import Mailbox, open_world
from tests.kafka.authority import Authority

SETTINGS = """
[billing.delivery.mail]
host = "127.0.0.1"
port = {port}
sender = "billing@cdn.example"
operators = ["ops@cdn.example"]
user = "billing"
password_file = "smtp-password"
"""


class Clerk(Mailbox):
    """A mailbox that takes one user's password, and keeps what else was tried."""

    def __init__(self) -> None:
        super().__init__()
        self.logins: list[tuple[bytes, bytes]] = []

    def __call__(self, _server: Any, session: Any, _envelope: Any, _how: str, data: Any) -> Any:
        assert isinstance(data, LoginPassword)
        assert session.ssl is not None, "a password was sent without TLS"
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"open sesame")


class AnyPort(Controller):
    """A controller that takes whichever port is free."""

    def _trigger_server(self) -> None:
        assert self.server is not None
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@contextmanager
def mail_server(context: ssl.SSLContext | None) -> Iterator[Clerk]:
    """A server that offers STARTTLS with `context`, or does not offer it at all."""
    clerk = Clerk()
    more: dict[str, Any] = {"authenticator": clerk, "auth_required": context is not None}
    if context is not None:
        more |= {"tls_context": context, "require_starttls": True}
    controller = AnyPort(clerk, hostname="127.0.0.1", port=0, **more)
    controller.start()
    try:
        clerk.port = controller.port
        yield clerk
    finally:
        controller.stop()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """Who signed the server's certificate."""
    folder = tmp_path / "authority"
    folder.mkdir()
    return Authority(folder)


def tell(world: Any, port: int) -> tuple[dict[str, int], str]:
    """Deliver an account's event by mail: counts, and what the server answered."""
    (world.home / "edgetoll.toml").write_text(SETTINGS.format(port=port))
    secret = world.home / "smtp-password"
    secret.write_text("open sesame\n")
    secret.chmod(0o600)
    world.account("a")
    world.charge("a", "1.00")
    world.look()
    world.store.close()
    told = deliver.deliver(
        world.home, open_store=open_world, now=world.now, jitter_permille=lambda: 0
    )
    world.store = open_world(world.home, owner="test", now=world.now)
    rows = world.store.connection.execute("SELECT answer FROM deliveries WHERE endpoint = 'mail'")
    return dict(told.counts), rows.fetchall()[0][0]


def context_of(authority: Authority) -> ssl.SSLContext:
    """What the server shows."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(authority.issue("mail").both)
    return made


def test_mail_goes_over_starttls_with_a_password_where_the_certificate_is_trusted(
    world: Any, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    with mail_server(context_of(authority)) as clerk:
        counts, answer = tell(world, clerk.port)
    assert counts == {"delivered": 2}
    assert answer == "mailed to 1"
    assert clerk.logins == [(b"billing", b"open sesame")]
    assert len(clerk.letters) == 1


def test_a_certificate_that_nobody_trusts_gets_neither_password_nor_mail(
    world: Any, authority: Authority
) -> None:
    with mail_server(context_of(authority)) as clerk:
        counts, answer = tell(world, clerk.port)
    assert counts == {"delivered": 1, "waiting": 1}
    assert "certificate verify failed" in answer
    assert (clerk.logins, clerk.letters) == ([], [])


def test_a_server_without_tls_gets_neither_password_nor_mail(world: Any) -> None:
    with mail_server(None) as clerk:
        counts, answer = tell(world, clerk.port)
    assert counts == {"delivered": 1, "waiting": 1}
    assert "STARTTLS" in answer
    assert (clerk.logins, clerk.letters) == ([], [])
