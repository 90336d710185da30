"""An upload on its way to the vault: read with a bound, judged, its domain's owner looked at,
stored or refused.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import InputError
from edge.terminal import now

if TYPE_CHECKING:
    from collections.abc import Collection

    from edge.https.owners import Owners, Prospect
    from edge.https.records import HttpsSettings
    from edge.https.upload.records import Judgement
    from edge.https.wishes import Wishes


class RefusedUpload(InputError):
    """An upload that may not be used: each reason stands in the message with its id."""


def judge_files(
    home: Path, domain: str, certificate: Path, key: Path, *, present: str = ""
) -> Judgement:
    """The answer about the files of an upload, read no further than an upload may be long."""
    from edge.https.settings import read_settings
    from edge.https.upload.pem import UPLOAD_BYTES_MAX
    from edge.https.upload.rules import judge
    from edge.https.upload.trust import Roots, Suffixes

    def content(path: Path) -> bytes:
        try:
            with open(path, "rb") as file:
                return file.read(UPLOAD_BYTES_MAX + 1)
        except OSError as error:
            raise InputError(
                f"{path} cannot be read: {error.strerror}", "check the path"
            ) from error

    own = read_settings(home).roots_file
    first, second = content(certificate), content(key)
    return judge(
        first,
        second,
        domain,
        now=now(),
        trust=Roots(home / own if own else None),
        suffixes=Suffixes(),
        present=present,
    )


def judged(
    home: Path, domain: str, certificate: Path, key: Path, *, present: str = ""
) -> Judgement:
    """The answer about an upload that may be used; RefusedUpload with each reason otherwise."""
    found = judge_files(home, domain, certificate, key, present=present)
    if found.bundle is None:
        reasons = "; ".join(f"{one.sentence} [{one.id}]" for one in found.refusals)
        raise RefusedUpload(reasons, next((one.mend for one in found.refusals if one.mend), ""))
    return found


def store_upload(wishes: Wishes, settings: HttpsSettings, found: Judgement) -> None:
    """Put the bundle into the vault, then the settings: from then on it is wished."""
    assert found.bundle is not None
    with wishes.locked():
        name = wishes.keep(found.bundle)
        wishes.write(
            replace(settings, bundle=name, certificate=found.bundle.certificate, changed_at=now())
        )


def reachable(origin: str) -> str:
    """`origin` again; InputError when its name has no address: nginx would take no configuration
    that names it, and no other domain's change would be served.
    """
    import socket
    from urllib.parse import urlsplit

    host = urlsplit(origin).hostname
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        raise InputError(
            f"the origin {host} cannot be found: {error.strerror or error}", "check its name"
        ) from error
    return origin


def known_owners(home: Path, domains: Collection[str]) -> Owners:
    """What billing published of the owners of `domains`."""
    from edge.https.owners import read_owners
    from edge.https.settings import read_settings

    return read_owners(home / read_settings(home).accounts, domains, now=now())


def looked_ahead(home: Path, domain: str, *, days: int, required: bool) -> Prospect:
    """What is to be said of the owner before HTTPS of `domain` is on; InputError where the balance
    is `required` to last that long and is not known to.
    """
    from edge.https.owners import prospect

    found = prospect(known_owners(home, [domain]), domain, days=days)
    if required and not (found.enough and not found.warnings):
        raise InputError(
            f"HTTPS of {domain} stays off: "
            + ("; ".join(found.warnings) or "its owner's balance is not enough"),
            "top the account up and try again, or leave --require-balance out",
        )
    return found


def check_home(home: Path) -> None:
    """InputError when there is no home to put settings into."""
    if not home.is_dir():
        raise InputError(f"no home at {home}", f"make one first: edgetoll init {home}")
