"""Reads price books: TOML files of dated rate cards, checked key by key.

Money is a decimal string ("0.008"), never a TOML number, since a float is not what somebody wrote.
Errors name file, key and line. docs/pricing.md shows every key.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Annotated, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, StrictInt

from billing.money import check_currency, parse_amount
from billing.prices import units
from billing.prices.compiled import compile_books
from billing.prices.records import PARTS_PER_WHOLE, PriceBook, PriceBooks, RateCard, Tier
from edge.configfile import line_of, read_toml
from edge.errors import ConfigError, ConflictError, EdgetollError, InputError

Item = Literal[
    "https_requests",
    "quic_requests",
    "http_requests",
    "data_transfer",
    "peak_bandwidth",
    "percentile95_bandwidth",
]
Model = Literal["per_unit", "package", "graduated", "volume", "step_reached"]


def _money(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f'money is a decimal string: write "{value}" in quotes')
    try:
        units_10 = parse_amount(value)
    except InputError as error:
        raise ValueError(str(error)) from error
    if units_10 < 0:
        raise ValueError(f"{value} is below zero")
    return units_10


def _percent(value: object) -> int:
    if not isinstance(value, str):
        raise ValueError(f'a percentage is a decimal string: write "{value}" in quotes')
    try:
        ten_digits = parse_amount(value)
    except InputError as error:
        raise ValueError(str(error)) from error
    millionths, rest = divmod(ten_digits * PARTS_PER_WHOLE, 100 * 10**10)
    if rest or not 0 <= millionths <= PARTS_PER_WHOLE:
        raise ValueError(f"{value} is not a percentage from 0 to 100 with at most 4 decimals")
    return millionths


Money = Annotated[int, BeforeValidator(_money)]
Percent = Annotated[int, BeforeValidator(_percent)]
Quantity = StrictInt | str
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Tier(_Strict):
    up_to: Quantity | None = None
    price: Money = 0
    flat_fee: Money = 0
    at_zero: StrictBool = False


class _Card(_Strict):
    id: Name
    item: Item
    region: str = units.EVERYWHERE
    effective_from: date | datetime
    effective_until: date | datetime | None = None
    model: Model = "per_unit"
    unit: str
    per: Annotated[StrictInt, Field(gt=0, le=10**12)] = 1
    price: Money | None = None
    tiers: tuple[_Tier, ...] = ()
    period: Literal["hour", "day", "month"] = "month"
    flat_fee: Money = 0
    minimum: Money | None = None
    maximum: Money | None = None
    free_quota: Quantity | None = None
    discount_percent: Percent = 0
    corrects: str | None = None
    note: str = ""


class _Override(_Card):
    account: Annotated[str, Field(min_length=1)]


class _Head(_Strict):
    id: Name
    title: str = ""
    currency: str
    timezone: str = "UTC"
    source: str = ""


class _File(_Strict):
    book: _Head
    regions: dict[str, tuple[str, ...]] = {}
    card: Annotated[tuple[_Card, ...], Field(min_length=1)]
    override: tuple[_Override, ...] = ()


def load_books(folder: Path) -> PriceBooks:
    """Every `*.toml` of `folder`. No file at all is a ConfigError, never "everything is free"."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise ConfigError(f"no price book (*.toml) in {folder}", "copy one from examples/prices")
    books: dict[str, PriceBook] = {}
    owners: dict[str, Path] = {}
    for path in paths:
        book = read_book(path)
        if book.book_id in books:
            where = f"{_place(path, 'book', 'id')}, key book.id"
            raise ConfigError(
                f"{where}: another file is price book {book.book_id} too", "rename one"
            )
        books[book.book_id] = book
        for card in book.cards:
            if card.card_id in owners:
                other = owners[card.card_id].name
                raise ConfigError(
                    f"{_place_of(path, book.cards, card)} is in {other} too", "rename one"
                )
            owners[card.card_id] = path
    return PriceBooks(books=books)


def read_book(path: Path) -> PriceBook:
    """The price book in `path`; ConfigError names file, key and line."""
    content = read_toml(path, _File)
    try:
        check_currency(content.book.currency)
        zone = ZoneInfo(content.book.timezone)
    except (EdgetollError, ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(
            f"{_place(path, 'book')}, key book: {error}", "correct that key"
        ) from error
    cards = []
    given = [("card", number, card) for number, card in enumerate(content.card)]
    given += [("override", number, card) for number, card in enumerate(content.override)]
    for kind, number, card in given:
        try:
            cards.append(_rate_card(card, content.book, zone))
        except EdgetollError as error:
            where = f"{_place(path, kind, number)}, {kind} {card.id}"
            raise ConfigError(f"{where}: {error.message}", error.hint) from error
    regions = _labels(content.regions, path)
    _check_together(cards, regions, path)
    book = PriceBook(
        book_id=content.book.id,
        title=content.book.title,
        currency=content.book.currency,
        timezone=content.book.timezone,
        regions=regions,
        cards=tuple(cards),
        path=path,
    )
    try:
        compile_books(PriceBooks(books={book.book_id: book}))
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", error.hint) from error
    return book


def _place(path: Path, *keys: str | int) -> str:
    line = line_of(path.read_text(encoding="utf-8"), keys)
    return f"{path}, line {line}" if line else str(path)


def _place_of(path: Path, cards: Sequence[RateCard], card: RateCard) -> str:
    """File, line and name of a card that was read from `path`, among all of that file."""
    kind = "card" if card.account_id is None else "override"
    alike = [one for one in cards if (one.account_id is None) is (card.account_id is None)]
    number = next(place for place, one in enumerate(alike) if one is card)
    return f"{_place(path, kind, number)}, {kind} {card.card_id}"


def _rate_card(card: _Card, head: _Head, zone: ZoneInfo) -> RateCard:
    size = units.unit_size(card.item, card.unit)
    until = None if card.effective_until is None else _instant(card.effective_until, zone)
    start = _instant(card.effective_from, zone)
    if until is not None and until <= start:
        raise ConfigError("effective_until is not after effective_from", "correct the dates")
    model: str = card.model
    period: str = card.period
    if card.item in units.BANDWIDTH_ITEMS:
        model, period = _bandwidth_terms(card)
    elif period != "month" and model != "step_reached":
        raise ConfigError(f"period is for step_reached, not {model}", "remove it")
    if card.maximum is not None and card.maximum < (card.minimum or 0):
        raise ConfigError("maximum is below minimum", "correct one of them")
    free = 0 if card.free_quota is None else units.parse_quantity(card.free_quota, card.unit)
    return RateCard(
        card_id=card.id,
        book=head.id,
        account_id=card.account if isinstance(card, _Override) else None,
        item=card.item,
        scope=card.region,
        model=model,
        currency=head.currency,
        unit=card.unit,
        per=card.per,
        unit_quantity=size * card.per,
        period=period,
        effective_from=start,
        effective_until=until,
        tiers=_tiers(card, period),
        flat_fee=card.flat_fee,
        minimum=card.minimum,
        maximum=card.maximum,
        free_quantity=free,
        discount=card.discount_percent,
        corrects=card.corrects,
    )


def _bandwidth_terms(card: _Card) -> tuple[str, str]:
    """Bandwidth is priced by the step reached in its own period (DOMAIN §1.8)."""
    if card.model not in ("step_reached", "per_unit", "volume"):
        raise ConfigError(f"{card.item} cannot be priced {card.model}", "use step_reached")
    if card.free_quota is not None:
        raise ConfigError(f"{card.item} has no free quota", "remove free_quota")
    if any(tier.at_zero for tier in card.tiers):
        raise ConfigError(f"{card.item} has no fee at zero", "use flat_fee of the card")
    return card.model, "day" if card.item == "peak_bandwidth" else "month"


def _tiers(card: _Card, period: str) -> tuple[Tier, ...]:
    if card.model in ("per_unit", "package"):
        if card.price is None or card.tiers:
            raise ConfigError(f"{card.model} needs price and no tiers", 'write price = "…"')
        return (Tier(up_to=None, price=card.price),)
    if card.price is not None or not card.tiers:
        raise ConfigError(f"{card.model} needs tiers and no price", "write tiers = [{…}, …]")
    tiers = []
    lower = 0
    for number, tier in enumerate(card.tiers, start=1):
        last = number == len(card.tiers)
        if not tier.model_fields_set & {"price", "flat_fee"}:
            raise ConfigError(f"tier {number} has no price", 'write price = "0" if it is free')
        if (tier.up_to is None) != last:
            raise ConfigError(f"tier {number}: only the last tier has no up_to", "add up_to")
        up_to = None if tier.up_to is None else units.parse_quantity(tier.up_to, card.unit)
        if up_to is not None and up_to <= lower:
            raise ConfigError(f"tier {number}: up_to is not above the tier before", "sort them")
        if tier.at_zero and (number > 1 or period != "month"):
            raise ConfigError(
                f"tier {number}: at_zero is for the first tier of a month", "remove at_zero"
            )
        tiers.append(
            Tier(up_to=up_to, price=tier.price, flat_fee=tier.flat_fee, at_zero=tier.at_zero)
        )
        lower = up_to or 0
    return tuple(tiers)


def _instant(value: date | datetime, zone: ZoneInfo) -> datetime:
    """A date means its midnight in the book's zone. Prices are effective to five minutes."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    aware = value if value.tzinfo else value.replace(tzinfo=zone)
    instant = aware.astimezone(UTC)
    if instant.minute % 5 or instant.second or instant.microsecond:
        raise ConfigError(f"{value} is not on a 5-minute edge", "move it to one")
    return instant


def _labels(regions: dict[str, tuple[str, ...]], path: Path) -> dict[str, str]:
    labels: dict[str, str] = {}
    for region, members in regions.items():
        if region in (units.OVERSEAS, units.EVERYWHERE):
            where = f"{_place(path, 'regions', region)}, key regions.{region}"
            raise ConfigError(f"{where}: {region} is not a region of its own", "rename it")
        for label in (region, *members):
            if labels.setdefault(label, region) != region:
                where = f"{_place(path, 'regions', region)}, key regions.{region}"
                raise ConfigError(
                    f"{where}: {label} is in {labels[label]} and {region}", "keep one"
                )
    return labels


def _check_together(cards: list[RateCard], regions: dict[str, str], path: Path) -> None:
    scopes = {*regions.values(), units.OVERSEAS, units.EVERYWHERE}
    based = {(card.item, card.scope) for card in cards if card.account_id is None}
    seen: dict[tuple[str | None, str, str, datetime], str] = {}
    names: set[str] = set()
    for card in cards:
        if card.card_id in names:
            where = _place_of(path, cards, card)
            raise ConfigError(f"{where}: card {card.card_id} exists twice", "rename one of them")
        names.add(card.card_id)
        if card.scope not in scopes:
            raise ConfigError(
                f"{_place_of(path, cards, card)}: region {card.scope} is not in [regions]",
                f"add it there, or use {units.OVERSEAS} or {units.EVERYWHERE}",
            )
        if card.account_id is not None and (card.item, card.scope) not in based:
            raise ConfigError(
                f"{_place_of(path, cards, card)}: no card of {card.item} for {card.scope}",
                "an override has the region of the card it replaces",
            )
        key = (card.account_id, card.item, card.scope, card.effective_from)
        if key in seen and card.corrects is None:
            raise ConflictError(
                f"{_place_of(path, cards, card)}: cards {seen[key]} and {card.card_id} begin at the"
                " same time",
                'a correction of a used card needs corrects = "why"',
            )
        seen[key] = card.card_id
