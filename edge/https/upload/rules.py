"""Whether an uploaded certificate and key may serve a domain: pure rules, each with an id.

What nginx would accept and browsers would refuse is refused here (HTTPS.md has the table, tried on
a real nginx). The origin document: not expired, from a trusted CA, the chain's signatures hold, the
name is the domain's, the key matches and has no passphrase.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from edge.https.upload import pem
from edge.https.upload.certificate import describe, issued, people, spki
from edge.https.upload.leaf_rules import PublicSuffixes, judge_key, judge_leaf
from edge.https.upload.names import probe_name
from edge.https.upload.records import Bundle, Judgement, UploadFinding

_PEM = serialization.Encoding.PEM


_KEY_IN_CHAIN = UploadFinding(
    id="key_in_chain",
    sentence="the certificate file holds a private key",
    mend="take the key out of it and give it with --key alone; if others saw that"
    " file, have the certificate issued anew with a new key",
)


class Trust(Protocol):
    """Who is trusted: looks a chain over, and says what is wrong with it."""

    def problem(
        self, leaf: x509.Certificate, chain: Sequence[x509.Certificate], name: str, now: datetime
    ) -> str | None:
        """None when the chain leads to a trusted root and each signature holds; else why not."""

    def is_root(self, certificate: x509.Certificate) -> bool:
        """True for a certificate that is itself one of the trusted roots."""


def judge(
    certificate: bytes,
    key: bytes,
    domain: str,
    *,
    now: datetime,
    trust: Trust,
    suffixes: PublicSuffixes,
    present: str = "",
) -> Judgement:
    """Judge the upload of `certificate` (leaf and chain, in PEM) and `key` for `domain`.

    `present` is the SHA-256 of the leaf in use, if any. The key may stand in the certificate's file
    only when `key` is that same file.
    """
    unread = [
        found
        for data, what in ((certificate, "certificate"), (key, "key"))
        if (found := pem.refused_unread(data, what)) is not None
    ]
    if unread:
        return Judgement(findings=tuple(unread))
    findings: list[UploadFinding] = []
    blocks, key_blocks = pem.split(certificate), pem.split(key)
    if blocks.keys and certificate != key:
        findings.append(_KEY_IN_CHAIN)
    private = _private_key(key_blocks, findings)
    parsed = _certificates(blocks, findings)
    if parsed is None or private is None or any(one.refuses for one in findings):
        return Judgement(findings=tuple(findings))
    leaf = _leaf(parsed, private, findings)
    if leaf is None:
        return Judgement(findings=tuple(findings))
    chain = _ordered(leaf, list(dict.fromkeys(parsed)), trust, findings)
    judge_leaf(leaf, domain, now=now, suffixes=suffixes, findings=findings)
    judge_key(leaf.public_key(), findings)
    if not any(one.refuses for one in findings):
        _judge_chain(leaf, chain, domain, now=now, trust=trust, findings=findings)
    described = describe(leaf)
    if present and described.sha256 == present and not any(one.refuses for one in findings):
        findings.append(
            UploadFinding(
                id="in_use_already",
                sentence=f"this certificate is in use already for {domain}",
                refuses=False,
            )
        )
    if any(one.refuses for one in findings):
        return Judgement(findings=tuple(findings))
    body = b"".join(one.public_bytes(_PEM) for one in (leaf, *chain))
    secret = private.private_bytes(
        _PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return Judgement(
        findings=tuple(findings), bundle=Bundle(certificate=described, pem=body + secret)
    )


def _ordered(
    leaf: x509.Certificate,
    parsed: list[x509.Certificate],
    trust: Trust,
    findings: list[UploadFinding],
) -> list[x509.Certificate]:
    """The chain above `leaf`, in order; that it was not in order is said."""
    chain = _chain(leaf, [one for one in parsed if one != leaf], trust, findings)
    if [one for one in parsed if one == leaf or one in chain] != [leaf, *chain]:
        findings.append(
            UploadFinding(
                id="reordered",
                sentence="the certificates were not in order: stored as the server's first, then"
                " each issuer",
                refuses=False,
            )
        )
    return chain


def _private_key(
    blocks: pem.PemBlocks, findings: list[UploadFinding]
) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | None:
    """The one private key of the upload, or None with the reason among `findings`."""
    if len(blocks.keys) != 1:
        what = "holds no private key" if not blocks.keys else f"holds {len(blocks.keys)} keys"
        findings.append(
            UploadFinding(
                id="no_key" if not blocks.keys else "several_keys",
                sentence=f"the key file {what}",
                mend="give the one private key that belongs to the certificate",
            )
        )
        return None
    block = blocks.keys[0]
    if pem.encrypted(block):
        findings.append(
            UploadFinding(
                id="passphrase",
                sentence="the private key has a passphrase, which no web server can ask for",
                mend="openssl pkey -in FILE -out key.pem takes it off (it asks for the passphrase)",
            )
        )
        return None
    try:
        key = serialization.load_pem_private_key(block, password=None)
    except Exception:  # whatever is wrong with it: its words could quote the key
        findings.append(
            UploadFinding(
                id="unreadable_key",
                sentence="the private key cannot be read",
                mend="openssl pkey -in FILE -noout says what is wrong with it",
            )
        )
        return None
    if isinstance(key, (rsa.RSAPrivateKey, ec.EllipticCurvePrivateKey)):
        return key
    ed = isinstance(key, (ed25519.Ed25519PrivateKey, ed448.Ed448PrivateKey))
    findings.append(
        UploadFinding(
            id="ed25519" if ed else "key_kind",
            sentence="browsers do not take Ed25519 certificates"
            if ed
            else "the private key is neither RSA nor an elliptic curve's",
            mend="have a certificate issued for an RSA (2,048 bits and up) or P-256 key",
        )
    )
    return None


def _certificates(
    blocks: pem.PemBlocks, findings: list[UploadFinding]
) -> list[x509.Certificate] | None:
    """The certificates of the upload in its order, or None with the reason among `findings`."""
    if not blocks.certificates:
        findings.append(
            UploadFinding(
                id="no_certificate",
                sentence="the certificate file holds no certificate"
                + (f" but {', '.join(blocks.others)}" if blocks.others else ""),
                mend="give the server's certificate followed by its chain",
            )
        )
        return None
    if len(blocks.certificates) > pem.CERTIFICATES_MAX:
        findings.append(
            UploadFinding(
                id="too_many_certificates",
                sentence=f"the file holds {len(blocks.certificates)} certificates, more than"
                f" {pem.CERTIFICATES_MAX}",
                mend="give the server's certificate and its own chain only",
            )
        )
        return None
    parsed: list[x509.Certificate] = []
    for number, block in enumerate(blocks.certificates, start=1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                one = x509.load_pem_x509_certificate(block)
                one.extensions  # noqa: B018  (parsed late: a damaged one is to be found here)
                one.public_key()
        except Exception:
            findings.append(
                UploadFinding(
                    id="unreadable_certificate",
                    sentence=f"certificate {number} of the file cannot be read",
                    mend="copy it again; openssl x509 -in FILE -noout -text says what is wrong",
                )
            )
            return None
        parsed.append(one)
    return parsed


def _leaf(
    parsed: list[x509.Certificate],
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    findings: list[UploadFinding],
) -> x509.Certificate | None:
    """The certificate the key belongs to, wherever it stands in the file."""
    wanted = spki(key.public_key())
    for one in parsed:
        if spki(one.public_key()) == wanted:
            return one
    findings.append(
        UploadFinding(
            id="key_mismatch",
            sentence="the private key does not belong to the certificate",
            mend="give the key with which this certificate was requested",
        )
    )
    return None


def _chain(
    leaf: x509.Certificate,
    others: list[x509.Certificate],
    trust: Trust,
    findings: list[UploadFinding],
) -> list[x509.Certificate]:
    """The issuers of `leaf` among `others`, in order, without roots; strangers are refused."""
    chain: list[x509.Certificate] = []
    left = list(others)
    here = leaf
    while True:
        issuer = next((one for one in left if issued(one, here)), None)
        if issuer is None:
            break
        left.remove(issuer)
        if issuer.subject == issuer.issuer or trust.is_root(issuer):
            findings.append(
                UploadFinding(
                    id="root_dropped",
                    sentence=f"the root {people(issuer.subject)} need not be sent: left out",
                    refuses=False,
                )
            )
            break
        chain.append(issuer)
        here = issuer
    # A cross-signed twin of a root is no stranger: it is an issuer of one that is in the chain.
    known = {one.subject for one in (leaf, *chain)} | {one.issuer for one in (leaf, *chain)}
    strangers = [one for one in left if one.subject not in known]
    if strangers:
        named = ", ".join(people(one.subject) for one in strangers)
        findings.append(
            UploadFinding(
                id="unrelated_certificate",
                sentence=f"the file holds certificates that did not issue this one: {named}",
                mend="take them out: only the server's certificate and its own chain belong there",
            )
        )
    return chain


def _judge_chain(
    leaf: x509.Certificate,
    chain: list[x509.Certificate],
    domain: str,
    *,
    now: datetime,
    trust: Trust,
    findings: list[UploadFinding],
) -> None:
    problem = trust.problem(leaf, chain, probe_name(domain), now)
    if problem is None:
        return
    top = chain[-1] if chain else leaf
    if top.issuer == top.subject:
        findings.append(
            UploadFinding(
                id="self_signed",
                sentence="the certificate is signed by itself or by a CA nobody here trusts:"
                f" {people(top.issuer)}",
                mend="use a certificate of a public CA; a root of your own stands in [edge.https]"
                " roots_file",
            )
        )
        return
    findings.append(
        UploadFinding(
            id="untrusted",
            sentence=f"no way leads from the certificate to a trusted CA: {problem}. The issuer"
            f" {people(top.issuer)} is missing from the file or is not trusted",
            mend="add the intermediate certificate that your CA gives with it, below the server's",
        )
    )
