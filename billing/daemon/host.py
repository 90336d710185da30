"""`edgetoll run`: edge tail, HTTPS, metering and billing in one process, for one machine.

Threads with one stop flag; each runs exactly what its own command runs. If one of them fails
the others are stopped cleanly and the process ends with the error, for the service manager to see.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from edge.errors import EdgetollError, InputError
from edge.terminal import DEFAULT_HOME, HomeOption, say

Part = Callable[[threading.Event], None]

LOOK_SECONDS = timedelta(milliseconds=500).total_seconds()


def parts(home: Path, *, tail: bool, console: bool = False) -> dict[str, Part]:
    """What runs, by name; `tail` False leaves the edge part out, `console` False the pages."""

    def metering(stop: threading.Event) -> None:
        from metering.worker.process import run_spool

        run_spool(home, drain=False, stop=stop.is_set)

    def billing(stop: threading.Event) -> None:
        from billing.daemon.daemon import loop

        loop(home, stop)

    def https(stop: threading.Event) -> None:
        from edge.https.agent import watch
        from edge.https.settings import read_settings

        watch(home, read_settings(home), stop=stop, say=say)

    found: dict[str, Part] = {"metering": metering, "billing": billing, "https": https}
    if tail:

        def edge(stop: threading.Event) -> None:
            from edge.agent.run import follow
            from edge.agent.settings import complete, load

            follow(home, complete(load(home)), stop=stop)

        found["edge"] = edge
    if console:

        def pages(stop: threading.Event) -> None:
            from billing.console.command import serve

            serve(home, "", stop=stop)

        found["console"] = pages
    return found


def host(chosen: dict[str, Part], stop: threading.Event) -> None:
    """Run all parts until `stop` is set or one of them fails; raises the first failure."""
    failures: list[tuple[str, BaseException]] = []

    def play(name: str, part: Part) -> None:
        try:
            part(stop)
        except BaseException as error:
            failures.append((name, error))
        finally:
            stop.set()

    threads = [
        threading.Thread(target=play, args=(name, part), name=name) for name, part in chosen.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(timeout=LOOK_SECONDS)
    if failures:
        name, error = failures[0]
        if isinstance(error, EdgetollError):
            raise error
        raise EdgetollError(f"{name} failed: {error!r}", "the log above has the details") from error


def run(
    home: HomeOption = DEFAULT_HOME,
    tail: Annotated[
        bool, typer.Option("--tail/--no-tail", help="Follow the logs that [edge] names.")
    ] = True,
    console: Annotated[
        bool, typer.Option("--console", help="Serve the pages of edgetoll console too.")
    ] = False,
) -> None:
    """Host edge tail, HTTPS, metering and billing in one process until SIGTERM.

    Example: edgetoll run --home ./edgetoll-home
    """
    from edge.agent.settings import load

    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
    settings = load(home)
    has_logs = bool(settings.logs)
    if tail and not has_logs:
        say("no [edge] logs in edgetoll.toml: running metering and billing only")
    stop = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    host(parts(home, tail=tail and has_logs, console=console), stop)
