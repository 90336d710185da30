"""A mapping: how the lines of a log are cut into fields, and which field is which part of an event.

One language for JSON and text. A field is named by its path with dots (`request.host`); a list of
keys names one whose key holds a dot (`["a.b", "c"]`). In a text log it is the name of a group, a
variable or a column. The shipped formats are such mappings too (`known/*.toml`).
docs/importing.md explains each key with examples.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from edge.logs.formats.checked import Regex, Strptime, Zone

Unit = Literal["s", "ms", "us", "ns", "rfc3339", "s_or_rfc3339", "clf", "epoch", "epoch_or_rfc3339"]
Scheme = Literal["http", "https"]
Path = tuple[str, ...]
FILE: Final = "file"
"""Paths that begin with it are groups of the file's name (`file_name`)."""


def _path(value: object) -> object:
    return tuple(value.split(".")) if isinstance(value, str) else value


def _text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _source(value: object) -> object:
    return {"field": value} if isinstance(value, str | list | tuple) else value


def _scheme(value: object) -> object:
    if isinstance(value, str):
        return ({"value": value},)
    return (value,) if isinstance(value, dict | BaseModel) else value


def _hosts(value: object) -> object:
    if isinstance(value, list | tuple) and not any(isinstance(each, str) for each in value):
        return tuple(value)
    return (_source(value),)


def _several(value: object) -> object:
    return (value,) if isinstance(value, dict | BaseModel) else value


Key = Annotated[str, Field(min_length=1)]
FieldPath = Annotated[tuple[Key, ...], BeforeValidator(_path), Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65_535, strict=True)]
Word = Annotated[str, BeforeValidator(_text)]


class _MappingPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def paths(self) -> tuple[Path, ...]:
        """The fields it reads, each as often as it is named."""
        return ()


class FieldSource(_MappingPart):
    """Where a part of an event stands.

    `field`, or the first of the fields in `first` that holds something (not null, "" or "-").
    `extract`: a pattern whose first group is what counts of the field's text. `default`: for lines
    that have nothing there. `value`: the same for every line.
    """

    field: FieldPath | None = None
    first: tuple[FieldPath, ...] = ()
    extract: Regex | None = None
    default: Word | None = None
    value: Word | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        self.require_one("field", "first", "value")
        return self

    def require_one(self, *names: str) -> None:
        """Raise ValueError unless exactly one of the keys `names` is given."""
        given = [name for name in names if getattr(self, name) not in (None, ())]
        if len(given) != 1:
            raise ValueError(f"give exactly one of {', '.join(names)}")

    def paths(self) -> tuple[Path, ...]:
        return (self.field,) if self.field is not None else self.first


class HostField(FieldSource):
    """The Host or :authority of the request; `url`: a field with an absolute URL."""

    url: FieldPath | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        self.require_one("field", "first", "url", "value")
        return self

    def paths(self) -> tuple[Path, ...]:
        return (self.url,) if self.url is not None else super().paths()

    @property
    def fallback(self) -> bool:
        """Whether it says something of every line."""
        return self.value is not None or self.default is not None


class VersionField(FieldSource):
    """The protocol; `quic`: words that mean HTTP/3 here, beside `h3`, `HTTP/3` and `quic`."""

    quic: tuple[Word, ...] = ()


class CacheField(FieldSource):
    """How the cache answered; `hit` and `miss`: words that mean so here, beside the usual ones."""

    hit: tuple[Word, ...] = ()
    miss: tuple[Word, ...] = ()


class TimeField(_MappingPart):
    """When the request ended. With `duration` the field is its start, and the duration is added.

    `unit` or `format` (strptime) says how it is written; `fields` are joined with a blank; `zone`
    is where times without a zone were taken.
    """

    field: FieldPath | None = None
    fields: tuple[FieldPath, ...] = ()
    unit: Unit | None = None
    format: Strptime | None = None
    zone: Zone | None = None
    duration: FieldPath | None = None
    duration_unit: Literal["s", "ms", "us", "ns"] = "ms"

    @model_validator(mode="after")
    def _sound(self) -> Self:
        if (self.field is None) == (not self.fields):
            raise ValueError("give exactly one of field, fields")
        if (self.unit is None) == (self.format is None):
            raise ValueError("give exactly one of unit, format")
        zoned = self.format is not None and any(
            each in self.format for each in ("%z", "%:z", "%#z", "%s", "%+")
        )
        if self.format is not None and not zoned and self.zone is None:
            raise ValueError('a format without %z needs zone, as in zone = "UTC"')
        if self.zone is not None and (zoned or self.unit not in (None, "rfc3339")):
            raise ValueError("these times have a zone of their own: leave zone out")
        return self

    def own_paths(self) -> tuple[Path, ...]:
        """The fields of the time itself."""
        return (self.field,) if self.field is not None else self.fields

    def paths(self) -> tuple[Path, ...]:
        own = self.own_paths()
        return own if self.duration is None else (*own, self.duration)


class SchemeField(_MappingPart):
    """The viewer's scheme, from exactly one of these.

    `field`: its text is http or https, or another name of theirs (`SCHEME_NAMES`); with `https` or
    `http` (patterns) a name of a listener or flag: what matches is that scheme, and with one of the
    two the rest is the other. `url`: an absolute URL. `tls`: https where this field is there and
    does not say no (null, false, "", "-", "off", …). `port`: a port, or one behind an address or in
    a URL: https for those in `https_ports`, http for the rest, or for those in `http_ports` alone.
    `value`: the same for every line, for a listener that speaks one scheme.
    """

    field: FieldPath | None = None
    url: FieldPath | None = None
    tls: FieldPath | None = None
    port: FieldPath | None = None
    value: Scheme | None = None
    https: Regex | None = None
    http: Regex | None = None
    https_ports: Annotated[tuple[Port, ...], Field(min_length=1)] = (443, 8443)
    http_ports: tuple[Port, ...] = ()

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.field, self.url, self.tls, self.port, self.value]
        if sum(each is not None for each in given) != 1:
            raise ValueError("give exactly one of field, url, tls, port, value")
        if self.field is None and (self.https is not None or self.http is not None):
            raise ValueError("https and http are patterns for a field")
        return self

    def paths(self) -> tuple[Path, ...]:
        found = (self.field, self.url, self.tls, self.port)
        return tuple(path for path in found if path is not None)


class LinesThat(_MappingPart):
    """Lines whose `field` is one of `is`, or begins with `prefix`; case is ignored in `is`."""

    field: FieldPath
    prefix: str | None = None
    any_of: tuple[Word, ...] = Field(default=(), alias="is")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.prefix is None) == (not self.any_of):
            raise ValueError("give exactly one of prefix, is")
        return self

    def paths(self) -> tuple[Path, ...]:
        return (self.field,)


class Columns(_MappingPart):
    """Values between separators: their `names` in order, or `head = true`: the first line has them.

    `quote`: what stands around a value that holds the separator (CSV); blank for none. `more`:
    lines may have more values than names.
    """

    names: tuple[Key, ...] = ()
    head: bool = False
    separator: Annotated[str, Field(min_length=1, max_length=1)] = ","
    quote: Annotated[str, Field(max_length=1)] = '"'
    more: bool = False

    @model_validator(mode="after")
    def _one(self) -> Self:
        if bool(self.names) == self.head:
            raise ValueError("give exactly one of names, head = true")
        if len(set(self.names)) != len(self.names):
            raise ValueError("a name stands twice among names")
        return self


class SampleEvent(_MappingPart):
    """What one line of a shipped sample stands for; the time as RFC 3339."""

    time: str
    domain: str
    class_: Literal["http", "https", "quic"] = Field(alias="class")
    status: int
    bytes: int
    cache: Literal["hit", "miss"] | None = None


class About(_MappingPart):
    """What people want to know of a format: its page section is made of it (docs/formats.md).

    `sample` are lines with their truth: `events`, and `refused` by reason, in order. `scheme` and
    `host`: what a person has to say besides; `file`: the name of the sample's file, where names
    count.
    """

    title: str
    setting: str
    counts: str
    cannot: str
    sample: str
    events: tuple[SampleEvent, ...]
    refused: tuple[str, ...] = ()
    scheme: Literal["http", "https", "port"] | None = None
    host: str | None = None
    file: str = "access.log"


class Mapping(_MappingPart):
    """A log. Lines are JSON objects unless one of `pattern`, `log_format`, `columns`, `w3c` is
    given. See docs/importing.md.
    """

    time: Annotated[tuple[TimeField, ...], BeforeValidator(_several)] = ()
    """The first of them that can be read."""
    scheme: Annotated[tuple[SchemeField, ...], BeforeValidator(_scheme)] = ()
    """The first of them that says something; none: the command has to say it."""
    port: FieldPath | None = None
    """A port that proves no scheme, unless a person says so (`--scheme port`)."""
    host: Annotated[tuple[HostField, ...], BeforeValidator(_hosts)] = ()
    """Likewise."""
    bytes: Annotated[FieldSource | None, BeforeValidator(_source)] = None
    status: Annotated[FieldSource | None, BeforeValidator(_source)] = None
    protocol: Annotated[VersionField | None, BeforeValidator(_source)] = None
    cache: Annotated[CacheField | None, BeforeValidator(_source)] = None
    id: Annotated[FieldSource | None, BeforeValidator(_source)] = None
    sni: Annotated[FieldSource | None, BeforeValidator(_source)] = None
    """The TLS server name: a line where it is another than the Host is refused."""
    only: Annotated[tuple[LinesThat, ...], BeforeValidator(_several)] = ()
    """Lines that are not all of these are skipped, counted."""
    except_: Annotated[tuple[LinesThat, ...], BeforeValidator(_several)] = Field(
        default=(), alias="except"
    )
    """Lines that are any of these are skipped, counted."""
    no_request: Annotated[tuple[LinesThat, ...], BeforeValidator(_several)] = ()
    """Lines of connections without an HTTP request: nothing to bill."""
    after_prefix: bool = False
    """JSON begins at the first `{` of a line; text may stand behind a syslog prefix."""
    pattern: Regex | None = None
    log_format: Key | None = None
    columns: Columns | None = None
    w3c: bool = False
    more: bool = False
    """Behind what `log_format` says a line may have more values."""
    records: Key | None = None
    """JSON documents: the key of the array that holds the records."""
    file_name: Regex | None = None
    """Its named groups are the fields `file.NAME`, out of the name of each file."""
    escapes: Literal["none", "backslash", "percent"] = "none"
    """How a host is written that has odd letters."""
    note: str = ""
    """Told with each import."""
    about: About | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        given = [self.pattern, self.log_format, self.columns, self.w3c or None]
        if sum(each is not None for each in given) > 1:
            raise ValueError("give at most one of pattern, log_format, columns, w3c")
        return self

    def parts(self) -> tuple[tuple[str, _MappingPart], ...]:
        """Every part of the mapping that reads fields, with its key."""
        single = ("bytes", "status", "protocol", "cache", "id", "sni")
        found = [(name, getattr(self, name)) for name in single if getattr(self, name) is not None]
        for name in ("time", "host", "scheme", "only", "except_", "no_request"):
            found += [(name.rstrip("_"), each) for each in getattr(self, name)]
        return tuple(found)

    def fields(self) -> tuple[Path, ...]:
        """The fields that the lines are asked for, each once."""
        every = (path for _, part in self.parts() for path in part.paths())
        return tuple(path for path in dict.fromkeys(every) if path[0] != FILE)

    def needed(self) -> tuple[tuple[str, ...], ...]:
        """Groups of fields of each of which a line must have one, or it can be no event."""
        groups: list[list[Path]] = []
        if len(self.time) == 1:
            groups += [[path] for path in self.time[0].paths()]
        if not any(each.value for each in self.scheme):
            groups.append([path for each in self.scheme for path in each.paths()])
        if not any(each.fallback for each in self.host):
            groups.append([path for each in self.host for path in each.paths()])
        for part in (self.status, self.bytes):
            if part is not None and part.default is None and part.value is None:
                groups.append(list(part.paths()))
        return tuple(
            tuple(".".join(path) for path in group)
            for group in groups
            if group and all(path[0] != FILE for path in group)
        )

    @property
    def is_json(self) -> bool:
        """Whether lines are JSON objects."""
        return not (self.pattern or self.log_format or self.columns or self.w3c)
