"""`edgetoll edge https enable | disable | renew | set | show`: what each domain is to be."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from edge.errors import ConflictError, InputError
from edge.https.commands.tables import (
    document_of,
    owner_document,
    renewal,
    say_stored,
    show_domains,
    then,
)
from edge.https.commands.uploads import (
    check_home,
    judged,
    known_owners,
    looked_ahead,
    reachable,
    store_upload,
)
from edge.terminal import DEFAULT_HOME, HomeOption, JsonOption, emit, now

if TYPE_CHECKING:
    from edge.https.records import HttpsSettings

DomainArgument = Annotated[str, typer.Argument(metavar="DOMAIN", help="A name, or *.name.")]
CertificateOption = Annotated[
    Path,
    typer.Option(
        "--certificate", metavar="FILE", help="PEM: the server's certificate, then its chain."
    ),
]
KeyOption = Annotated[
    Path, typer.Option("--key", metavar="FILE", help="PEM: its private key, without passphrase.")
]
HSTS_DAYS_MAX = 730


def enable(
    domain: DomainArgument,
    certificate: CertificateOption,
    key: KeyOption,
    origin: Annotated[
        str,
        typer.Option(
            "--origin", metavar="URL", help="Where the content comes from. Once known, kept."
        ),
    ] = "",
    days: Annotated[
        int, typer.Option("--days", min=1, help="How long the owner's balance should last.")
    ] = 7,
    require_balance: Annotated[
        bool, typer.Option("--require-balance", help="Refuse unless it is known to last.")
    ] = False,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Switch a domain's HTTPS on: HTTP and HTTPS are both served from the next apply on.

    HTTPS requests are billed apart, by the 10,000, and no data plan pays for them. Said before:
    whose the domain is, and whether that balance lasts at its recent requests and today's price.

    Example: edgetoll edge https enable www.shop.example --certificate chain.pem --key key.pem
    --origin https://origin.shop.example
    """
    from edge.https.nginx_config import checked_origin
    from edge.https.records import HttpsSettings
    from edge.https.upload.names import served_name
    from edge.https.wishes import Wishes

    check_home(home)
    name = served_name(domain)
    wishes = Wishes(home)
    before = wishes.read(name)
    if before is not None and before.enabled:
        raise ConflictError(
            f"HTTPS of {name} is on already", f"to give it another certificate: {renewal(name)}"
        )
    source = reachable(checked_origin(origin)) if origin else before.origin if before else ""
    if not source:
        raise InputError(f"no origin is known for {name}", "say where its content is: --origin URL")
    found = judged(home, name, certificate, key)
    ahead = looked_ahead(home, name, days=days, required=require_balance)
    settings = replace(before or HttpsSettings(domain=name), origin=source)
    store_upload(wishes, settings, found)
    say_stored(wishes.known(name), found, ahead=ahead, as_json=as_json)


def renew(
    domain: DomainArgument,
    certificate: CertificateOption,
    key: KeyOption,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Give a domain another certificate: served within a minute where `apply --watch` runs.

    Example: edgetoll edge https renew www.shop.example --certificate chain.pem --key key.pem
    """
    from edge.https.wishes import Wishes

    settings = _enabled(home, domain)
    present = settings.certificate.sha256 if settings.certificate else ""
    found = judged(home, settings.domain, certificate, key, present=present)
    wishes = Wishes(home)
    store_upload(wishes, settings, found)
    say_stored(wishes.known(settings.domain), found, as_json=as_json)


def disable(
    domain: DomainArgument, home: HomeOption = DEFAULT_HOME, as_json: JsonOption = False
) -> None:
    """Switch a domain's HTTPS off: certificate and key are deleted, and cannot be had back.

    HTTP goes on. To switch on again, certificate and key must be uploaded again.

    Example: edgetoll edge https disable www.shop.example
    """
    from edge.https.records import HttpsSettings
    from edge.https.wishes import Wishes

    settings = _enabled(home, domain)
    wishes = Wishes(home)
    wishes.write(HttpsSettings(domain=settings.domain, origin=settings.origin, changed_at=now()))
    wishes.unlink(settings.domain)
    wishes.forget_unused()
    off = wishes.known(settings.domain)
    emit(document_of(off), as_json=as_json, human=lambda: print(
        f"HTTPS of {off.domain} is off; its certificate and key are deleted.\n"
        "nginx forgets the name with the next edgetoll edge https apply."
    ))  # fmt: skip


def set_options(
    domain: DomainArgument,
    redirect: Annotated[
        str | None, typer.Option("--redirect", metavar="off|to-https|to-http")
    ] = None,
    redirect_status: Annotated[
        int | None, typer.Option("--redirect-status", metavar="301|308")
    ] = None,
    http2: Annotated[str | None, typer.Option("--http2", metavar="on|off")] = None,
    http3: Annotated[
        str | None, typer.Option("--http3", metavar="on|off", help="Experimental; nginx 1.25 on.")
    ] = None,
    tls_min: Annotated[str | None, typer.Option("--tls-min", metavar="1.0…1.3")] = None,
    hsts: Annotated[
        str | None,
        typer.Option("--hsts", metavar="AGE|off", help="Seconds, or days as 60d; 730d at most."),
    ] = None,
    hsts_subdomains: Annotated[
        bool | None, typer.Option("--hsts-subdomains/--no-hsts-subdomains")
    ] = None,
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """Change how a domain's HTTPS is served; what is not named stays.

    Example: edgetoll edge https set www.shop.example --redirect to-https --hsts 60d --tls-min 1.2
    """
    from edge.https.records import TLS_VERSIONS
    from edge.https.wishes import Wishes

    settings = _enabled(home, domain)
    given = _given(
        ("redirect", redirect, ("off", "to-https", "to-http")),
        ("redirect_status", redirect_status, (301, 308)),
        ("tls_min", tls_min, TLS_VERSIONS),
        ("http2", _switch("--http2", http2), (True, False)),
        ("http3", _switch("--http3", http3), (True, False)),
    )
    if hsts is not None:
        given["hsts_seconds"] = _age(hsts)
    if hsts_subdomains is not None:
        given["hsts_subdomains"] = hsts_subdomains
    if not given:
        raise InputError("nothing to change was given", "see edgetoll edge https set --help")
    changed = replace(settings, **given, changed_at=now())  # type: ignore[arg-type]
    if changed.redirect == "to-http" and changed.hsts_seconds:
        raise ConflictError(
            "HSTS and a redirect to HTTP would send browsers in a circle",
            "--hsts off first; browsers remember HSTS until its age is over",
        )
    if changed.hsts_subdomains and not changed.hsts_seconds:
        raise InputError("--hsts-subdomains needs --hsts AGE", "for example --hsts 60d")
    Wishes(home).write(changed)
    emit(document_of(changed), as_json=as_json, human=lambda: show_domains([changed], home))
    if not as_json:
        print(then())


def show(
    domain: Annotated[str, typer.Argument(metavar="[DOMAIN]")] = "",
    home: HomeOption = DEFAULT_HOME,
    as_json: JsonOption = False,
) -> None:
    """What each domain is to be, and what this edge was proven to serve. Never a key.

    Example: edgetoll edge https show
    """
    from edge.https.status import read_status, served_as
    from edge.https.upload.names import served_name
    from edge.https.wishes import Wishes

    check_home(home)
    wishes = Wishes(home)
    chosen = [wishes.known(served_name(domain))] if domain else wishes.all()
    status = read_status(home)
    owners = known_owners(home, [one.domain for one in chosen])
    documents = []
    for one in chosen:
        line = status.domains.get(one.domain)
        state = served_as(status, one.domain, one.changed_at)
        since = line.live_since if line and state != "waiting" else None
        owner = owner_document(owners.owner(one.domain))
        documents.append(document_of(one) | {"served": state, "live_since": since, "owner": owner})
    document = {"domains": documents, "owners_trouble": owners.trouble}
    emit(document, as_json=as_json, human=lambda: show_domains(chosen, home, owners))


def _enabled(home: Path, domain: str) -> HttpsSettings:
    """The settings of a domain whose HTTPS is on."""
    from edge.https.upload.names import served_name
    from edge.https.wishes import Wishes

    check_home(home)
    settings = Wishes(home).known(served_name(domain))
    if not settings.enabled:
        raise InputError(
            f"HTTPS of {settings.domain} is off",
            f"edgetoll edge https enable {settings.domain} --certificate FILE --key FILE",
        )
    return settings


def _given(*options: tuple[str, object, tuple[object, ...]]) -> dict[str, object]:
    """The options that were given, each one of the values allowed for it."""
    given: dict[str, object] = {}
    for name, value, allowed in options:
        if value is None:
            continue
        if value not in allowed:
            option = name.replace("_", "-")
            raise InputError(
                f"--{option} {value} is not known",
                f"one of {', '.join(str(one) for one in allowed)}",
            )
        given[name] = value
    return given


def _switch(option: str, text: str | None) -> bool | None:
    if text is None:
        return None
    if text not in ("on", "off"):
        raise InputError(f"{option} {text} is not known", "one of on, off")
    return text == "on"


def _age(text: str) -> int:
    """Seconds from `off`, `31536000` or `60d`."""
    if text == "off":
        return 0
    found = re.fullmatch(r"(\d{1,9})(d?)", text)
    seconds = int(found[1]) * (86_400 if found[2] else 1) if found else -1
    if not 0 < seconds <= HSTS_DAYS_MAX * 86_400:
        raise InputError(
            f"--hsts {text} is no age", f"seconds, or days as 60d, up to {HSTS_DAYS_MAX}d; or off"
        )
    return seconds
