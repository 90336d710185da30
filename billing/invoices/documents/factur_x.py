"""Factur-X (ZUGFeRD): the words by which a PDF/A-3 says that the XML inside is an e-invoice.

typst writes PDF/A-3 and embeds the file, but knows no metadata of others. These stand in the
document's XMP, a plain stream of the file: they are put in there, and the places of all that comes
behind it are moved in the cross-reference table. Anything that is not as typst writes it is an
error: no PDF is better than a broken one.
"""

from __future__ import annotations

import re

FILE_NAME = "factur-x.xml"
CONFORMANCE = "EN 16931"
SPACE = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"
_PROPERTIES = (
    ("DocumentFileName", "The name of the embedded XML document"),
    ("DocumentType", "The type of the hybrid document in capital letters"),
    ("Version", "The actual version of the standard applying to the embedded XML document"),
    ("ConformanceLevel", "The conformance level of the embedded XML document"),
)
_VALUES = {
    "DocumentFileName": FILE_NAME, "DocumentType": "INVOICE", "Version": "1.0",
    "ConformanceLevel": CONFORMANCE,
}  # fmt: skip
_METADATA = re.compile(rb"<</Length (\d+)/Type/Metadata/Subtype/XML>>\nstream\n")
_SCHEMAS_END = b"</rdf:Bag></pdfaExtension:schemas>"
_RDF_END = b"</rdf:RDF>"
_ENTRY = re.compile(rb"(\d{10}) (\d{5} n\r\n)")


def described(made: bytes) -> bytes:
    """The PDF with the words of Factur-X in its metadata; ValueError if it is not typst's form."""
    found = list(_METADATA.finditer(made))
    table = made.rfind(b"\nxref\n") + 1
    if len(found) != 1 or not table:
        raise ValueError("the PDF has not one plain stream of metadata and one table of places")
    head = found[0]
    begin, end = head.end(), head.end() + int(head[1])
    metadata = made[begin:end]
    if metadata.count(_SCHEMAS_END) != 1 or metadata.count(_RDF_END) != 1:
        raise ValueError("the PDF's metadata has no list of schemas to add to")
    words = metadata.replace(_SCHEMAS_END, _schema() + _SCHEMAS_END)
    words = words.replace(_RDF_END, _description() + _RDF_END)
    opening = head[0].replace(head[1], str(len(words)).encode())
    moved = len(words) - len(metadata) + len(opening) - len(head[0])

    def place(entry: re.Match[bytes]) -> bytes:
        offset = int(entry[1])
        return b"%010d " % (offset + moved if offset > begin else offset) + entry[2]

    tail = _ENTRY.sub(place, made[table:])
    tail = tail.replace(b"startxref\n%d\n" % table, b"startxref\n%d\n" % (table + moved))
    return made[: head.start()] + opening + words + made[end:table] + tail


def _schema() -> bytes:
    """What the words mean, as PDF/A demands of any that it does not know."""
    properties = "".join(
        '<rdf:li rdf:parseType="Resource"><pdfaProperty:category>external</pdfaProperty:category>'
        f"<pdfaProperty:description>{what}</pdfaProperty:description>"
        f"<pdfaProperty:name>{name}</pdfaProperty:name>"
        "<pdfaProperty:valueType>Text</pdfaProperty:valueType></rdf:li>"
        for name, what in _PROPERTIES
    )
    return (
        '<rdf:li rdf:parseType="Resource">'
        "<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>"
        f"<pdfaSchema:namespaceURI>{SPACE}</pdfaSchema:namespaceURI>"
        "<pdfaSchema:prefix>fx</pdfaSchema:prefix>"
        f"<pdfaSchema:property><rdf:Seq>{properties}</rdf:Seq></pdfaSchema:property></rdf:li>"
    ).encode()


def _description() -> bytes:
    values = "".join(f"<fx:{name}>{value}</fx:{name}>" for name, value in _VALUES.items())
    return f'<rdf:Description rdf:about="" xmlns:fx="{SPACE}">{values}</rdf:Description>'.encode()
