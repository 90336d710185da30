"""Makes certificates, good and bad ones, as a CA and its customers would."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
NOW = datetime(2026, 11, 30, tzinfo=UTC)
PEM = serialization.Encoding.PEM


def p256() -> ec.EllipticCurvePrivateKey:
    """A fresh key of the usual kind."""
    return ec.generate_private_key(ec.SECP256R1())


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    """An RSA key, made once a run: they are slow to make."""
    return rsa.generate_private_key(65537, bits)


def key_pem(key: Key, passphrase: bytes | None = None, *, traditional: bool = False) -> bytes:
    """A private key as people have it in files."""
    form = (
        serialization.PrivateFormat.TraditionalOpenSSL
        if traditional
        else serialization.PrivateFormat.PKCS8
    )
    secret = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    return key.private_bytes(PEM, form, secret)


def traces_of(key: Key) -> list[bytes]:
    """What would give a key away: lines of its PEM forms, and its secret raw, in hex, in base64."""
    texts = [key_pem(key), key_pem(key, traditional=True)]
    lines = [line for text in texts for line in text.splitlines() if len(line) > 40]
    der = serialization.Encoding.DER, serialization.PrivateFormat.PKCS8
    secrets = [key.private_bytes(*der, serialization.NoEncryption())]
    if isinstance(key, ec.EllipticCurvePrivateKey):
        secrets.append(key.private_numbers().private_value.to_bytes(32))
    forms = [form(one) for one in secrets for form in (bytes, hexed, base64.b64encode)]
    return [*lines, *forms]


def hexed(data: bytes) -> bytes:
    """As hex digits."""
    return data.hex().encode()


def pem(*certificates: x509.Certificate) -> bytes:
    """Certificates one after the other."""
    return b"".join(one.public_bytes(PEM) for one in certificates)


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


@dataclass(frozen=True)
class Ca:
    """A certificate authority: its own certificate, its key, who is above it."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def root(cls, name: str = "Test Root", *, now: datetime = NOW) -> Ca:
        """A root."""
        key = p256()
        return cls(_signed(_name(name), key.public_key(), _name(name), key, ca=True, now=now), key)

    def intermediate(self, name: str = "Test Intermediate", *, now: datetime = NOW) -> Ca:
        """A CA below this one."""
        key = p256()
        made = _signed(
            _name(name),
            key.public_key(),
            self.certificate.subject,
            self.key,
            ca=True,
            now=now,
            above=self.key.public_key(),
        )
        return Ca(made, key)

    def leaf(
        self,
        *names: str,
        key: Key | None = None,
        now: datetime = NOW,
        days: tuple[float, float] = (-1, 89),
        ca: bool = False,
        usage: list[x509.ObjectIdentifier] | None = None,
        no_usage: bool = False,
        common_name: str = "",
        must_staple: bool = False,
    ) -> tuple[x509.Certificate, Key]:
        """A server's certificate and its key; each option spoils one thing."""
        own = key or p256()
        made = _signed(
            _name(common_name or (names[0] if names else "nobody")),
            own.public_key(),
            self.certificate.subject,
            self.key,
            names=names,
            now=now,
            days=days,
            ca=ca,
            usage=None if no_usage else usage or [ExtendedKeyUsageOID.SERVER_AUTH],
            must_staple=must_staple,
            above=self.key.public_key(),
        )
        return made, own


def _signed(
    subject: x509.Name,
    public: object,
    issuer: x509.Name,
    signer: ec.EllipticCurvePrivateKey,
    *,
    names: tuple[str, ...] = (),
    now: datetime = NOW,
    days: tuple[float, float] = (-30, 3650),
    ca: bool = False,
    usage: list[x509.ObjectIdentifier] | None = None,
    must_staple: bool = False,
    above: ec.EllipticCurvePublicKey | None = None,
) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)  # type: ignore[arg-type]
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(public),  # type: ignore[arg-type]
            critical=False,
        )
    )
    if above is not None:
        builder = builder.add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(above), critical=False
        )
    if ca:
        builder = builder.add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, crl_sign=True,
                content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )  # fmt: skip
    if names:
        san = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        builder = builder.add_extension(san, critical=False)
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
    if must_staple:
        feature = x509.TLSFeature([x509.TLSFeatureType.status_request])
        builder = builder.add_extension(feature, critical=False)
    return builder.sign(signer, hashes.SHA256())


def lone(name: str) -> tuple[bytes, bytes]:
    """A certificate for `name` that is signed by its own key, and that key."""
    key = p256()
    made = _signed(
        _name(name),
        key.public_key(),
        _name(name),
        key,
        names=(name,),
        days=(-1, 89),
        usage=[ExtendedKeyUsageOID.SERVER_AUTH],
    )
    return pem(made), key_pem(key)


def roots_file(folder: Path, *authorities: Ca) -> Path:
    """A file of roots, as `roots_file` of the settings names one."""
    path = folder / "roots.pem"
    path.write_bytes(pem(*(one.certificate for one in authorities)))
    return path
