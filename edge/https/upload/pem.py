"""An upload's bytes, taken apart before anything is believed of them.

Browsers, mail programs and certificate shops add line ends, BOMs and text around the blocks; two
blocks may stand in one line. All of that is read. What other programs call a certificate file (DER,
PKCS#12, JKS, an encrypted key) is recognised and named with the command that converts it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from edge.https.upload.records import UploadFinding

UPLOAD_BYTES_MAX = 64 * 1024
CERTIFICATES_MAX = 10

_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----(.*?)-----END \1-----", re.DOTALL)
_BEGIN = re.compile(rb"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_CERTIFICATES = (b"CERTIFICATE", b"X509 CERTIFICATE", b"TRUSTED CERTIFICATE")


@dataclass(frozen=True, slots=True, kw_only=True)
class PemBlocks:
    """The blocks of one upload, by what they say they are; each a whole PEM block again."""

    certificates: tuple[bytes, ...] = ()
    keys: tuple[bytes, ...] = field(default=(), repr=False)
    others: tuple[str, ...] = ()


def split(data: bytes) -> PemBlocks:
    """The PEM blocks in `data`, whatever stands between them."""
    certificates: list[bytes] = []
    keys: list[bytes] = []
    others: list[str] = []
    for match in _BLOCK.finditer(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")):
        label, body = match[1], match[2]
        lines = [line.strip() for line in body.strip().split(b"\n")]
        whole = b"-----BEGIN %s-----\n%s\n-----END %s-----\n" % (label, b"\n".join(lines), label)
        if label in _CERTIFICATES:
            certificates.append(whole.replace(label, b"CERTIFICATE"))
        elif label.endswith(b"PRIVATE KEY"):
            keys.append(whole)
        elif label != b"EC PARAMETERS" and label != b"DH PARAMETERS":
            others.append(label.decode())
    return PemBlocks(certificates=tuple(certificates), keys=tuple(keys), others=tuple(others))


def refused_unread(data: bytes, what: str) -> UploadFinding | None:
    """Why `data` (the upload of `what`: "certificate" or "key") is not even parsed, or None."""
    if len(data) > UPLOAD_BYTES_MAX:
        return UploadFinding(
            id="too_large",
            sentence=f"the {what} file has {len(data):,} bytes, more than {UPLOAD_BYTES_MAX:,}",
            mend="upload only the server's certificate, its chain and its key",
        )
    if not data.strip():
        return UploadFinding(
            id=f"no_{what}",
            sentence=f"the {what} file is empty",
            mend=f"give the file that holds the {what} in PEM",
        )
    if _BEGIN.search(data):
        if len(_BEGIN.findall(data)) != len(_BLOCK.findall(data)):
            return UploadFinding(
                id="torn_pem",
                sentence=f"a block of the {what} file begins and does not end",
                mend="copy the file again, from -----BEGIN to -----END",
            )
        return None
    return _other_form(data, what)


def _other_form(data: bytes, what: str) -> UploadFinding:
    """Which other form of certificate file `data` is in, with the command that makes PEM of it."""
    stem = "certificate" if what == "certificate" else "key"
    if data[:4] in (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"):
        form, mend = (
            "jks",
            (
                "keytool -importkeystore -srckeystore FILE -destkeystore store.p12"
                " -deststoretype PKCS12, then openssl pkcs12 -in store.p12 -nodes -out bundle.pem"
            ),
        )
    elif data[:1] == b"\x30" and b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01" in data[:64]:
        form, mend = "pkcs12", "openssl pkcs12 -in FILE -nodes -out bundle.pem"
    elif data[:1] == b"\x30":
        kind = "x509" if what == "certificate" else "pkey"
        form, mend = "der", f"openssl {kind} -inform DER -in FILE -out {stem}.pem"
    elif data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        form, mend = "utf16", "save the file as plain text (UTF-8 or ASCII)"
    else:
        form, mend = "not_pem", "give a file with a block -----BEGIN … END ----- (nginx's PEM)"
    said = {
        "jks": "a Java key store",
        "pkcs12": "PKCS#12 (.pfx, .p12)",
        "der": "DER, not PEM",
        "utf16": "UTF-16 text",
        "not_pem": "no PEM",
    }[form]
    return UploadFinding(id=form, sentence=f"the {what} file is {said}", mend=mend)


def encrypted(block: bytes) -> bool:
    """True when a key block carries a passphrase, by its own words; it is never asked for."""
    return (
        block.startswith(b"-----BEGIN ENCRYPTED") or b"ENCRYPTED" in block.split(b"\n\n")[0][:300]
    )
