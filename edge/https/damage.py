"""Whether what an edge keeps of HTTPS is as it was written: each domain's settings, its bundle in
the vault, and the status of what was proven.

The status says how old the settings may be: where later ones were proven to be served, these are an
older copy. Keys are held against their certificates and told to nobody.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator
from pathlib import Path

from edge.errors import Corrupt
from edge.https.records import HttpsSettings
from edge.https.status import NAME, HttpsStatus, StatusDamaged, read_status_file
from edge.https.wishes import PRIVATE_BEGINS, Wishes

UPLOAD = "upload certificate and key again: edgetoll edge https renew"
APPLY = "edgetoll edge https apply makes it anew"
RESTORE = "restore its newest copy, or enable it again, and then set or disable it as it is to be"
Rows = Iterator[tuple[str, str, str]]


def damage(home: Path) -> Rows:
    """Everything wrong with it, as (file, why, what to do); nothing where there is no HTTPS."""
    wishes = Wishes(home)
    found: list[HttpsSettings] = []
    unread: set[Path] = set()
    for path in wishes.files():
        try:
            found.append(wishes.read_file(path))
        except Corrupt as error:
            unread.add(path)
            yield path.name, error.message, error.hint
    for one in found:
        if one.enabled and (wrong := _bundle(wishes, one)):
            yield f"vault/{one.bundle}", f"{one.domain}: {wrong}", f"{UPLOAD} {one.domain}"
    try:
        status = read_status_file(home)
    except StatusDamaged as error:
        yield NAME, str(error), APPLY
        return
    for one in found:
        line = status.domains.get(one.domain)
        if line and one.enabled and line.wished_at == one.changed_at:
            path = wishes.live_path(one.domain)
            if wishes.linked(one.domain) != one.bundle:
                yield path.name, f"{path} is not the link to its certificate", APPLY
    for domain, why in lost(status, found):
        if wishes.path_of(domain) not in unread:
            yield domain, why, RESTORE


def lost(status: HttpsStatus, present: Collection[HttpsSettings]) -> Iterator[tuple[str, str]]:
    """(domain, why) where newer settings than these were proven to be served."""
    by_name = {one.domain: one for one in present}
    for domain, line in sorted(status.domains.items()):
        one = by_name.get(domain)
        if one is None:
            yield domain, f"the settings of {domain} are gone, and it was served"
        elif line.wished_at and one.changed_at and one.changed_at < line.wished_at:
            of, served = (f"{at:%Y-%m-%d %H:%M:%S}" for at in (one.changed_at, line.wished_at))
            why = f"an older copy: of {of}, those of {served} were served"
            yield domain, f"the settings of {domain} are {why}"


def _bundle(wishes: Wishes, one: HttpsSettings) -> str:
    """What is wrong with a domain's certificate and key in the vault; blank: nothing."""
    try:
        pem = wishes.vault.joinpath(one.bundle).read_bytes()
    except OSError as error:
        return f"its certificate cannot be read: {error.strerror}"
    public = pem.split(PRIVATE_BEGINS)[0]
    if f"{hashlib.sha256(public).hexdigest()}.pem" != one.bundle:
        return "its certificate is not what was uploaded"
    return "" if _is_key_of(pem) else "its key is damaged: it does not belong to its certificate"


def _is_key_of(pem: bytes) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
    )
    from cryptography.x509 import load_pem_x509_certificate

    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    try:
        key = load_pem_private_key(pem[pem.index(PRIVATE_BEGINS) :], None)
        leaf = load_pem_x509_certificate(pem).public_key()
        return key.public_key().public_bytes(*form) == leaf.public_bytes(*form)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return False
