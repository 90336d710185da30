"""Only the edge itself can speak for an edge (FAULTS 5.1)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.batch import codec
from edge.batch.codec import DecodeError, decode_header
from edge.batch.signature import (
    EdgeKey,
    RegisteredKey,
    Registry,
    create_key,
    load_key,
    read_registry,
    verify,
)
from edge.errors import ConfigError
from edge.reasons import Reason
from edge.spool.segment import read_frames
from tests.edge.samples import IDENTITY, NOON_MS, columns, open_spool


def registered(key: EdgeKey, edge_id: str = "fra-1") -> Registry:
    """A registry of one key, valid for the day of the samples."""
    entry = RegisteredKey(
        key_id=key.key_id,
        edge_id=edge_id,
        public_key=key.public_key,
        valid_from_ms=NOON_MS,
        valid_to_ms=NOON_MS + 1000,
    )
    return {key.key_id: entry}


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> EdgeKey:
    """A new key."""
    return create_key(tmp_path_factory.mktemp("keys") / "edge.key")


def refused(data: bytes, registry: Registry, at_ms: int = NOON_MS) -> bool:
    """True when `data` is not accepted as the edge's own."""
    try:
        header = decode_header(data)
        verify(header, data, registry, at_ms)
        codec.decode_events(header, data)
    except DecodeError:
        return True
    return False


def test_a_signed_batch_is_accepted_while_its_key_is_valid(key: EdgeKey) -> None:
    data = codec.encode_events(columns(), **IDENTITY, signer=key)
    assert decode_header(data).key_id == key.key_id
    assert not refused(data, registered(key))
    assert not refused(data, registered(key), NOON_MS + 999)
    assert refused(data, registered(key), NOON_MS + 1000)
    assert refused(data, registered(key), NOON_MS - 1)


def test_an_unsigned_batch_and_an_unknown_key_are_refused(key: EdgeKey) -> None:
    unsigned = codec.encode_events(columns(), **IDENTITY)
    with pytest.raises(DecodeError) as error:
        verify(decode_header(unsigned), unsigned, registered(key), NOON_MS)
    assert error.value.reason is Reason.SIGNATURE
    assert refused(codec.encode_events(columns(), **IDENTITY, signer=key), {})


def test_a_key_speaks_for_its_own_edge_only(key: EdgeKey) -> None:
    data = codec.encode_events(columns(), **IDENTITY, signer=key)
    assert refused(data, registered(key, "fra-2"))


@given(st.data())
def test_no_changed_byte_of_a_signed_batch_is_accepted(key: EdgeKey, data: st.DataObject) -> None:
    batch = bytearray(codec.encode_events(columns(), **IDENTITY, signer=key))
    place = data.draw(st.integers(0, len(batch) - 1))
    batch[place] ^= data.draw(st.integers(1, 255))
    assert refused(bytes(batch), registered(key))


@given(st.sampled_from(["edge_id", "epoch", "sequence", "watermark_ms", "region"]), st.data())
def test_no_identity_can_be_forged_around_a_signature(
    key: EdgeKey, field: str, data: st.DataObject
) -> None:
    other: dict[str, Any] = {"edge_id": "fra-9", "region": "FR"}
    value = other.get(field) or data.draw(st.integers(0, 1 << 40))
    honest = codec.encode_events(columns(), **IDENTITY, signer=key)

    class Thief:
        """Has seen an honest signature, not the key."""

        key_id = key.key_id

        def sign(self, data: bytes) -> bytes:
            """The signature of another header."""
            return decode_header(honest).signature or b""

    forged = codec.encode_events(columns(), **(IDENTITY | {field: value}), signer=Thief())
    assert forged == honest or refused(forged, registered(key))


def test_a_spool_signs_every_batch_when_given_a_key(tmp_path: Path, key: EdgeKey) -> None:
    with open_spool(tmp_path, signer=key) as spool:
        spool.append(columns(), NOON_MS)
        spool.heartbeat(NOON_MS)
    for frame in read_frames(tmp_path):
        verify(decode_header(frame.payload), frame.payload, registered(key), NOON_MS)


def test_a_key_file_is_for_its_owner_alone_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "edge.key"
    made = create_key(path)
    assert path.stat().st_mode & 0o077 == 0
    assert load_key(path).key_id == made.key_id
    with pytest.raises(FileExistsError):
        create_key(path)
    path.chmod(0o644)
    with pytest.raises(ConfigError):
        load_key(path)


@pytest.mark.parametrize("content", [b"", b"no key", b"-----BEGIN PRIVATE KEY-----\n"])
def test_a_file_without_a_key_is_a_configuration_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "edge.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(ConfigError):
        load_key(path)
    with pytest.raises(ConfigError):
        load_key(tmp_path / "missing")


def test_a_registry_is_read_and_a_wrong_entry_is_named(tmp_path: Path, key: EdgeKey) -> None:
    path = tmp_path / "keys.json"
    entry: dict[str, Any] = {
        "edge_id": "fra-1",
        "public_key": key.public_key.hex(),
        "valid_from_ms": NOON_MS,
        "valid_to_ms": NOON_MS + 1000,
    }
    path.write_bytes(orjson.dumps([entry]))
    assert read_registry(path) == registered(key)
    for wrong in ({"public_key": "zz"}, {"valid_to_ms": "x"}, {"key_id": "0"}, {"edge_id": 7}):
        path.write_bytes(orjson.dumps([entry, {**entry, **wrong}]))
        with pytest.raises(ConfigError) as error:
            read_registry(path)
        assert "key 2" in error.value.message
    for content in (b"", b"[]", b"{}"):
        path.write_bytes(content)
        with pytest.raises(ConfigError):
            read_registry(path)
