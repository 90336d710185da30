"""Standard Webhooks signatures: HMAC-SHA256 (v1) and Ed25519 (v1a), several at once in rotation.

A key is one line of text: `whsec_BASE64` (shared secret, 24 to 64 bytes) or `whsk_BASE64` (Ed25519
private key; its public half, `whpk_BASE64`, goes to the receiver). What is signed is
`{id}.{timestamp}.{body}`. Specification: standardwebhooks.com.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HINT = "a key is one line: whsec_… (shared secret) or whsk_… (Ed25519 private key)"
TOLERANCE_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Key:
    """One signing key; it never shows its secret when printed."""

    scheme: str
    """`v1` (HMAC) or `v1a` (Ed25519)."""
    secret: bytes = field(repr=False)


def parse_key(text: str) -> Key:
    """The key in `text`; ConfigError without the text in it when it is none."""
    prefix, _, encoded = text.strip().partition("_")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigError("a webhook key is not base64", HINT) from error
    if prefix == "whsec" and 24 <= len(raw) <= 64:
        return Key("v1", raw)
    if prefix == "whsk" and len(raw) in (32, 64):
        return Key("v1a", raw[:32])
    raise ConfigError("a webhook key has the wrong prefix or length", HINT)


def public_key(key: Key) -> str:
    """What the receiver of an Ed25519 key needs: `whpk_BASE64`."""
    raw = _private(key).public_key().public_bytes_raw()
    return "whpk_" + base64.b64encode(raw).decode()


def sign(keys: Sequence[Key], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of header webhook-signature: one signature per key, so that keys can overlap."""
    content = signed_content(message_id, timestamp, body)
    return " ".join(f"{key.scheme},{_signature(key, content)}" for key in keys)


def headers(keys: Sequence[Key], *, message_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a Standard Webhooks message."""
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(keys, message_id=message_id, timestamp=timestamp, body=body),
    }


def signed_content(message_id: str, timestamp: int, body: bytes) -> bytes:
    """The bytes that a signature covers."""
    return f"{message_id}.{timestamp}.".encode() + body


def _signature(key: Key, content: bytes) -> str:
    if key.scheme == "v1":
        raw = hmac.new(key.secret, content, hashlib.sha256).digest()
    else:
        raw = _private(key).sign(content)
    return base64.b64encode(raw).decode()


def _private(key: Key) -> Ed25519PrivateKey:
    # Loaded by who signs: every command reads the settings, few send anything.
    from cryptography.hazmat.primitives.asymmetric import ed25519

    return ed25519.Ed25519PrivateKey.from_private_bytes(key.secret)


def is_genuine(
    signature_header: str, content: bytes, *, secrets: Sequence[bytes], publics: Sequence[bytes]
) -> bool:
    """Whether one of the signatures is by one of the keys the receiver knows."""
    for part in signature_header.split(" "):
        scheme, _, encoded = part.partition(",")
        try:
            raw = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            continue
        if scheme == "v1" and any(_is_hmac(secret, content, raw) for secret in secrets):
            return True
        if scheme == "v1a" and any(_is_ed25519(public, content, raw) for public in publics):
            return True
    return False


def _is_hmac(secret: bytes, content: bytes, raw: bytes) -> bool:
    return hmac.compare_digest(hmac.new(secret, content, hashlib.sha256).digest(), raw)


def _is_ed25519(public: bytes, content: bytes, raw: bytes) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(raw, content)
    except InvalidSignature:
        return False
    return True
