"""What the commands that write a spool share: names checked, damage told, promises doubted."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.event import AHEAD_MS_MAX
from edge.instants import now_ms, parse_time, to_ms
from edge.terminal import warn

if TYPE_CHECKING:
    from edge.spool.spool import Spool


def checked_home(home: Path) -> None:
    """Raise InputError where there is no home."""
    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")


@contextmanager
def open_spool(home: Path, edge_id: str, region: str) -> Iterator[Spool]:
    """The spool of `edge_id` in `home`, for writing; closed at the end."""
    from edge.agent.settings import load as edge_settings
    from edge.agent.status import damage_of
    from edge.spool.spool import Spool

    checked_home(home)
    spool = Spool.open(
        home / "spool" / edge_id,
        edge_id,
        region,
        random64=lambda: secrets.randbits(64),
        signer=edge_settings(home).signer(home),
    )
    try:
        for damage in damage_of(spool.status(), spool.folder):
            warn(damage)
        yield spool
    finally:
        spool.close()


def promised_ms(text: str) -> int:
    """What `--through` says, in UTC ms; a promise about days to come is kept, and doubted."""
    through_ms = to_ms(parse_time(text))
    if through_ms > now_ms() + AHEAD_MS_MAX:
        warn(
            f"--through {text} is more than a day ahead: a promise is never taken back, and hours"
            " before it close with what they hold then"
        )
    return through_ms
