"""The format strings that stand in a server's configuration, as nginx and Apache write them."""

from __future__ import annotations

import re
from pathlib import Path as FilePath

from edge.errors import InputError


def unquoted(text: str) -> str:
    """The format in a pasted directive: the strings behind `log_format NAME` joined, say."""
    text = text.strip()
    named = re.match(r"(?s)(?:log_format|LogFormat|CustomLog)\s+(?=.*['\"])", text)
    if named:
        text = text[named.end() :]
        if not text.startswith(("'", '"')):
            text = re.sub(r"^\S+\s+", "", text)
        text = re.sub(r"^escape=\S+\s+", "", text)
    elif nicknamed := re.fullmatch(r'"((?:[^"\\]|\\.)*)"\s+[\w-]+', text):
        return nicknamed[1].replace(r"\"", '"').replace(r"\t", "\t")
    if not text.startswith(("'", '"')):
        return text.replace(r"\"", '"').replace(r"\t", "\t") if r"\"" in text else _tabs(text)
    strings = re.findall(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", text)
    joined = "".join(single or double for single, double in strings)
    outside = re.sub(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"", "", text).strip(" ;\n\t")
    if outside and not named:
        return _tabs(text)  # a format that begins with a quote of its own
    return re.sub(r"\\([\"'\\])", r"\1", _tabs(joined))


def _tabs(text: str) -> str:
    return text.replace(r"\t", "\t")


def format_in(value: str) -> str:
    """The format string that `--log-format VALUE` means: itself, or one of a server's file.

    `FILE` with one format, or `FILE:NAME`, of an nginx.conf or an Apache configuration; or a file
    that holds nothing but the string. Raises InputError.
    """
    if "$" in value or "%" in value:
        return value
    name = ""
    path = FilePath(value)
    if not path.is_file() and ":" in value:
        place, _, name = value.rpartition(":")
        path = FilePath(place)
    if not path.is_file():
        raise InputError(
            f"--log-format {value!r} has no $variable or %directive, and is no file",
            "give the string of the server's configuration, or FILE or FILE:NAME",
        )
    text = path.read_text(encoding="utf-8", errors="replace")
    found = formats_of(text)
    if not found and not name and text.strip():
        return text.strip()
    if name in found:
        return found[name]
    if not name and len(found) == 1:
        return next(iter(found.values()))
    raise InputError(
        f"{path} has {'no log format called ' + name if name else 'several log formats'}",
        f"use {path}:NAME with one of {', '.join(found) or 'none'}",
    )


def formats_of(config: str) -> dict[str, str]:
    """The log formats of an nginx or Apache configuration, by name."""
    config = re.sub(r"(?m)^\s*#.*$", "", config)
    found: dict[str, str] = {}
    string = r"(?:'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")"
    nginx = rf"\blog_format\s+(\S+)\s+(?:escape=\S+\s+)?((?:{string}\s*)+);"
    for name, strings in re.findall(nginx, config):
        found[name] = unquoted("log_format x " + strings)
    for strings, name in re.findall(rf"(?i)\bLogFormat\s+({string})\s+(\S+)", config):
        found[name] = unquoted("LogFormat " + strings)
    return found
