"""`edgetoll console`: look at a home with a browser; it reads as analysts do, writes nothing."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import ConfigError, InputError
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, now, say

if TYPE_CHECKING:
    from uvicorn import Server

BACKLOG = 128
LAST_SECONDS = 3
"""For answers under way when it is told to end."""


def console(
    listen: Annotated[
        str, typer.Option(help="HOST:PORT. Default: [billing.console] listen, 127.0.0.1:9465.")
    ] = "",
    new_token: Annotated[
        str, typer.Option(metavar="NAME", help="Make a token for a reader and print it, once.")
    ] = "",
    account: Annotated[
        str, typer.Option(help="With --new-token: it sees this account's rows only.")
    ] = "",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Serve pages about usage, balances, invoices and completeness; reads only, until Ctrl-C.

    Example: edgetoll console --home ./edgetoll-home
    """
    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    if new_token:
        _make_token(new_token, account or None, as_json=as_json)
        return
    if account:
        raise InputError("--account is for --new-token", "give both, or neither")
    serve(home, listen, stop=None)


def serve(home: Path, listen: str, *, stop: threading.Event | None) -> None:
    """Serve until a signal, or until `stop` is set (where this is one thread of `edgetoll run`)."""
    import uvicorn

    from billing.console.access import Door
    from billing.console.app import application
    from billing.settings import read_console

    settings = read_console(home)
    place = listen or settings.listen
    opened = _listening(place)
    host, port = opened.getsockname()[:2]
    door = Door(home)
    hosts = frozenset({host, "127.0.0.1", "localhost", *map(str.lower, settings.hosts)})
    app = application(home, door=door, hosts=hosts, clock=now)
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=LAST_SECONDS,
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        h11_max_incomplete_event_size=16 << 10,
    )
    server = uvicorn.Server(config)
    app.state.lake.warm()
    say(f"console of {home}, reads only: open this link, it works once")
    say(f"  http://{host}:{port}/enter?key={door.one_time_key()}")
    if stop is None:
        server.run(sockets=[opened])
    else:
        _beside_others(server, opened, stop)


def _beside_others(server: Server, opened: socket.socket, stop: threading.Event) -> None:
    """Serve in a thread of a process whose signals are somebody else's."""

    def end() -> None:
        stop.wait()
        server.should_exit = True

    waiting = threading.Thread(target=end, daemon=True)
    waiting.start()
    server.run(sockets=[opened])


def _listening(place: str) -> socket.socket:
    host, _, port = place.rpartition(":")
    if not port.isdigit() or not host:
        raise InputError(f"«{place}» is no HOST:PORT", "write it like 127.0.0.1:9465")
    opened = socket.socket()
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind((host, int(port)))
        opened.listen(BACKLOG)
    except (OSError, OverflowError) as error:
        opened.close()
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(
            f"[billing.console] listen: {place} cannot be served: {reason}",
            "another program has that port, or the host is not this machine's:"
            " edgetoll console --listen 127.0.0.1:PORT",
        ) from error
    return opened


def _make_token(
    name: str,
    account: str | None,
    *,
    as_json: bool,
    random: Callable[[int], bytes] = os.urandom,
) -> None:
    from billing.readers.tokens import TOKEN_BYTES, checked_name, hash_of, written

    checked_name(name)
    token = written(random(TOKEN_BYTES))
    lines = [f"[billing.readers.{name}]", f'token_sha256 = "{hash_of(token)}"']
    if account is not None:
        lines.append(f'account = "{account}"')

    def human() -> None:
        print(f"The token of {name}, shown this once:\n\n  {token}\n")
        print("Put this into edgetoll.toml; it can be used from then on:\n")
        print("\n".join(f"  {line}" for line in lines))

    emit({"name": name, "token": token, "settings": "\n".join(lines)}, as_json=as_json, human=human)
