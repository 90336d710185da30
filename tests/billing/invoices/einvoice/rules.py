"""The official rules of e-invoices, run: what schema and Schematron of a profile say of one."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import tempfile
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from lxml import etree
from saxonche import PySaxonProcessor

HERE = Path(__file__).resolve().parent
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
EN, PEPPOL, XRECHNUNG = "en16931-4.3.7", "peppol-4.3.7", "xrechnung-3.2.10"
RULES = {
    "ubl": ((EN, "1.3.15/ubl/EN16931-UBL-validation.xslt"),),
    "cii": ((EN, "1.3.15/cii/EN16931-CII-validation.xslt"),),
    "factur-x": ((EN, "1.3.15/cii/EN16931-CII-validation.xslt"),),
    "peppol": (
        (PEPPOL, "openpeppol/2026.5/xslt/CEN-EN16931-UBL.xslt"),
        (PEPPOL, "openpeppol/2026.5/xslt/PEPPOL-EN16931-UBL.xslt"),
    ),
    "xrechnung": (
        (EN, "1.3.15/ubl/EN16931-UBL-validation.xslt"),
        (XRECHNUNG, "3.0.2/XRechnung-UBL-validation.xslt"),
    ),
    "xrechnung-cii": (
        (EN, "1.3.15/cii/EN16931-CII-validation.xslt"),
        (XRECHNUNG, "3.0.2/XRechnung-CII-validation.xslt"),
    ),
}


@cache
def jars() -> Path:
    """The folder with the jars that have the rules; fetched with Maven when it is not there yet."""
    which = hashlib.sha256((HERE / "pom.xml").read_bytes()).hexdigest()[:12]
    folder = Path.home() / ".cache" / "edgetoll" / f"einvoice-rules-{which}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        command = ["mvn", "-q", "-B", "-f", str(HERE / "pom.xml"), "dependency:copy-dependencies"]
        subprocess.run([*command, f"-DoutputDirectory={scratch}/libs"], check=True)
        try:
            os.rename(f"{scratch}/libs", folder)
        except OSError:  # another process was faster; its folder is as good
            assert folder.is_dir()
    return folder


@cache
def _schema(kind: str) -> etree.XMLSchema:
    """The schema of `cii`, or of UBL's `Invoice` or `CreditNote`, unpacked beside the jars."""
    folder = jars() / "schemas"
    if not folder.is_dir():
        with tempfile.TemporaryDirectory(dir=jars()) as scratch:
            for jar in jars().glob("ph-*.jar"):
                with zipfile.ZipFile(jar) as archive:
                    archive.extractall(
                        scratch, [name for name in archive.namelist() if name.endswith(".xsd")]
                    )
            try:
                os.rename(scratch, folder)
                os.mkdir(scratch)  # the context manager removes it
            except OSError:
                assert folder.is_dir()
    if kind == "cii":
        standard = folder / "external/schemas/d16b/data/standard"
        return etree.XMLSchema(etree.parse(standard / "CrossIndustryInvoice_100pD16B.xsd"))
    parts = {
        "urn:un:unece:uncefact:data:specification:CoreComponentTypeSchemaModule:2":
            "schemas/CCTS_CCT_SchemaModule.xsd",
        "http://www.w3.org/2000/09/xmldsig#": "schemas/xmldsig-core-schema.xsd",
        f"urn:oasis:names:specification:ubl:schema:xsd:{kind}-2":
            f"external/schemas/ubl21/maindoc/UBL-{kind}-2.1.xsd",
    }  # fmt: skip
    space = "http://www.w3.org/2001/XMLSchema"
    whole = etree.Element(f"{{{space}}}schema")
    for name, path in parts.items():
        etree.SubElement(
            whole, f"{{{space}}}import", namespace=name, schemaLocation=str(folder / path)
        )
    return etree.XMLSchema(whole)


def schema_errors(document: bytes) -> list[str]:
    """What the schema of the document's syntax says of it."""
    root = etree.fromstring(document)
    kind = etree.QName(root).localname
    schema = _schema("cii" if kind == "CrossIndustryInvoice" else kind)
    return [] if schema.validate(root) else [str(one) for one in schema.error_log]


@cache
def _processor() -> Any:
    return PySaxonProcessor(license=False)


@cache
def _compiled(jar: str, name: str) -> Any:
    with zipfile.ZipFile(jars() / f"phive-rules-{jar}.jar") as archive:
        text = archive.read(f"external/schematron/{name}").decode("utf-8")
    return _processor().new_xslt30_processor().compile_stylesheet(stylesheet_text=text)


def broken_rules(profile: str, document: bytes) -> list[str]:
    """The rules of `profile` that the document breaks, each with what it says; warnings too."""
    found = []
    for jar, name in RULES[profile]:
        node = _processor().parse_xml(xml_text=document.decode("utf-8"))
        answer = _compiled(jar, name).transform_to_string(xdm_node=node)
        for one in etree.fromstring(answer.encode("utf-8")).iter(
            f"{SVRL}failed-assert", f"{SVRL}successful-report"
        ):
            text = " ".join("".join(one.itertext()).split())
            found.append(f"{one.get('id')} ({one.get('flag')}): {text}")
    return found


def fired_rules(profile: str, document: bytes) -> int:
    """How many rules looked at the document at all: a rule set that meets nothing is no test."""
    jar, name = RULES[profile][-1]
    node = _processor().parse_xml(xml_text=document.decode("utf-8"))
    answer = _compiled(jar, name).transform_to_string(xdm_node=node)
    return sum(1 for _ in etree.fromstring(answer.encode("utf-8")).iter(f"{SVRL}fired-rule"))


def mustang_says(folder: Path) -> dict[str, tuple[str, str]]:
    """What Mustang finds of each Factur-X file of a folder, in one call: of the PDF, of the XML."""
    jar = next(jars().glob("Mustang-CLI-*.jar"))
    command = ["java", "-XX:TieredStopAtLevel=1", "-jar", str(jar), "--disable-file-logging"]
    said = subprocess.run(
        [*command, "--action", "validateExpectValid", "--directory", str(folder)],
        check=False, capture_output=True, text=True, cwd=folder,
    )  # fmt: skip
    # For each file what was found, some lines on its name: the verdict beside that is the XML's.
    found = re.findall(
        r"Parsed PDF:(\w+) XML:(\w+) .*?Testing file \d+: +\w+ \(([^)]*)\)",
        said.stdout + said.stderr,
        re.DOTALL,
    )
    return {Path(path).name: (pdf, xml) for pdf, xml, path in found}
