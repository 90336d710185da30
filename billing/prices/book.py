"""Reads price books: TOML files of dated rate cards, checked key by key.

Errors name file, line, card and key. docs/pricing.md shows every key.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from billing.money import check_currency
from billing.prices import units
from billing.prices.book_errors import BookFile, Keys, Wrong, shown
from billing.prices.book_file import BookKeys, CardKeys, HeadKeys, OverrideKeys
from billing.prices.compiled import compile_books
from billing.prices.largest_hour import TooFine
from billing.prices.records import PriceBook, PriceBooks, RateCard, Tier
from edge.configfile import parse_toml
from edge.errors import ConfigError, ConflictError, EdgetollError


def load_books(folder: Path) -> PriceBooks:
    """Every `*.toml` of `folder`. No file at all is a ConfigError, never "everything is free"."""
    paths = sorted(folder.glob("*.toml"))
    if not paths:
        raise ConfigError(f"no price book (*.toml) in {folder}", "copy one from examples/prices")
    books: dict[str, PriceBook] = {}
    owners: dict[str, Path] = {}
    for path in paths:
        file, book, places = _read(path)
        if book.book_id in books:
            raise file.fault(
                ("book", "id"), f"another file is price book {book.book_id} too", "rename one"
            )
        books[book.book_id] = book
        for card, keys in zip(book.cards, places, strict=True):
            if card.card_id in owners:
                other = owners[card.card_id].name
                raise file.fault((*keys, "id"), f"it is in {other} too", "rename one")
            owners[card.card_id] = path
    return PriceBooks(books=books)


def read_book(path: Path) -> PriceBook:
    """The price book in `path`; ConfigError names file, line, card and key."""
    return _read(path)[1]


def _read(path: Path) -> tuple[BookFile, PriceBook, list[Keys]]:
    """The file, its book, and where in it each card of the book stands."""
    text, content = parse_toml(path)
    file = BookFile(path, text, content)
    try:
        given = BookKeys.model_validate(content)
    except ValidationError as error:
        raise file.explain(error, BookKeys) from error
    zone = _zone(file, given.book)
    rows: list[tuple[Keys, CardKeys]] = []
    rows += [(("card", number), card) for number, card in enumerate(given.card)]
    rows += [(("override", number), card) for number, card in enumerate(given.override)]
    cards = []
    for keys, card in rows:
        try:
            cards.append(_rate_card(card, given.book, zone))
        except Wrong as wrong:
            raise file.fault((*keys, *wrong.key), wrong.message, wrong.hint) from wrong
    places = [keys for keys, _ in rows]
    regions = _labels(file, given.regions)
    _check_together(file, cards, places, regions)
    book = PriceBook(
        book_id=given.book.id,
        title=given.book.title,
        currency=given.book.currency,
        timezone=given.book.timezone,
        regions=regions,
        cards=tuple(cards),
        path=path,
    )
    try:
        compile_books(PriceBooks(books={book.book_id: book}))
    except TooFine as error:
        keys = next(k for k, c in zip(places, cards, strict=True) if c.card_id == error.card_id)
        raise file.fault((*keys, *error.key), error.message, error.hint) from error
    return file, book, places


def _zone(file: BookFile, head: HeadKeys) -> ZoneInfo:
    try:
        check_currency(head.currency)
    except EdgetollError as error:
        raise file.fault(
            ("book", "currency"), f"{shown(head.currency)} is not a currency", error.hint
        ) from error
    try:
        return ZoneInfo(head.timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise file.fault(
            ("book", "timezone"),
            f"there is no time zone {shown(head.timezone)}",
            "use a name as Asia/Shanghai",
        ) from error


def _rate_card(card: CardKeys, head: HeadKeys, zone: ZoneInfo) -> RateCard:
    try:
        size = units.unit_size(card.item, card.unit)
    except ConfigError as error:
        raise Wrong(error.message, error.hint, "unit") from error
    start = _instant(card.effective_from, zone, "effective_from")
    until = None
    if card.effective_until is not None:
        until = _instant(card.effective_until, zone, "effective_until")
        if until <= start:
            raise Wrong(
                "effective_until is not after effective_from", "correct the dates",
                "effective_until",
            )  # fmt: skip
    model: str = card.model
    period: str = card.period
    if card.item in units.BANDWIDTH_ITEMS:
        model, period = _bandwidth_terms(card)
    elif period != "month" and model != "step_reached":
        raise Wrong(f"period is for step_reached, not {model}", "remove it", "period")
    if card.maximum is not None and card.maximum < (card.minimum or 0):
        raise Wrong("maximum is below minimum", "correct one of them", "maximum")
    if card.prorated and not card.flat_fee and card.minimum is None:
        raise Wrong("there is no flat_fee and no minimum to be prorated", "remove it", "prorated")
    free = 0 if card.free_quota is None else _quantity(card.free_quota, card.unit, "free_quota")
    return RateCard(
        card_id=card.id,
        book=head.id,
        account_id=card.account if isinstance(card, OverrideKeys) else None,
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
        prorated=card.prorated,
    )


def _quantity(value: int | str, unit: str, *key: str | int) -> int:
    try:
        return units.parse_quantity(value, unit)
    except ConfigError as error:
        raise Wrong(error.message, error.hint, *key) from error


def _bandwidth_terms(card: CardKeys) -> tuple[str, str]:
    """Bandwidth is priced by the step reached in its own period (DOMAIN §1.8)."""
    if card.model not in ("step_reached", "per_unit", "volume"):
        raise Wrong(f"{card.item} cannot be priced {card.model}", "use step_reached", "model")
    if card.free_quota is not None:
        raise Wrong(f"{card.item} has no free quota", "remove free_quota", "free_quota")
    for number, tier in enumerate(card.tiers):
        if tier.at_zero:
            raise Wrong(
                f"{card.item} has no fee at zero", "use flat_fee of the card",
                "tiers", number, "at_zero",
            )  # fmt: skip
    return card.model, "day" if card.item == "peak_bandwidth" else "month"


def _tiers(card: CardKeys, period: str) -> tuple[Tier, ...]:
    if card.model in ("per_unit", "package"):
        if card.price is None or card.tiers:
            key = "price" if card.price is None else "tiers"
            raise Wrong(f"{card.model} needs price and no tiers", 'write price = "…"', key)
        return (Tier(up_to=None, price=card.price),)
    if card.price is not None or not card.tiers:
        key = "tiers" if card.price is None else "price"
        raise Wrong(f"{card.model} needs tiers and no price", "write tiers = [{…}, …]", key)
    tiers = []
    lower = 0
    for number, tier in enumerate(card.tiers, start=1):
        last = number == len(card.tiers)
        at = ("tiers", number - 1)
        if not tier.model_fields_set & {"price", "flat_fee"}:
            raise Wrong(f"tier {number} has no price", 'write price = "0" if it is free', *at)
        if (tier.up_to is None) != last:
            hint = "remove up_to of the last one" if last else "add up_to"
            raise Wrong(f"tier {number}: only the last tier has no up_to", hint, *at)
        up_to = None if tier.up_to is None else _quantity(tier.up_to, card.unit, *at, "up_to")
        if up_to is not None and up_to <= lower:
            raise Wrong(
                f"tier {number}: up_to is not above the tier before", "sort them", *at, "up_to"
            )
        if tier.at_zero and (number > 1 or period != "month"):
            raise Wrong(
                f"tier {number}: at_zero is for the first tier of a month", "remove at_zero",
                *at, "at_zero",
            )  # fmt: skip
        tiers.append(
            Tier(up_to=up_to, price=tier.price, flat_fee=tier.flat_fee, at_zero=tier.at_zero)
        )
        lower = up_to or 0
    return tuple(tiers)


def _instant(value: date | datetime, zone: ZoneInfo, key: str) -> datetime:
    """A date means its midnight in the book's zone. Prices are effective to five minutes."""
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    aware = value if value.tzinfo else value.replace(tzinfo=zone)
    instant = aware.astimezone(UTC)
    if instant.minute % 5 or instant.second or instant.microsecond:
        raise Wrong(f"{value} is not on a 5-minute edge", "move it to one", key)
    return instant


def _labels(file: BookFile, regions: dict[str, tuple[str, ...]]) -> dict[str, str]:
    labels: dict[str, str] = {}
    for region, members in regions.items():
        keys = ("regions", region)
        if region in (units.OVERSEAS, units.EVERYWHERE):
            raise file.fault(keys, f"{region} is not a region of its own", "rename it")
        for label in (region, *members):
            if labels.setdefault(label, region) != region:
                raise file.fault(keys, f"{label} is in {labels[label]} and {region}", "keep one")
    return labels


def _check_together(
    file: BookFile, cards: list[RateCard], places: list[Keys], regions: dict[str, str]
) -> None:
    scopes = {*regions.values(), units.OVERSEAS, units.EVERYWHERE}
    based = {(card.item, card.scope) for card in cards if card.account_id is None}
    seen: dict[tuple[str | None, str, str, datetime], str] = {}
    names: set[str] = set()
    for card, keys in zip(cards, places, strict=True):
        if card.card_id in names:
            raise file.fault(
                (*keys, "id"), f"card {card.card_id} exists twice", "rename one of them"
            )
        names.add(card.card_id)
        if card.scope not in scopes:
            raise file.fault(
                (*keys, "region"), f"region {card.scope} is not in [regions]",
                f"add it there, or use {units.OVERSEAS} or {units.EVERYWHERE}",
            )  # fmt: skip
        if card.account_id is not None and (card.item, card.scope) not in based:
            raise file.fault(
                (*keys, "region"), f"no card of {card.item} for {card.scope}",
                "an override has the region of the card it replaces",
            )  # fmt: skip
        key = (card.account_id, card.item, card.scope, card.effective_from)
        if key in seen and card.corrects is None:
            place = file.place((*keys, "effective_from"))
            raise ConflictError(
                f"{place}: cards {seen[key]} and {card.card_id} begin at the same time",
                'a correction of a used card needs corrects = "why"',
            )
        seen[key] = card.card_id
