"""What can be read of one certificate: its names, its key, its issuer."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import NameOID

from edge.https.upload.records import TlsCertificate


def describe(leaf: x509.Certificate) -> TlsCertificate:
    """What may be shown of `leaf`."""
    return TlsCertificate(
        sha256=hashlib.sha256(leaf.public_bytes(serialization.Encoding.DER)).hexdigest(),
        subject=people(leaf.subject),
        issuer=people(leaf.issuer),
        names=dns_names(leaf),
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        key_type=key_type(leaf.public_key()),
    )


def issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    """True when `issuer` signed `certificate`, by name and by signature."""
    if issuer.subject != certificate.issuer:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except Exception:  # another key of the same name, or a signature that does not hold
        return False
    return True


def spki(key: CertificatePublicKeyTypes) -> bytes:
    """The public key in DER, to compare keys by."""
    return key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def dns_names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Its DNS names (subject alternative names; a common name is not read)."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return tuple(name.lower() for name in names.get_values_for_type(x509.DNSName))
    except (x509.ExtensionNotFound, ValueError):
        return ()


def people(name: x509.Name) -> str:
    """The common name or organisation of `name`, printable."""
    for wanted in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME):
        found = name.get_attributes_for_oid(wanted)
        if found:
            text = found[0].value
            plain = text if isinstance(text, str) else text.decode("latin-1")
            return "".join(char if char.isprintable() else "?" for char in plain)[:80]
    return "a CA without a name"


def key_type(key: CertificatePublicKeyTypes) -> str:
    """The kind and size of a key, for people."""
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"EC {key.curve.name}"
    return type(key).__name__.removesuffix("PublicKey").lstrip("_")
