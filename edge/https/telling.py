"""What was proven becomes facts for billing; a change that was told already is not told again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from edge.https.facts import HttpsFact, tell
from edge.https.records import HttpsSettings
from edge.https.settings import HttpsEdge, read_edge_id
from edge.https.status import HttpsStatus
from edge.logs.refused_lines import RejectedLines
from edge.reasons import Reason


def tell_billing(
    home: Path,
    edge: HttpsEdge,
    proven: Iterable[HttpsSettings],
    before: HttpsStatus,
    *,
    now: datetime,
) -> None:
    """Write what is new of `proven` domains, and how many requests came under another name.

    `before`: what was proven until now. A stop is none of it: billing said that itself.
    """
    edge_id = read_edge_id(home)
    facts = [
        fact_of(one, now)
        for one in proven
        if (line := before.domains.get(one.domain)) is None
        or line.state != "live"
        or line.wished_at != one.changed_at
    ]
    refused = RejectedLines(home / "spool" / edge_id).counts()
    tell(
        home / edge.facts,
        edge_id,
        facts,
        sni_mismatches=refused.get(Reason.SNI_MISMATCH, 0),
        now=now,
    )


def fact_of(one: HttpsSettings, now: datetime) -> HttpsFact:
    """How `one` is served from `now` on."""
    leaf = one.certificate if one.enabled else None
    return HttpsFact(
        domain=one.domain,
        changed_at=one.changed_at or now,
        live_at=now,
        https=one.enabled,
        redirect=one.redirect,
        http2=one.http2,
        http3=one.http3,
        tls_min=one.tls_min,
        hsts_seconds=one.hsts_seconds,
        certificate_sha256=leaf.sha256 if leaf else "",
        issuer=leaf.issuer if leaf else "",
        not_before=leaf.not_before if leaf else None,
        not_after=leaf.not_after if leaf else None,
    )
