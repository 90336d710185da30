"""The formats that are known by name, mapping files.

A shipped format is a mapping file in `known/`, data like any operator's own; `nginx` has a faster
reader beside it, and `nginx-tsv` a reader of its own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from collections.abc import Mapping as Named
from functools import cache
from pathlib import Path

from pydantic import ValidationError

from edge.configfile import faults_of, parse_toml
from edge.errors import ConfigError, InputError
from edge.logs.formats.block import Format
from edge.logs.formats.checked import zone_named
from edge.logs.formats.event_fields import dotted
from edge.logs.formats.fast_nginx import parse_fast_json
from edge.logs.formats.log_format import as_mapping, compiled, variables_of
from edge.logs.formats.mapped import Fast, MappedParser, fields_of_name
from edge.logs.formats.mapping import FILE, HostField, Mapping, SchemeField, TimeField
from edge.logs.formats.nginx_tsv import NGINX_TSV
from edge.logs.formats.server_config import format_in
from edge.logs.formats.text_lines import groups_of

_KNOWN = Path(__file__).with_name("known")
_FAST: dict[str, Fast] = {"nginx": parse_fast_json}


class _Shipped(Named[str, Format]):
    """The shipped formats by name, each read when it is first asked for."""

    def __init__(self) -> None:
        files = sorted(path.stem for path in _KNOWN.glob("*.toml"))
        self._names = ("nginx", NGINX_TSV.name, *(name for name in files if name != "nginx"))

    def __getitem__(self, name: str) -> Format:
        if name not in self._names:
            raise KeyError(name)
        return NGINX_TSV if name == NGINX_TSV.name else _format_of(name, known_mapping(name))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


FORMATS = _Shipped()


@cache
def known_mapping(name: str) -> Mapping:
    """The mapping of a shipped format. Raises ConfigError where its file is damaged."""
    return read_mapping(_KNOWN / f"{name}.toml")


def title_of(name: str) -> str:
    """What a shipped format is, in a few words."""
    if name == NGINX_TSV.name:
        return "nginx and Tengine, edgetoll_tsv: the values of nginx between tabs"
    about = known_mapping(name).about
    return about.title if about else ""


def read_mapping(path: Path) -> Mapping:
    """The mapping in file `path`; ConfigError names every fault of it at once."""
    text, content = parse_toml(path)
    try:
        given = content.get("log_format")
        derived = as_mapping(given) if isinstance(given, str) else {}
    except ValueError as error:
        raise ConfigError(f"{path}, key log_format: {error}", "correct that key") from error
    merged = {**derived, **{key: content[key] for key in content if key != "log_format"}}
    try:
        mapping = Mapping.model_validate(merged)
    except ValidationError as error:
        found = faults_of(path, text, content, error)
    else:
        found = [f"{path}: {fault}" for fault in _faults(mapping)]
    if found:
        raise ConfigError("; ".join(found), "correct " + ("it" if len(found) == 1 else "them all"))
    return mapping


def _faults(mapping: Mapping) -> list[str]:
    """What is wrong with a mapping as a whole."""
    lacking = [name for name in ("time", "status", "bytes") if not getattr(mapping, name)]
    found = [f"key {name}: this key is missing" for name in lacking]
    known: tuple[str, ...] | None = None
    if mapping.pattern is not None:
        known = groups_of(mapping.pattern)
    elif mapping.log_format is not None:
        known = variables_of(mapping.log_format)
    elif mapping.columns is not None and mapping.columns.names:
        known = mapping.columns.names
    if known is not None:
        for key, part in mapping.parts():
            for name in map(dotted, part.paths()):
                if name not in known and not name.startswith("file."):
                    found.append(f"key {key}: there is no field «{name}»; use {', '.join(known)}")
    if mapping.log_format is not None and not found:
        try:
            groups = {dotted(path): f"g{n}" for n, path in enumerate(mapping.fields())}
            compiled(mapping.log_format, groups, more=mapping.more)
        except ValueError as error:
            found.append(f"key log_format: {error}")
    return found


def _format_of(name: str, mapping: Mapping, *, doubt: bool = False, version: str = "") -> Format:
    fast = _FAST.get(name)
    return Format(
        name=name,
        make=lambda file="": MappedParser(
            mapping, name=file, doubt=doubt, **({"fast": fast} if fast else {})
        ),
        directives=mapping.w3c or (mapping.columns is not None and mapping.columns.head),
        head=mapping.columns is not None and mapping.columns.head,
        named=_said_by_name(mapping) if mapping.file_name is not None else None,
        version=version,
        json=mapping.is_json,
        records=mapping.records or "",
        lacks=tuple(part for part in ("scheme", "host") if not getattr(mapping, part)),
    )


def _said_by_name(mapping: Mapping) -> Callable[[str], str]:
    def said(name: str) -> str:
        used = {path[1] for _, part in mapping.parts() for path in part.paths() if path[0] == FILE}
        found = fields_of_name(mapping, name)
        return " ".join(found[key] or "" for key in sorted(used & set(found)))

    return said


def find_format(
    name: str = "", *, log_format: str = "", scheme: str = "", host: str = "", zone: str = ""
) -> Format:
    """The format called `name`, or that of mapping file `name` (`….toml`), or `log_format`.

    `scheme` (http, https, or port: by the port in the line), `host` and `zone` are what a person
    says of lines that do not. Raises InputError for an unknown name, for what has to be said and
    was not, or cannot be said; ConfigError for a mapping that cannot be used.
    """
    if log_format:
        mapping = _of_string(format_in(log_format))
        title, doubt = "log-format", False
    elif name == NGINX_TSV.name:
        _require_unsaid(name, scheme=scheme, host=host, zone=zone)
        return NGINX_TSV
    elif name in FORMATS:
        mapping, title, doubt = known_mapping(name), name, False
    elif name.endswith(".toml"):
        mapping, title, doubt = read_mapping(Path(name)), Path(name).stem, True
    else:
        known = ", ".join(FORMATS)
        raise InputError(f"no format «{name}»", f"use one of {known}, or a mapping file *.toml")
    whole = completed(mapping, title, scheme=scheme, host=host, zone=zone)
    if title in FORMATS and not (scheme or host or zone):
        return FORMATS[title]
    about = whole.model_copy(update={"about": None}).model_dump_json()
    version = hashlib.blake2b(about.encode(), digest_size=16).hexdigest()[:8]
    return _format_of(title, whole, doubt=doubt, version=version)


def _of_string(text: str) -> Mapping:
    """The mapping of a server's own format string. Raises InputError."""
    try:
        mapping = Mapping.model_validate(as_mapping(text))
        faults = _faults(mapping)
    except ValidationError as error:
        faults = [each["msg"] for each in error.errors(include_url=False)]
    except ValueError as error:
        faults = [str(error)]
    if faults:
        raise InputError(
            f"--log-format: {'; '.join(faults)}",
            "log what is missing, or name the fields in a mapping file with log_format = '…'",
        )
    return mapping


def completed(mapping: Mapping, title: str, *, scheme: str, host: str, zone: str) -> Mapping:
    """`mapping` with what a person says of lines that do not say it. Raises InputError where
    something is missing still, or cannot be said.
    """
    more: dict[str, tuple[object, ...]] = {}
    if scheme == "port":
        if mapping.port is None:
            raise InputError(f"{title} has no port in its lines", "say --scheme http or https")
        by_port = SchemeField(port=mapping.port, https_ports=(443,), http_ports=(80,))
        more["scheme"] = (*mapping.scheme, by_port)
    elif scheme in ("http", "https"):
        more["scheme"] = (*mapping.scheme, SchemeField.model_validate({"value": scheme}))
    elif scheme:
        raise InputError(f"--scheme {scheme!r}", "use http, https or port")
    if host:
        more["host"] = (*mapping.host, HostField(value=host))
    if zone:
        more["time"] = tuple(_in_zone(each, zone) for each in mapping.time)
        if more["time"] == mapping.time:
            raise InputError(f"{title} has times with a zone", "leave --zone out")
    for part in ("scheme", "host"):
        if not (getattr(mapping, part) or part in more):
            raise InputError(f"{title} does not say the {part} of a request", _hint(part, mapping))
    note = "" if zone else mapping.note
    return mapping.model_copy(update={**more, "note": note}) if more else mapping


def _in_zone(time: TimeField, zone: str) -> TimeField:
    if time.zone is None:
        return time
    try:
        zone_named(zone)
    except ValueError as error:
        raise InputError(f"--zone {zone!r}: {error}", "use such a name or offset") from error
    return time.model_copy(update={"zone": zone})


def _require_unsaid(title: str, **said: str) -> None:
    for option, value in said.items():
        if value:
            raise InputError(f"{title} says the {option} of each request", f"leave --{option} out")


def _hint(part: str, mapping: Mapping) -> str:
    if part == "host":
        return "say --host NAME if all lines are of one host, or log it"
    port = ", or --scheme port to go by the port in the line" if mapping.port else ""
    return f"say --scheme https or http if all lines are of one listener{port}; or log it"
