"""G12: whatever a name holds, nothing but text reaches the terminal, and JSON stays what it was."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

import edgetoll
from edge.escaping import Escaping, bare, escaped, escaping_streams
from edge.terminal import emit, table

ROOT = Path(__file__).parents[2]

DRIVES = {
    "an escape sequence": "\x1b[2J\x1b[31m",
    "a title": "\x1b]0;root\x07",
    "a C1 sequence": "\x9b31m",
    "an override": "\u202e",
    "an isolate": "\u2066\u2069",
    "a mark": "\u200e",
    "a carriage return": "\rPaid",
    "a backspace": "100\x08\x08",
    "a zero-width space": "\u200b",
    "a byte order mark": "\ufeff",
    "a tag": "\U000e0041",
    "a line separator": "\u2028",
    "half a pair": "\udcff",
    "a private character": "\ue000",
}
SHOWN = ("plain", "Müller & Söhne", "北京　网络", "می‌خواهم", "a\tb\nc", "x,y\r\n", "👩‍👧", "£ 5.00")
UNSHOWN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u2028\u202a-\u202e\u2066-\u2069\ufeff]"
)


@pytest.mark.parametrize("what", DRIVES)
def test_g12_what_drives_a_terminal_is_escaped_and_json_stays_the_same(what: str) -> None:
    name = f"acme{DRIVES[what]}"
    text = escaped(name)
    assert text.isprintable()
    assert text.startswith("acme")
    assert text != name
    document = escaped(json.dumps({"name": name}, ensure_ascii=False))
    assert json.loads(document) == {"name": name}


@pytest.mark.parametrize("text", SHOWN)
def test_g12_what_shows_as_itself_is_left_alone(text: str) -> None:
    assert escaped(text) == text


def test_g12_streams_escape_while_a_command_runs_and_no_longer() -> None:
    kept, below = sys.stdout, StringIO()
    sys.stdout = below
    try:
        with escaping_streams():
            print("a\x1b[1mb")
            sys.stdout.writelines(["c\u202ed\n"])
            print("\x1b[1mown\x1b[0m", file=bare(sys.stdout))
            with escaping_streams():
                print("e\x07")
            assert isinstance(sys.stdout, Escaping)
        print("\x07 after")
    finally:
        sys.stdout = kept
    lines = ["a\\u001b[1mb", "c\\u202ed", "\x1b[1mown\x1b[0m", "e\\u0007", "\x07 after"]
    assert below.getvalue().splitlines() == lines


@pytest.mark.parametrize("form", ["table", "json", "csv"])
def test_g12_no_command_prints_what_a_value_or_a_word_holds(
    tmp_path: Path, form: str, capfd: pytest.CaptureFixture[str]
) -> None:
    home = tmp_path / "home"
    assert edgetoll.main(["init", str(home)]) == 0
    place = ["--home", str(home)]
    query = "SELECT 'a' || chr(27) || '[31m' || chr(8238) || chr(155) || 'z' AS name"
    assert edgetoll.main(["sql", query, "--format", form, *place]) == 0
    assert edgetoll.main(["billing", "statement", "ac\x1b[2Jme\u202e", *place]) == 1
    assert edgetoll.main(["billing", "load", f"{home}/no\x1b[31m.toml", *place]) == 1
    told = capfd.readouterr()
    assert UNSHOWN.search(told.out.replace("\r\n", "\n")) is None
    assert UNSHOWN.search(told.err) is None


@pytest.mark.parametrize("errors", ["strict", "surrogateescape", "backslashreplace"])
@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "koi8-r"])
def test_g12_what_the_locale_cannot_show_is_escaped_and_json_stays_json(
    encoding: str, errors: str
) -> None:
    kept, raw = sys.stdout, BytesIO()
    below = sys.stdout = TextIOWrapper(raw, encoding=encoding, errors=errors)
    try:
        with escaping_streams():
            emit({"name": "Ünï→ 👩 北京"}, as_json=True, human=lambda: None)
            table("Größe", ("a",), [("→",)])
    finally:
        sys.stdout = kept
    below.flush()
    shown = raw.getvalue().decode(encoding)
    document, end = json.JSONDecoder().raw_decode(shown)
    assert document == {"name": "Ünï→ 👩 北京"}
    assert "\\u2500" not in shown[end:]


def test_p10_a_closed_output_takes_all() -> None:
    command = f'exec "{sys.executable}" edgetoll.py --help >&-'
    done = subprocess.run(["sh", "-c", command], capture_output=True, check=False, cwd=ROOT)
    assert (done.stderr, done.returncode) == (b"", 0)


def test_p10_a_name_that_is_no_text_is_said_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert edgetoll.main(["edge", "import", os.fsdecode(b"/var/log/\xff.log")]) == 2
    assert "is not UTF-8 text" in capsys.readouterr().err
