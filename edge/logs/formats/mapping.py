"""A field mapping: where the parts of an event stand in the lines of a JSON log.

The shipped JSON formats (nginx, caddy, traefik, fastly) are such mappings too. A field is named by
its path with dots (`request.host`); a list of keys names one whose key holds a dot (`["a.b",
"c"]`). docs/importing.md explains each key with examples.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Unit = Literal["s", "ms", "us", "ns", "rfc3339", "s_or_rfc3339"]
PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}
Path = tuple[str, ...]


def _path(value: object) -> object:
    return tuple(value.split(".")) if isinstance(value, str) else value


Key = Annotated[str, Field(min_length=1)]
FieldPath = Annotated[tuple[Key, ...], BeforeValidator(_path), Field(min_length=1)]
Port = Annotated[int, Field(ge=1, le=65_535, strict=True)]


class _MappingPart(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TimeField(_MappingPart):
    """When the request ended. With `duration` the field is its start, and the duration is added."""

    field: FieldPath
    unit: Unit
    duration: FieldPath | None = None
    duration_unit: Literal["s", "ms", "us", "ns"] = "ms"


class SchemeField(_MappingPart):
    """The viewer's scheme, from exactly one of these.

    `field`: its text is http or https, or another name of theirs (`SCHEME_NAMES`). `url`: an
    absolute URL. `tls`: https where this field is there and does not say no (null, false, "", "-",
    "off", …). `port`: https for the ports in `https_ports`. `value`: the same for every line, for a
    listener that speaks one scheme.
    """

    field: FieldPath | None = None
    url: FieldPath | None = None
    tls: FieldPath | None = None
    port: FieldPath | None = None
    https_ports: Annotated[tuple[Port, ...], Field(min_length=1)] = (443, 8443)
    value: Literal["http", "https"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [self.field, self.url, self.tls, self.port, self.value]
        if sum(each is not None for each in given) != 1:
            raise ValueError("give exactly one of field, url, tls, port, value")
        return self


class HostField(_MappingPart):
    """The Host or :authority of the request, from a field or from an absolute URL."""

    field: FieldPath | None = None
    url: FieldPath | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.field is None) == (self.url is None):
            raise ValueError("give exactly one of field, url")
        return self


class OnlyLines(_MappingPart):
    """Only lines whose `field` begins with `prefix` are requests; others are skipped, counted."""

    field: FieldPath
    prefix: str


def _host(value: object) -> object:
    return {"field": value} if isinstance(value, str | list | tuple) else value


class Mapping(_MappingPart):
    """A JSON-lines log. See docs/importing.md."""

    time: TimeField
    scheme: SchemeField
    host: Annotated[HostField, BeforeValidator(_host)]
    bytes: FieldPath
    status: FieldPath
    protocol: FieldPath | None = None
    cache: FieldPath | None = None
    id: FieldPath | None = None
    sni: FieldPath | None = None
    """The TLS server name: a line where it is another than the Host is refused."""
    only: OnlyLines | None = None
    after_prefix: bool = False
    """The JSON begins at the first `{` of a line, as behind a syslog prefix."""

    def paths(self) -> dict[str, Path]:
        """The field behind each raw column that the lines are read into."""
        found: dict[str, Path | None] = {
            "time": self.time.field,
            "duration": self.time.duration,
            "scheme": self.scheme.field,
            "scheme_url": self.scheme.url,
            "tls": self.scheme.tls,
            "port": self.scheme.port,
            "host": self.host.field,
            "host_url": self.host.url,
            "bytes": self.bytes,
            "status": self.status,
            "protocol": self.protocol,
            "cache": self.cache,
            "id": self.id,
            "sni": self.sni,
            "only": self.only.field if self.only else None,
        }
        return {role: path for role, path in found.items() if path is not None}
