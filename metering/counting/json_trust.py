"""Who may report JSON events, and for which names: such events carry no signature (CASES M5).

Where keys of edges are configured, only sources that are listed may, and none under the name of an
edge: what an edge sends is signed, or it is not counted.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edge.batch.signature import Registry
from edge.domain import canonical_domains
from edge.errors import ConfigError
from edge.reasons import Reason
from metering.settings import MeteringSettings


@dataclass(frozen=True, slots=True)
class JsonTrust:
    """What JSON sources may report. The default lets every source report every name.

    `sources` maps a source to the names it may report (none: any); None: every source may report.
    `edges` are names that no JSON source may take.
    """

    enabled: bool = True
    sources: Mapping[str, frozenset[str]] | None = None
    edges: frozenset[str] = field(default_factory=frozenset)

    def against(self, source: str) -> Reason | None:
        """Why nothing of this source is counted; None: it may report."""
        listed = self.sources is None or source in self.sources
        if self.enabled and listed and source not in self.edges:
            return None
        return Reason.UNTRUSTED

    @property
    def names_are_listed(self) -> bool:
        """Whether some source may report certain names only."""
        return any((self.sources or {}).values())

    def may_report(self, source: str, name: str | None) -> bool:
        """Whether the source may report this canonical name (None: it is none)."""
        allowed = (self.sources or {}).get(source)
        if not allowed:
            return True
        if name is None:
            return False
        labels = name.split(".")
        above = ("*." + ".".join(labels[place:]) for place in range(1, len(labels)))
        return name in allowed or any(wildcard in allowed for wildcard in above)


EVERYBODY = JsonTrust()
"""Every source may report every name: no keys, nothing listed."""


def trust_of(settings: MeteringSettings, registry: Registry | None) -> JsonTrust:
    """What the settings say; raises ConfigError for a name that cannot be meant."""
    chosen = settings.json_events
    edges = frozenset(
        [key.edge_id for key in (registry or {}).values()]
        + [edge.edge for edge in settings.expected_edges]
    )
    if not chosen.sources and "sources" in chosen.model_fields_set:
        raise ConfigError(
            "[metering.json_events] sources = [] lists none",
            "leave it out if every source may report, or set enabled = false if none may",
        )
    sources: dict[str, frozenset[str]] = {}
    for one in chosen.sources:
        _require_own_name(one.source, edges=edges, listed=sources)
        if not one.domains and "domains" in one.model_fields_set:
            raise ConfigError(
                f"[[metering.json_events.sources]] {one.source}: domains = [] lists none",
                "leave it out if it may report every name, or take the source off the list",
            )
        sources[one.source] = frozenset(_name(one.source, text) for text in one.domains)
    listed = bool(chosen.sources) or registry is not None
    return JsonTrust(enabled=chosen.enabled, sources=sources if listed else None, edges=edges)


def _require_own_name(source: str, *, edges: Iterable[str], listed: Iterable[str]) -> None:
    """Raise ConfigError for a source under the name of an edge, or of a source listed before, also
    where only case, a blank or a final dot tell the two apart.
    """
    names = [*((each, "an edge") for each in edges), *((each, "listed") for each in listed)]
    for other, what in names:
        if _plain(other) == _plain(source):
            also = "" if other == source else f" but for its spelling ({other})"
            raise ConfigError(
                f"[[metering.json_events.sources]] lists {source}, which is {what}{also}",
                "give the JSON source a name of its own, once",
            )


def _plain(name: str) -> str:
    """A name without what people do not see or take for the same."""
    shown = "".join(char for char in unicodedata.normalize("NFKC", name) if char.isprintable())
    return shown.strip(" .").casefold()


def _name(source: str, text: str) -> str:
    """A name or `*.parent` as it is compared."""
    wildcard = text.startswith("*.")
    (name,) = canonical_domains([text[2:] if wildcard else text])
    if name is None:
        raise ConfigError(
            f"[[metering.json_events.sources]] {source}: {text!r} is no domain",
            "write it like shop.example.com or *.example.com",
        )
    return f"*.{name}" if wildcard else name
