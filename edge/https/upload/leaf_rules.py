"""What a server's certificate must be by itself: its days, its names, its purpose, its key."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID

from edge.https.upload.certificate import dns_names
from edge.https.upload.names import covers
from edge.https.upload.records import UploadFinding

RSA_BITS_MIN = 2048
CURVES = ("secp256r1", "secp384r1", "secp521r1")
EXPIRES_SOON = timedelta(days=7)


class PublicSuffixes(Protocol):
    """The list of names under which anybody may register a domain (`com`, `co.uk`)."""

    def is_public(self, name: str) -> bool:
        """True when `name` is such a suffix."""


def judge_leaf(
    leaf: x509.Certificate,
    domain: str,
    *,
    now: datetime,
    suffixes: PublicSuffixes,
    findings: list[UploadFinding],
) -> None:
    """Add what is wrong with the days, names and purpose of a server\'s certificate."""
    begins, ends = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if ends <= now:
        findings.append(
            UploadFinding(
                id="expired",
                sentence=f"the certificate expired on {ends:%Y-%m-%d %H:%M} UTC",
                mend="upload its successor",
            )
        )
    elif begins > now:
        findings.append(
            UploadFinding(
                id="not_yet_valid",
                sentence=f"the certificate is valid only from {begins:%Y-%m-%d %H:%M} UTC on",
                mend="upload it then; or is the clock of this machine wrong?",
            )
        )
    elif ends - now < EXPIRES_SOON:
        findings.append(
            UploadFinding(
                id="expires_soon",
                sentence=f"the certificate expires on {ends:%Y-%m-%d %H:%M} UTC, in"
                f" {(ends - now).days} days",
                mend="have its successor ready: edgetoll edge https renew",
                refuses=False,
            )
        )
    names = dns_names(leaf)
    if not any(covers(name, domain) for name in names):
        has = ", ".join(names) if names else "no DNS name at all (a common name alone is not read)"
        findings.append(
            UploadFinding(
                id="name_not_covered",
                sentence=f"the certificate is not for {domain}: it has {has}",
                mend=f"have one issued with {domain} among its subject alternative names",
            )
        )
    if domain.startswith("*.") and suffixes.is_public(domain[2:]):
        findings.append(
            UploadFinding(
                id="public_suffix",
                sentence=f"{domain[2:]} is a public suffix: {domain} would stand for everybody's"
                " domains",
                mend="name the domain that is yours",
            )
        )
    _judge_purpose(leaf, findings)


def _judge_purpose(leaf: x509.Certificate, findings: list[UploadFinding]) -> None:
    try:
        constraints = leaf.extensions.get_extension_for_class(x509.BasicConstraints).value
        if constraints.ca:
            findings.append(
                UploadFinding(
                    id="ca_certificate",
                    sentence="this is a CA's certificate, not a server's",
                    mend="upload the certificate that the CA issued for the domain",
                )
            )
    except x509.ExtensionNotFound:
        pass
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        allowed = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
        if not any(one in usage for one in allowed):
            findings.append(
                UploadFinding(
                    id="not_for_servers",
                    sentence="the certificate is not issued for servers (extended key usage)",
                    mend="have one issued for TLS server authentication",
                )
            )
    except x509.ExtensionNotFound:
        findings.append(
            UploadFinding(
                id="no_extended_key_usage",
                sentence="the certificate does not say that it is for servers; some clients ask",
                refuses=False,
            )
        )
    try:
        leaf.extensions.get_extension_for_class(x509.TLSFeature)
        findings.append(
            UploadFinding(
                id="must_staple",
                sentence="the certificate demands OCSP stapling, which this edge does not do",
                mend="have one issued without must-staple",
            )
        )
    except x509.ExtensionNotFound:
        pass


def judge_key(key: CertificatePublicKeyTypes, findings: list[UploadFinding]) -> None:
    """Add what is wrong with the kind and size of its key."""
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < RSA_BITS_MIN:
        findings.append(
            UploadFinding(
                id="weak_key",
                sentence=f"the RSA key has {key.key_size} bits, fewer than {RSA_BITS_MIN:,}",
                mend="make a new key (openssl genrsa 2048) and have a certificate issued for it",
            )
        )
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name not in CURVES:
        findings.append(
            UploadFinding(
                id="odd_curve",
                sentence=f"browsers do not take keys on the curve {key.curve.name}",
                mend="use P-256 (openssl ecparam -name prime256v1 -genkey)",
            )
        )
