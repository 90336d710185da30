"""A server's own format string (nginx's log_format, Apache's LogFormat) as a mapping.

The string says how a line is cut; what its variables mean is known, so that it is a whole mapping
where it has all parts of an event. What it does not hold is never guessed: Apache's `%p` may be the
port of the viewer's Host header, and a request line's URL is the viewer's own word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import orjson

from edge.logs.formats.server_config import unquoted
from edge.logs.formats.text_lines import TextPattern
from edge.logs.walking.plan import CLF, HOST_BEFORE_PORT, NUMBER

_NGINX: Final = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")
_APACHE: Final = re.compile(
    r"%[!0-9,]*(?P<first>[<>]?)(?:\{(?P<name>[^}]*)\})?(?P<last>[<>]?)(?P<letter>\^[A-Za-z]{2}|[A-Za-z%])"
)
_BODY: Final = "bytes are those of the body alone: log {} to count the head of responses too"
_VHOST: Final = "the host is the name of the server that answered, not the Host asked for"
_QUIC: Final = r"(HTTP/[0-9.]+)$"


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A value in a format string; `form`: strptime, of a time that is written so."""

    name: str
    form: str = ""


Token = str | Variable

_TIMES: Final[dict[str, dict[str, str]]] = {
    "msec": {"unit": "s"},
    "time_iso8601": {"unit": "rfc3339"},
    "time_local": {"unit": "clf"},
    "%{end:usec}t": {"unit": "us"},
    "%{end:msec}t": {"unit": "ms"},
    "%{end:sec}t": {"unit": "s"},
    "%{usec}t": {"unit": "us"},
    "%{begin:usec}t": {"unit": "us"},
    "%{msec}t": {"unit": "ms"},
    "%{begin:msec}t": {"unit": "ms"},
    "%{sec}t": {"unit": "s"},
    "%{begin:sec}t": {"unit": "s"},
    "%t": {"unit": "clf"},
}
_DURATIONS: Final = {"%D": "us", "%{us}T": "us", "%{ms}T": "ms", "%{s}T": "s", "%T": "s"}
"""How long a request took: Apache's times are those when it began."""
_ROLES: Final[dict[str, tuple[str, ...]]] = {
    "host": ("host", "http_host", "%{host}i", "server_name", "%V", "%v"),
    "status": ("status", "%>s", "%s", "%<s"),
    "bytes": ("bytes_sent", "body_bytes_sent", "%O", "%B", "%b"),
    "cache": ("upstream_cache_status", "%{varnish:hitmiss}x", "%{varnish:handling}x"),
    "id": ("request_id", "%{unique_id}e", "%L"),
    "sni": ("ssl_server_name", "%{ssl_tls_sni}x"),
}
_PROTOCOLS: Final = ("server_protocol", "http3", "%H", "%{server_protocol}e")
_PATHS: Final = ("request_uri", "uri", "document_uri", "%U")
_WHOLE_URL: Final = "scheme://host"
"""Stands for a JSON value that begins with the server's own scheme and host."""
_REQUESTS: Final = ("request", "%r")
_PORT_NAMES: Final = ("server_port", "%p", "%{local}p", "%{canonical}p")
_SCHEMES: Final[dict[str, str]] = {
    "scheme": "field",
    "%{request_scheme}e": "field",
    "%{request_scheme}x": "field",
    "https": "tls",
    "ssl_protocol": "tls",
    "ssl_cipher": "tls",
    "%{https}e": "tls",
    "%{https}x": "tls",
    "%{ssl_protocol}x": "tls",
    "%{ssl_cipher}x": "tls",
    "server_port": "port",
    "%{local}p": "port",
}
_NOTES: Final = {
    "body_bytes_sent": _BODY.format("$bytes_sent"),
    "%B": _BODY.format("%O (mod_logio)"),
    "%b": _BODY.format("%O (mod_logio)"),
    "server_name": _VHOST,
    "%V": _VHOST,
    "%v": _VHOST,
}
_ATOMS: Final = {
    "status": "[0-9]{3}|-",
    "bytes": "[0-9]+|-",
    "clf": CLF,
    "number": NUMBER,
    "word": "[^ ]*",
    "addresses": "[^ ]*(?:, [^ ]+)*",  # X-Forwarded-For, in place of the client's
}
"""What a value can look like, for those of which that is known."""


def tokens_of(text: str) -> list[Token]:
    """The literals and variables of a format string. Raises ValueError for one without any."""
    nginx = _NGINX.search(text) is not None
    found: list[Token] = []
    place = 0
    for match in (_NGINX if nginx else _APACHE).finditer(text):
        name = _name_of(match, nginx=nginx)
        literal, place = text[place : match.start()], match.end()
        found.append(literal)
        found.append("%" if name == "%%" else Variable(name=name))
    found.append(text[place:])
    if not any(isinstance(each, Variable) for each in found):
        raise ValueError("this names no variable: write it as '$host $status' or '%v %>s'")
    return _timed(_joined(found))


def _name_of(match: re.Match[str], *, nginx: bool) -> str:
    if nginx:
        return match[1] or match[2]
    inner = "" if match["name"] is None else "{" + match["name"] + "}"
    return f"%{match['first'] or match['last']}{inner}{match['letter']}"


def _joined(tokens: list[Token]) -> list[Token]:
    """`tokens` with neighbouring literals as one, without empty ones."""
    found: list[Token] = []
    for token in tokens:
        if isinstance(token, str) and found and isinstance(found[-1], str):
            found[-1] += token
        elif token != "":
            found.append(token)
    return found


def _time_form(token: Token) -> str | None:
    """The strptime form of one of Apache's `%{…}t`; None for another token."""
    if isinstance(token, str) or not re.fullmatch(r"%[<>]?\{.*\}t", token.name):
        return None
    inner = token.name[token.name.index("{") + 1 : -2]
    inner = inner.removeprefix("begin:").removeprefix("end:")
    return {"msec_frac": "%3f", "usec_frac": "%6f"}.get(inner, inner if "%" in inner else None)


def _timed(tokens: list[Token]) -> list[Token]:
    """`tokens` with a time that is written in several pieces as one variable."""
    found: list[Token] = []
    for token in tokens:
        form = _time_form(token)
        last = found[-1] if found else ""
        if form is None:
            found.append(token)
        elif isinstance(last, Variable) and last.form:
            found[-1] = Variable(name=last.name, form=last.form + form)
        elif (
            isinstance(last, str)
            and re.fullmatch(r"[ .,:T+-]{1,3}", last)
            and len(found) > 1
            and isinstance(before := found[-2], Variable)
            and before.form
        ):
            found[-2:] = [Variable(name=before.name, form=before.form + last + form)]
        else:
            assert isinstance(token, Variable), "only variables have a form"
            found.append(Variable(name=token.name, form=form))
    return found


def _small(name: str) -> str:
    """Names of headers and variables of the environment in small letters; a letter stays."""
    return name[:-1].lower() + name[-1] if name.startswith("%") and "{" in name else name


def derived(fields: dict[str, object], forms: dict[str, str]) -> dict[str, object]:
    """The parts of an event among `fields`: how they are named, and how a mapping names them.

    `forms` are the strptime forms of times.
    """
    known = {_small(name): path for name, path in fields.items()}
    found: dict[str, object] = {}
    notes: list[str] = []
    for role, names in _ROLES.items():
        name = next((each for each in names if each in known), None)
        if name is not None:
            found[role] = {"field": known[name]}
            notes += [_NOTES[name]] if name in _NOTES else []
    scheme = next((each for each in _SCHEMES if each in known), None)
    if scheme is not None:
        found["scheme"] = {_SCHEMES[scheme]: known[scheme]}
        if _SCHEMES[scheme] == "port":
            found["scheme"] = {"port": known[scheme], "http_ports": [80, 8080]}
    if _WHOLE_URL in known:
        for part in ("scheme", "host"):
            found.setdefault(part, {"url": known[_WHOLE_URL]})
    protocol = next((each for each in _PROTOCOLS if each in known), None)
    request = next((each for each in _REQUESTS if each in known), None)
    if protocol is not None:
        found["protocol"] = {"field": known[protocol]}
    elif request is not None:
        found["protocol"] = {"field": known[request], "extract": _QUIC}
    if request is not None:  # a connection that ended before it asked for anything
        found["no_request"] = {"field": known[request], "is": ["-", ""]}
    port = next((each for each in ("%p", "%{canonical}p") if each in known), None)
    if scheme is None and port is not None:
        found["port"] = known[port]
    time = _derived_time(known, {_small(name): form for name, form in forms.items()})
    if time is not None:
        found["time"] = time
    if notes:
        found["note"] = "; ".join(notes)
    return found


def _derived_time(known: dict[str, object], forms: dict[str, str]) -> dict[str, object] | None:
    name = next((each for each in _TIMES if each in known), None)
    if name is not None:
        time: dict[str, object] = {"field": known[name], **_TIMES[name]}
    elif forms:
        name = next(iter(forms))
        time = {"field": known[name], "format": forms[name]}
    else:
        return None
    lasted = next((each for each in _DURATIONS if each in known), None)
    if lasted is not None and name.startswith("%") and "{end:" not in name:
        time |= {"duration": known[lasted], "duration_unit": _DURATIONS[lasted]}
    return time


def as_mapping(text: str) -> dict[str, object]:
    """The keys of a mapping that the format string `text` gives: all it can say.

    Raises ValueError for a string that is no format.
    """
    text = unquoted(text)
    if text.startswith("{") and _NGINX.search(text):
        return derived(_json_fields(text), {})
    tokens = tokens_of(text)
    variables = [each for each in tokens if isinstance(each, Variable)]
    forms = {each.name: each.form for each in variables if each.form}
    own: dict[str, object] = {each.name: [each.name] for each in variables}
    return {"escapes": "backslash", **derived(own, forms), "log_format": text}


def _json_fields(text: str) -> dict[str, object]:
    """Where the variables of a JSON format stand: variable → path. Raises ValueError."""
    pieces = re.split(r'("(?:[^"\\]|\\.)*")', text)
    for place in range(0, len(pieces), 2):  # outside quotes
        pieces[place] = _NGINX.sub(lambda match: f'"${match[1] or match[2]}"', pieces[place])
    try:
        found = orjson.loads("".join(pieces))
    except orjson.JSONDecodeError as error:
        raise ValueError(f"this begins like JSON and is none: {error}") from error
    return dict(_leaves(found, ()))


def _leaves(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, list[str]]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, str) and (match := _NGINX.fullmatch(value)):
        yield match[1] or match[2], list(path)
    elif isinstance(value, str) and re.match(r"\$\{?scheme\}?://\$\{?(?:http_)?host\b", value):
        yield _WHOLE_URL, list(path)


def variables_of(text: str) -> tuple[str, ...]:
    """The names of the variables of a format string that is cut as text, once each."""
    found = (each.name for each in tokens_of(text) if isinstance(each, Variable))
    return tuple(dict.fromkeys(found))


def compiled(text: str, wanted: dict[str, str], *, more: bool) -> TextPattern:
    """The pattern of a format string; group names for the variables `wanted`. ValueError.

    `more`: a line may go on behind it.
    """
    tokens = tokens_of(text)
    end = "(?: .*)?$" if more else "$"
    ways = [_pattern(tokens, wanted, way) + end for way in ("", ".*?", ".*")]
    return TextPattern(pattern=ways[0], ways=tuple(ways[1:]))


def _pattern(tokens: list[Token], wanted: dict[str, str], loose: str) -> str:
    """One pattern: `loose` is what a value looks like of which nothing is known; blank for what
    ends at the next literal.
    """
    found, quoted, seen = ["^"], False, set[str]()
    for place, token in enumerate(tokens):
        if isinstance(token, str):
            found.append(re.sub(r"([\\.+*?()|\[\]{}^$#&~-])", r"\\\1", token))
            quoted ^= token.count('"') % 2 == 1
            continue
        before = tokens[place - 1] if place else ""
        behind = tokens[place + 1] if place + 1 < len(tokens) else ""
        if _is_path(behind) and not _is_path(token):
            # `$host$request_uri`: a path begins with the slash that no name has.
            found.append(_group(token, wanted, seen, '[^/ "]*'))
            continue
        if isinstance(behind, Variable) and token.name in wanted:
            raise ValueError(
                f"«{token.name}» runs into «{behind.name}»: put a blank between them, or leave"
                " out the part of the event that it is"
            )
        last = before[-1:] if isinstance(before, str) else ""
        first = behind[:1] if isinstance(behind, str) else ""
        known = _known_form(token)
        if _is_path(token) and isinstance(before, Variable):
            found.append("/")
        if token.name == "%t":
            form = rf"\[{_group(token, wanted, seen, known or loose)}\]"
        elif loose:
            form = _group(token, wanted, seen, known or loose)
        else:
            strict = _strict(token, last, first, quoted=quoted)
            form = _group(token, wanted, seen, strict)
        found.append(form)
    return "".join(found)


def _is_path(token: Token) -> bool:
    return isinstance(token, Variable) and token.name in _PATHS


def _group(token: Variable, wanted: dict[str, str], seen: set[str], form: str) -> str:
    if token.name not in wanted or token.name in seen:
        return f"(?:{form})"
    seen.add(token.name)
    return f"(?P<{wanted[token.name]}>{form})"


def _known_form(token: Variable) -> str | None:
    """What a value looks like in any place, where that is known."""
    name = _small(token.name)
    if name in ("time_local", "%t"):
        return _ATOMS["clf"]
    if name in _ROLES["status"]:
        return _ATOMS["status"]
    if name in _ROLES["bytes"]:
        return _ATOMS["bytes"]
    if name in ("msec", "request_time", "request_length", "%D", "%T", "%I", *_PORT_NAMES):
        return _ATOMS["number"]
    if name in ("remote_addr", "%h"):
        return _ATOMS["addresses"]
    if name in ("host", "scheme", "time_iso8601", "server_protocol", "%v"):
        return _ATOMS["word"]
    return None


def _strict(token: Variable, last: str, first: str, *, quoted: bool) -> str:
    """A value up to what ends it."""
    known = _known_form(token)
    if quoted:
        ends = "" if first == '"' else re.escape(first)
        return rf'(?:[^"\\{ends}]|\\.)*'
    if last == "[" and first == "]":
        return r"[^\]]*"
    if first == ":" and _small(token.name) in _ROLES["host"]:
        return HOST_BEFORE_PORT
    if _small(token.name) in _PORT_NAMES:
        return _ATOMS["number"]
    if known == _ATOMS["clf"]:
        return "[^ ]+ [^ ]+" if first in ("", " ") else rf"[^{re.escape(first)}]*"
    if token.form:
        return " ".join(["[^ ]+"] * (token.form.count(" ") + 1))
    if token.name in _REQUESTS and first == " ":
        return "[^ ]* [^ ]* [^ ]*|-"
    if token.name.startswith("upstream_") and first == " ":
        return "[^ ]*(?:(?:,| :) [^ ]+)*"
    if not first:
        return "[^ ]*" if known else ".*"
    return rf"[^{re.escape(first)}]*"
