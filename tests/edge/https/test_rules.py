"""Uploads of certificates: each case of HTTPS.md's table, and what the answer about it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import InputError
from edge.https.upload.names import belongs_to, covers, served_name
from edge.https.upload.records import Judgement
from edge.https.upload.rules import judge
from edge.https.upload.trust import Roots, Suffixes
from tests.edge.https.making import NOW, Ca, key_pem, lone, p256, pem, roots_file, rsa_key

WWW = "www.shop.example"


@dataclass(frozen=True)
class World:
    """A root that is trusted, an intermediate under it, a root that nobody knows."""

    root: Ca
    middle: Ca
    stranger: Ca
    roots: Roots
    suffixes: Suffixes

    def judge(self, certificate: bytes, key: bytes, domain: str = WWW, **more: str) -> Judgement:
        """The answer about an upload."""
        return judge(
            certificate, key, domain, now=NOW, trust=self.roots, suffixes=self.suffixes, **more
        )


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The authorities, made once."""
    root = Ca.root()
    return World(
        root=root,
        middle=root.intermediate(),
        stranger=Ca.root("Nobody's Root"),
        roots=Roots(roots_file(tmp_path_factory.mktemp("roots"), root)),
        suffixes=Suffixes(),
    )


Upload = tuple[bytes, bytes]
Case = Callable[["World"], Upload]


def good(world: World) -> Upload:
    """What nothing is wrong with."""
    leaf, key = world.middle.leaf(WWW)
    return pem(leaf, world.middle.certificate), key_pem(key)


def spoilt(**options: object) -> Case:
    """A leaf of the trusted intermediate with one thing wrong."""

    def make(world: World) -> Upload:
        leaf, key = world.middle.leaf(
            *options.get("names", (WWW,)),
            **{  # type: ignore[misc,arg-type]
                name: value for name, value in options.items() if name != "names"
            },
        )
        return pem(leaf, world.middle.certificate), key_pem(key)

    return make


def files(certificate: Callable[[bytes], bytes], key: Callable[[bytes], bytes] = bytes) -> Case:
    """The good upload with its files changed."""

    def make(world: World) -> Upload:
        chain, secret = good(world)
        return certificate(chain), key(secret)

    return make


def mismatch(world: World) -> Upload:
    return good(world)[0], key_pem(p256())


def wrong_order(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW)
    return pem(world.middle.certificate, leaf), key_pem(key)


def no_intermediate(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW)
    return pem(leaf), key_pem(key)


def unrelated(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW)
    return pem(leaf, world.middle.certificate, world.stranger.certificate), key_pem(key)


def with_root(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW)
    return pem(leaf, world.middle.certificate, world.root.certificate), key_pem(key)


def self_signed(world: World) -> Upload:
    return lone(WWW)


def unknown_ca(world: World) -> Upload:
    leaf, key = world.stranger.leaf(WWW)
    return pem(leaf), key_pem(key)


def twin_name(world: World) -> Upload:
    """An intermediate of the right name and another key: the signature does not hold."""
    leaf, key = world.middle.leaf(WWW)
    return pem(leaf, world.stranger.intermediate().certificate), key_pem(key)


def ed(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW, key=ed25519.Ed25519PrivateKey.generate())
    return pem(leaf, world.middle.certificate), key_pem(key)


def two_keys(world: World) -> Upload:
    chain, key = good(world)
    return chain, key + key_pem(p256())


def key_beside(world: World) -> Upload:
    chain, key = good(world)
    return chain + key, key


def passphrase(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW)
    return pem(leaf, world.middle.certificate), key_pem(key, b"secret")


def old_passphrase(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW)
    return pem(leaf, world.middle.certificate), key_pem(key, b"secret", traditional=True)


def der(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW)
    return leaf.public_bytes(serialization.Encoding.DER), key_pem(key)


def p12(world: World) -> Upload:
    leaf, key = world.middle.leaf(WWW)
    made = pkcs12.serialize_key_and_certificates(
        b"x",
        key,
        leaf,
        None,
        serialization.NoEncryption(),  # type: ignore[arg-type]
    )
    return made, key_pem(key)


def self_chain(count: int) -> Case:
    def make(world: World) -> Upload:
        leaf, key = world.middle.leaf(WWW)
        return pem(leaf, *[world.middle.certificate] * count), key_pem(key)

    return make


REFUSED: list[tuple[str, Case, str]] = [
    ("another key", mismatch, "key_mismatch"),
    ("no intermediate", no_intermediate, "untrusted"),
    ("an unrelated certificate in the chain", unrelated, "unrelated_certificate"),
    ("self-signed", self_signed, "self_signed"),
    ("a CA nobody knows", unknown_ca, "untrusted"),
    ("an intermediate of the same name and another key", twin_name, "untrusted"),
    ("expired", spoilt(days=(-90, -1)), "expired"),
    ("expired a second ago", spoilt(days=(-90, -1 / 86400)), "expired"),
    ("not yet valid", spoilt(days=(1, 90)), "not_yet_valid"),
    ("another name", spoilt(names=("other.example",)), "name_not_covered"),
    ("the name's parent", spoilt(names=("shop.example",)), "name_not_covered"),
    ("a wildcard two labels up", spoilt(names=("*.example",)), "name_not_covered"),
    ("only a common name", spoilt(names=(), common_name=WWW), "name_not_covered"),
    ("a CA's certificate", spoilt(ca=True), "ca_certificate"),
    ("for clients", spoilt(usage=[ExtendedKeyUsageOID.CLIENT_AUTH]), "not_for_servers"),
    ("must-staple", spoilt(must_staple=True), "must_staple"),
    ("RSA 1,024", spoilt(key=rsa_key(1024)), "weak_key"),
    ("P-224", spoilt(key=ec.generate_private_key(ec.SECP224R1())), "odd_curve"),
    ("secp256k1", spoilt(key=ec.generate_private_key(ec.SECP256K1())), "odd_curve"),
    ("Ed25519", ed, "ed25519"),
    ("a passphrase", passphrase, "passphrase"),
    ("a passphrase of the old form", old_passphrase, "passphrase"),
    ("two keys", two_keys, "several_keys"),
    ("a key in the chain's file", key_beside, "key_in_chain"),
    ("DER", der, "der"),
    ("PKCS#12", p12, "pkcs12"),
    ("a Java key store", files(lambda chain: b"\xfe\xed\xfe\xed" + bytes(200)), "jks"),
    ("UTF-16", files(lambda chain: b"\xff\xfe" + chain.decode().encode("utf-16-le")), "utf16"),
    ("a web page", files(lambda chain: b"<html>not found</html>"), "not_pem"),
    ("nothing", files(lambda chain: b"  \n"), "no_certificate"),
    ("no key", files(bytes, lambda key: b""), "no_key"),
    ("the chain as the key", files(bytes, lambda key: key.replace(b"PRIVATE KEY", b"PUBLIC KEY")),
     "no_key"),
    ("torn", files(lambda chain: chain[: len(chain) // 2]), "torn_pem"),
    ("a flipped letter", files(lambda chain: chain.replace(chain[60:64], b"!!!!", 1)),
     "unreadable_certificate"),
    ("65 KiB", files(lambda chain: chain + b"#" * 65_536), "too_large"),
    ("eleven certificates", self_chain(10), "too_many_certificates"),
]  # fmt: skip

ACCEPTED: list[tuple[str, Case, tuple[str, ...]]] = [
    ("as it should be", good, ()),
    ("RSA 2,048", spoilt(key=rsa_key(2048)), ()),
    ("P-384", spoilt(key=ec.generate_private_key(ec.SECP384R1())), ()),
    ("a wildcard", spoilt(names=("*.shop.example",)), ()),
    ("wrong order", wrong_order, ("reordered",)),
    ("with its root", with_root, ("root_dropped",)),
    ("six days left", spoilt(days=(-84, 6)), ("expires_soon",)),
    ("no extended key usage", spoilt(no_usage=True), ("no_extended_key_usage",)),
    ("CRLF", files(lambda chain: chain.replace(b"\n", b"\r\n")), ()),
    ("a BOM", files(lambda chain: b"\xef\xbb\xbf" + chain), ()),
    ("text before the block", files(lambda chain: b"subject=/CN=x\n" + chain), ()),
    ("no line end between", files(lambda c: c.replace(b"-----\n-----B", b"----------B")), ()),
    ("blanks around lines", files(lambda chain: chain.replace(b"\n", b" \n")), ()),
]


@pytest.mark.parametrize(("case", "wanted"), [(c, w) for _, c, w in REFUSED],
                         ids=[name for name, _, _ in REFUSED])  # fmt: skip
def test_each_bad_upload_is_refused_with_its_id(case: Case, wanted: str, world: World) -> None:
    certificate, key = case(world)
    found = world.judge(certificate, key)
    assert found.bundle is None
    assert wanted in [one.id for one in found.refusals]
    for one in found.refusals:
        assert one.mend, f"{one.id} says nothing of what to do"
        assert "\n" not in one.sentence + one.mend


@pytest.mark.parametrize(("case", "said"), [(c, w) for _, c, w in ACCEPTED],
                         ids=[name for name, _, _ in ACCEPTED])  # fmt: skip
def test_each_good_upload_is_written_anew_in_order(
    case: Case, said: tuple[str, ...], world: World
) -> None:
    certificate, key = case(world)
    found = world.judge(certificate, key)
    assert tuple(one.id for one in found.findings) == said
    assert found.bundle is not None
    blocks = found.bundle.pem.split(b"-----BEGIN ")[1:]
    assert [block.split(b"-----")[0] for block in blocks] == [
        b"CERTIFICATE", b"CERTIFICATE", b"PRIVATE KEY",
    ]  # fmt: skip
    assert world.judge(found.bundle.pem, found.bundle.pem).bundle == found.bundle


def test_a_wildcard_domain_needs_the_wildcard_in_the_certificate(world: World) -> None:
    for names, wanted in (
        (("*.shop.example",), ()),
        (("www.shop.example", "shop.example"), ("name_not_covered",)),
        (("*.example",), ("name_not_covered",)),
    ):
        leaf, key = world.middle.leaf(*names)
        chain = pem(leaf, world.middle.certificate)
        found = world.judge(chain, key_pem(key), "*.shop.example")
        assert tuple(one.id for one in found.refusals) == wanted


def test_a_wildcard_over_a_public_suffix_is_refused(world: World) -> None:
    leaf, key = world.middle.leaf("*.co.uk")
    found = world.judge(pem(leaf, world.middle.certificate), key_pem(key), "*.co.uk")
    assert "public_suffix" in [one.id for one in found.refusals]


def test_the_same_certificate_again_is_said_to_be_in_use(world: World) -> None:
    certificate, key = good(world)
    first = world.judge(certificate, key)
    assert first.bundle is not None
    again = world.judge(certificate, key, present=first.bundle.certificate.sha256)
    assert [one.id for one in again.findings] == ["in_use_already"]
    assert again.bundle == first.bundle


def test_nothing_that_is_said_of_an_upload_holds_its_key(world: World) -> None:
    for _, case, _ in REFUSED:
        certificate, key = case(world)
        said = repr(world.judge(certificate, key)).encode()
        secrets = [line for line in key.splitlines() if len(line) > 40]
        assert not [line for line in secrets if line in said]


def test_repr_of_a_bundle_shows_no_key(world: World) -> None:
    found = world.judge(*good(world))
    assert "PRIVATE" not in repr(found)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_at_all_get_an_answer(certificate: bytes, key: bytes) -> None:
    armour = b"-----BEGIN CERTIFICATE-----\n"
    close = b"\n-----END CERTIFICATE-----\n"
    for upload in (certificate, armour + certificate + close):
        found = judge(upload, key, WWW, now=NOW, trust=ROOTS, suffixes=SUFFIXES)
        assert found.refusals


ROOTS = Roots()
SUFFIXES = Suffixes()


@pytest.mark.parametrize(
    ("pattern", "name", "answer"),
    [
        ("www.a.example", "www.a.example", True),
        ("WWW.A.example.", "www.a.example", True),
        ("*.a.example", "www.a.example", True),
        ("*.a.example", "a.example", False),
        ("*.a.example", "x.y.a.example", False),
        ("*.a.example", "*.a.example", True),
        ("*.example", "*.a.example", False),
        ("w*.a.example", "www.a.example", False),
    ],
)
def test_a_wildcard_covers_one_label(pattern: str, name: str, answer: bool) -> None:
    assert covers(pattern, name) is answer


def test_an_exact_name_comes_before_its_wildcard() -> None:
    patterns = ["*.a.example", "b.a.example"]
    assert belongs_to("b.a.example", patterns) == "b.a.example"
    assert belongs_to("c.a.example", patterns) == "*.a.example"
    assert belongs_to("x.c.a.example", patterns) is None


def test_names_are_canonical_or_refused() -> None:
    assert served_name("WWW.Example.COM.") == "www.example.com"
    assert served_name("*.Example.com") == "*.example.com"
    for bad in ("", "*", "*.com", "com", "a b.example", "a*.example.com", "*.*.example.com",
                "http://a.example", "a.example:443", "../../etc", "a.example/x"):  # fmt: skip
        with pytest.raises(InputError, match=r"no domain name|single label"):
            served_name(bad)


def test_the_roots_of_this_edge_are_the_pinned_ones() -> None:
    import certifi

    assert Path(certifi.where()).read_bytes().count(b"BEGIN CERTIFICATE") > 50
