"""A page for a reader: its parameters read, its questions asked, its blocks with their faces."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import urlencode

from billing import zones
from billing.analysts.library import LibraryQuery, Value, find
from billing.console.faces import Shown, default_of, shown
from billing.console.problems import NotForReader, NotThere
from billing.console.reading import Answer, LakeReader
from billing.console.site.pages import Block, PageField, SitePage, filled
from billing.readers.tokens import TokenReader
from edge.errors import InputError
from metering.closed import CLOSED_FOLDER, Certificate, list_closed, read_certificate

HOUR_FOLDER = re.compile(r"hour=\d{4}-\d{2}-\d{2}T\d{2}", re.ASCII)
LONGEST = 300
"""Characters of a parameter: more is no name, month or time."""
MOST_ROWS = 10**7


class PageBuilder:
    """Builds pages of one lake. `clock` says what this month is."""

    def __init__(self, lake: LakeReader, clock: Callable[[], datetime]) -> None:
        zones.pin()
        self._lake = lake
        self._clock = clock

    def built(
        self, page: SitePage, path: Mapping[str, str], query: Mapping[str, str], reader: TokenReader
    ) -> dict[str, object]:
        """What the template of pages needs. NotThere, NotForReader, InputError as it fits."""
        with self._lake.one_look(reader.account):
            return self._built(page, path, query, reader)

    def _built(
        self, page: SitePage, path: Mapping[str, str], query: Mapping[str, str], reader: TokenReader
    ) -> dict[str, object]:
        values, zone = self._prepared(page, path, query, reader)
        in_utc = query.get("times") == "utc"
        start = _number(query.get("from", "0"))
        return {
            "page": page,
            "title": filled(page.title, values),
            "values": values,
            "zone": "" if in_utc else zone,
            "own_zone": zone,
            "in_utc": in_utc,
            "elsewhere": urlencode(
                {name: value for name, value in query.items() if name != "times"}
                | ({} if in_utc else {"times": "utc"})
            ),
            "blocks": paired(
                self._shown(block, values, reader, "" if in_utc else zone, start)
                for block in page.blocks
                if (reader.account is None or not block.of_fleet)
                and (not block.when or values[block.when] not in ("", "all"))
            ),
            "acts": [(act.what, _command(act.command, values)) for act in page.acts],
            "start": start,
            "certificates": self._certificates(values)
            if page.certificate and reader.account is None
            else [],
        }

    def live(
        self,
        page: SitePage,
        path: Mapping[str, str],
        query: Mapping[str, str],
        reader: TokenReader,
        is_due: Callable[[str, int], bool],
    ) -> dict[str, Shown]:
        """The live blocks of a page that are due, by anchor."""
        with self._lake.one_look(reader.account, files=False):
            values, zone = self._prepared(page, path, query, reader)
            zone = "" if query.get("times") == "utc" else zone
            found = [
                self._shown(block, values, reader, zone, 0)
                for block in page.blocks
                if block.every
                and (reader.account is None or not block.of_fleet)
                and is_due(block.question, block.every)
            ]
        return {one.anchor: one for one in found}

    def _prepared(
        self, page: SitePage, path: Mapping[str, str], query: Mapping[str, str], reader: TokenReader
    ) -> tuple[dict[str, str], str]:
        """The parameters of a page and the zone of its times."""
        if page.of_fleet and reader.account is not None:
            raise NotForReader(
                "this page is about all customers together",
                "your token sees one account: ask for another token",
            )
        values = {**path, **self.read(page.fields, query, reader)}
        _check(values)
        return values, self._zone(page, values, reader)

    def read(
        self, fields: tuple[PageField, ...], query: Mapping[str, str], reader: TokenReader
    ) -> dict[str, str]:
        """The parameters of a page: what the URL says, else what is usual."""
        values = {}
        for one in fields:
            said = query.get(one.name, "").strip()
            if one.account_wide and reader.account is not None:
                said = reader.account
            values[one.name] = said or default_of(one.default, self._clock())
        return values

    def values_of(self, asked: LibraryQuery, query: Mapping[str, str]) -> dict[str, Value]:
        """The parameters of a question from a URL that has them by name."""
        _check(query)
        usual = self.usual(asked)
        return asked.values(
            [f"{one.name}={query.get(one.name) or usual[one.name]}" for one in asked.parameters
             if query.get(one.name) or usual[one.name]]
        )  # fmt: skip

    def usual(self, asked: LibraryQuery) -> dict[str, str]:
        """What a question's parameters are where nobody says."""
        return self.read(asked_fields(asked), {}, TokenReader(name=""))

    def _shown(
        self, block: Block, values: Mapping[str, str], reader: TokenReader, zone: str, start: int
    ) -> Shown:
        answer = self._asked(block, values, reader)
        return shown(block, answer, values, filled(block.heading, values), zone=zone, start=start)

    def _asked(self, block: Block, values: Mapping[str, str], reader: TokenReader) -> Answer:
        words = {name: filled(template, values) for name, template in block.given.items()}
        return self._lake.ask(block.question, words, reader.account)

    def _certificates(self, values: Mapping[str, str]) -> list[Certificate]:
        """The certificates of an hour as metering wrote them, while they lie in closed/."""
        folder = f"hour={values['hour']}"
        if not HOUR_FOLDER.fullmatch(folder):
            raise InputError(f"«{values['hour']}» is no hour", "write it like 2026-11-03T08")
        if not self._lake.home.joinpath(CLOSED_FOLDER, folder).is_dir():
            return []
        found = list_closed(self._lake.home, [folder])
        return [read_certificate(one.certificate_path) for one in found]

    def _zone(self, page: SitePage, values: Mapping[str, str], reader: TokenReader) -> str:
        """The zone that the page's times are in, by what it is about; NotThere: by nothing."""
        asked = page.needs or page.zone_of
        if not asked or values.get("account") == "all":
            return ""
        wanted = [one.name for one in find(asked).parameters]
        words = {name: values[name] for name in wanted if name in values}
        found = self._lake.ask(asked, words, reader.account).records()
        if not found and not page.needs:
            return ""
        if not found:
            what, _, hint = page.missing.partition(": ")
            raise NotThere(filled(what, values), hint)
        return str(found[0].get("timezone") or "")


def paired(blocks: Iterable[Shown]) -> list[Shown]:
    """Small blocks that have another small one beside them; one that has none is as wide as all.
    Of two with the same question the second has another anchor.
    """
    found = list(blocks)
    for number, one in enumerate(found):
        if any(one.anchor == before.anchor for before in found[:number]):
            found[number] = replace(one, anchor=f"{one.anchor}-{number}")
    place = 0
    while place < len(found):
        both = [one.is_small for one in found[place : place + 2]] == [True, True]
        if not both:
            found[place] = replace(found[place], is_small=False)
        place += 2 if both else 1
    return found


def asked_fields(asked: LibraryQuery) -> tuple[PageField, ...]:
    """A form for the parameters of a question."""
    usual = {"month": "this month", "day": "this day"}
    kinds = {"month": "month", "day": "day"}
    return tuple(
        PageField(
            name=one.name,
            kind=kinds.get(one.kind, "text"),  # type: ignore[arg-type]
            default=one.default or usual.get(one.kind, ""),
            label=one.about,
        )
        for one in asked.parameters
    )


def asked_page(asked: LibraryQuery) -> SitePage:
    """The page of a question by itself."""
    return SitePage(
        path=f"/ask/{asked.name}",
        title=asked.title,
        about=f"Grain: {asked.grain}",
        fields=asked_fields(asked),
        blocks=(
            Block(
                question=asked.name,
                heading=asked.name.replace("_", " "),
                given={one.name: f"{{{one.name}}}" for one in asked.parameters},
                face="chart and table" if asked.chart else "table",
            ),
        ),
    )


def _check(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if len(value) > LONGEST or not value.isprintable():
            raise InputError(f"{name} is no value", "leave it out, or correct the address")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(MOST_ROWS)):
        raise InputError(f"from={text[:20]!r} is no number of rows", "leave it out")
    return int(text)


def _command(template: str, values: Mapping[str, str]) -> str:
    import shlex

    return filled(template, {name: shlex.quote(value) for name, value in values.items()})
