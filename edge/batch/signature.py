"""Signatures of batches: who may speak for an edge (FAULTS 5.1). Optional; Ed25519.

An edge signs the header of each batch, in which the hash of the payload stands, with a key that
never leaves its host. The consumer holds a registry of public keys, each for one edge and a time. A
broker, or another edge, can then delay or repeat a batch but neither invent nor change one.

    edge.key            the private key, PEM, mode 0600        edgetoll: create_key(), load_key()
    keys.json           [{"key_id", "edge_id", "public_key" (hex), "valid_from_ms", "valid_to_ms"}]
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import orjson
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from edge.batch.codec import signed_part
from edge.batch.header import DecodeError
from edge.batch.records import BatchHeader
from edge.durable import create_exclusively
from edge.errors import ConfigError
from edge.reasons import Reason


def key_id_of(public_key: bytes) -> str:
    """The name of a public key: 32 hex digits of its SHA-256."""
    return hashlib.sha256(public_key).hexdigest()[:32]


class EdgeKey:
    """The private key of one edge; a Signer for edge.codec.seal and Spool.open."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public_key = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.key_id = key_id_of(self.public_key)

    def sign(self, data: bytes) -> bytes:
        """The 64 bytes of signature over `data`."""
        return self._key.sign(data)


def create_key(path: Path) -> EdgeKey:
    """Make a new key in `path`, readable by its owner alone; raises FileExistsError."""
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    before = os.umask(0o077)
    try:
        create_exclusively(path, pem)
    finally:
        os.umask(before)
    return EdgeKey(key)


def load_key(path: Path) -> EdgeKey:
    """The key in `path`; raises ConfigError for none, another kind, or one that others may read."""
    try:
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"{path} may be read by others", f"chmod 600 {path.name}")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise ConfigError(f"{path} holds no key: {error}", "make one for this edge") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigError(f"{path} is no Ed25519 key", "make one for this edge")
    return EdgeKey(key)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """A public key and what it may sign for: one edge, in [`valid_from_ms`, `valid_to_ms`)."""

    key_id: str
    edge_id: str
    public_key: bytes
    valid_from_ms: int
    valid_to_ms: int


Registry = Mapping[str, RegisteredKey]


def read_registry(path: Path) -> dict[str, RegisteredKey]:
    """The registry in `path`, by key id; raises ConfigError naming the entry that is wrong."""
    try:
        entries = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}", "write a list of keys") from error
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{path} lists no keys", "write a list of keys")
    keys = [_registered(path, number, entry) for number, entry in enumerate(entries, 1)]
    return {key.key_id: key for key in keys}


def _registered(path: Path, number: int, entry: Mapping[str, str]) -> RegisteredKey:
    """One entry of a registry."""
    try:
        public_key = bytes.fromhex(entry["public_key"])
        if not isinstance(entry["edge_id"], str):
            raise TypeError("edge_id is no text")
        Ed25519PublicKey.from_public_bytes(public_key)
        key = RegisteredKey(
            key_id=key_id_of(public_key),
            edge_id=entry["edge_id"],
            public_key=public_key,
            valid_from_ms=int(entry["valid_from_ms"]),
            valid_to_ms=int(entry["valid_to_ms"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            f"{path}, key {number}: {error!r}", "see edge/batch/signature.py"
        ) from error
    if entry.get("key_id", key.key_id) != key.key_id:
        raise ConfigError(f"{path}, key {number}: key_id is not that of the key", "leave it out")
    return key


def verify(header: BatchHeader, data: bytes, registry: Registry, at_ms: int) -> None:
    """Raise DecodeError(signature) unless `data` is signed by a key of its own edge, valid `at_ms`.

    The payload's hash must be checked besides (decode with `verify_hash=True`). `at_ms` is when the
    batch arrived, by the consumer's clock or the broker's: never a time the edge wrote.
    """
    key = registry.get(header.key_id or "")
    if header.signature is None or key is None:
        raise _refused(header, "no signature by a known key")
    if key.edge_id != header.edge_id:
        raise _refused(header, f"signed with the key of edge {key.edge_id}")
    if not key.valid_from_ms <= at_ms < key.valid_to_ms:
        raise _refused(header, "signed with a key that is not valid now")
    try:
        public = Ed25519PublicKey.from_public_bytes(key.public_key)
        public.verify(header.signature, signed_part(data))
    except InvalidSignature as error:
        raise _refused(header, "the signature does not fit") from error


def _refused(header: BatchHeader, why: str) -> DecodeError:
    """The error for a batch whose origin is not proved."""
    identity = f"{header.edge_id}, epoch {header.epoch}, sequence {header.sequence}"
    return DecodeError(Reason.SIGNATURE, f"batch of {identity}: {why}")
