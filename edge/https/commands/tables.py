"""What `edgetoll edge https` prints: tables and lines for people, documents for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge.terminal import emit, table, warn

if TYPE_CHECKING:
    from edge.https.apply import ApplyResult
    from edge.https.owners import DomainOwner, Owners, Prospect
    from edge.https.records import HttpsSettings
    from edge.https.upload.records import Judgement, UploadFinding


def document_of(one: HttpsSettings) -> dict[str, object]:
    """A domain's settings as `--json` shows them; never a key."""
    return {
        "domain": one.domain,
        "https": one.enabled,
        "origin": one.origin,
        "redirect": one.redirect,
        "redirect_status": one.redirect_status,
        "http2": one.http2,
        "http3": one.http3,
        "tls_min": one.tls_min,
        "hsts_seconds": one.hsts_seconds,
        "hsts_subdomains": one.hsts_subdomains,
        "certificate": one.certificate.document() if one.certificate else None,
    }


def owner_document(owner: DomainOwner | None) -> dict[str, object] | None:
    """Who owns a domain as `--json` shows it: amounts as text; None: nobody that is known here."""
    if owner is None:
        return None
    return {
        "account_id": owner.account_id,
        "state": owner.state,
        "currency": owner.currency,
        "available": f"{owner.available:f}",
        "price": None if owner.price is None else f"{owner.price:f}",
        "per": owner.per,
        "requests": owner.requests,
        "hours": owner.hours,
    }


def say_stored(
    settings: HttpsSettings,
    found: Judgement,
    *,
    ahead: Prospect | None = None,
    as_json: bool,
) -> None:
    """Say what was stored, what was found in the upload, and what is said of the owner."""
    document = document_of(settings) | {"findings": [one.document() for one in found.findings]}
    if ahead is not None:
        document["owner"] = {
            "balance_lasts": ahead.enough,
            "needed": None if ahead.needed is None else f"{ahead.needed:f}",
            "warnings": list(ahead.warnings),
        }

    def human() -> None:
        for one in found.findings:
            warn(finding_line(one))
        for line in ahead.warnings if ahead else ():
            warn(line)
        assert settings.certificate is not None
        print(
            f"HTTPS of {settings.domain} is on, with a certificate of {settings.certificate.issuer}"
            f" until {settings.certificate.not_after:%Y-%m-%d}.\n{then()}"
        )

    emit(document, as_json=as_json, human=human)


def then() -> str:
    """What brings a change to the edge."""
    return "It is served after edgetoll edge https apply (at once where apply --watch runs)."


def renewal(name: str) -> str:
    """The command that gives a domain another certificate."""
    return f"edgetoll edge https renew {name} --certificate FILE --key FILE"


def finding_line(one: UploadFinding) -> str:
    """A finding in one line."""
    return f"{one.sentence} [{one.id}]" + (f": {one.mend}" if one.mend else "")


def show_check(found: Judgement) -> None:
    """The answer about an upload, for people."""
    if found.bundle:
        leaf = found.bundle.certificate
        print(f"usable: {', '.join(leaf.names)}; of {leaf.issuer}; until {leaf.not_after:%Y-%m-%d}")
    for one in found.findings:
        print(("refused: " if one.refuses else "note: ") + finding_line(one))


def show_applied(done: ApplyResult) -> None:
    """What an apply did, for people."""
    for note in done.notes:
        warn(note)
    if not done.changed:
        print("nothing to do: the edge serves what is wished")
    for name in done.changed:
        line = done.status.domains[name]
        print(f"{name}: {'stopped' if line.stopped else line.state}")


def show_domains(chosen: list[HttpsSettings], home: Path, owners: Owners | None = None) -> None:
    """The table of domains; with `owners`, how each domain's account stands."""
    from edge.https.status import read_status, served_as

    status = read_status(home)
    rows = []
    for one in chosen:
        leaf = one.certificate
        owner = owners.owner(one.domain) if owners else None
        nobody = "?" if owners is None or owners.trouble else "nobody"
        rows.append(
            (
                one.domain,
                "on" if one.enabled else "off",
                served_as(status, one.domain, one.changed_at),
                f"{leaf.not_after:%Y-%m-%d}" if leaf and one.enabled else "-",
                one.redirect,
                f"{one.hsts_seconds // 86_400}d" if one.hsts_seconds else "off",
                one.tls_min if one.enabled else "-",
                *((owner.state if owner else nobody,) if owners is not None else ()),
            )
        )
    columns = ("domain", "https", "served", "expires", "redirect", "HSTS", "TLS from")
    table("HTTPS", (*columns, "owner") if owners is not None else columns, rows)
    if owners is not None and owners.trouble:
        warn(owners.trouble)
    if status.trouble:
        warn(status.trouble)
