"""A slow second opinion on rating: one account, hour by hour, whole numbers and fractions.

Written from DOMAIN.md alone (the marks name its rules). It shares nothing with the engine but the
records of rate cards, which are data. Times are UTC without a zone.
"""

from __future__ import annotations

from collections import defaultdict, namedtuple
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

FIVE = timedelta(minutes=5)
HOUR = timedelta(hours=1)
CLASS_ITEMS = {"https": "https_requests", "quic": "quic_requests", "http": "http_requests"}
BASIC = ("data_transfer", "peak_bandwidth", "percentile95_bandwidth")
PLAN_OF = {"data_transfer": "data_transfer", "https_requests": "https_requests"}  # §2.3


@dataclass
class Usage:
    """Counts of one 5-minute bucket; `placed`: when it was first rated, if its month was issued."""

    bucket: datetime
    label: str
    kind: str
    requests: int
    bytes_sent: int
    placed: datetime | None = None


Plan = namedtuple("Plan", "plan_id kind region quantity starts ends price", defaults=(None,))
Credit = namedtuple("Credit", "credit_id amount items regions priority starts ends")
Commitment = namedtuple("Commitment", "commitment_id amount settles starts ends")


@dataclass
class Account:
    """Who pays: time zone, first method, later changes as asked, plans."""

    account_id: str
    zone: str
    opened: datetime
    method: str
    changes: list = field(default_factory=list)
    plans: list = field(default_factory=list)
    credits: list = field(default_factory=list)
    commitments: list = field(default_factory=list)
    closed: datetime = datetime(9999, 1, 1)  # noqa: DTZ001


def price(card, quantity):
    """The curve (§10.8, §10.9), percentage off (§10.7), not cut."""
    lower, amount = 0, Fraction(0)
    whole = card.model in ("volume", "step_reached")
    for place, tier in enumerate(card.tiers):
        upper = tier.up_to if tier.up_to is not None else max(quantity, lower)
        inside = quantity if whole else max(0, min(quantity, upper) - lower)
        begun = quantity > lower or (place == 0 and tier.at_zero)
        left = whole and quantity > upper
        if begun and not left:
            units = Fraction(inside, card.unit_quantity)
            if card.model == "package":
                units = Fraction(-(-inside // card.unit_quantity))
            amount += units * tier.price + tier.flat_fee
        lower = upper
    return amount * (1_000_000 - card.discount) / 1_000_000


class Rating:
    """Rates one account from its first hour to `through`."""

    def __init__(self, account, cards, regions, through):
        self.account, self.regions, self.through = account, regions, through
        self.zone = ZoneInfo(account.zone)
        self.cards = [c for c in cards if c.account_id in (None, account.account_id)]
        self.start = account.opened.replace(minute=account.opened.minute // 5 * 5)  # §10.14
        self.quantities = defaultdict(lambda: [0, 0, 0])  # month, item, scope: used, free, plan
        self.billable = defaultdict(int)  # the same and by hour and day
        self.usage_amount = defaultdict(Fraction)
        self.charged = defaultdict(int)
        self.by_hour = defaultdict(int)
        self.terms = {}  # month, item, scope: what flat fee, maximum and minimum make of it
        self.plan_left = {plan.plan_id: plan.quantity for plan in account.plans}
        self.plan_paid = defaultdict(int)
        self.agreed = defaultdict(int)  # (month, item, scope), hour, agreement: beside usage

    @cache  # noqa: B019
    def utc(self, day):
        local = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        return local.astimezone(UTC).replace(tzinfo=None)

    @cache  # noqa: B019
    def day(self, moment):
        return moment.replace(tzinfo=UTC).astimezone(self.zone).date()

    def month(self, moment):
        return self.day(moment).replace(day=1)

    def days(self, month):
        return ((month + timedelta(days=32)).replace(day=1) - month).days

    @cache  # noqa: B019
    def month_end(self, month):
        return self.utc((month + timedelta(days=32)).replace(day=1))

    @cache  # noqa: B019
    def method(self, moment):
        """§1.8: a change takes effect at the next 00:00, leaving the 95th at the next month."""
        now = self.account.method
        for asked, wanted in sorted(self.account.changes):
            if now == "percentile95_bandwidth":
                begins, after = self.utc(self.month(asked)), self.month_end(self.month(asked))
            else:
                day = self.day(asked)
                begins, after = self.utc(day), self.utc(day + timedelta(days=1))
            if moment < (after if begins < asked else begins):
                break
            now = wanted
        return now

    def scope(self, item, region):
        """§10.13: the narrowest scope that has any card."""
        scopes = {c.scope for c in self.cards if c.item == item and c.account_id is None}
        outside = region not in (None, "CN")
        for scope in (region, "OverSeas" if outside else None, "all"):
            if scope is not None and scope in scopes:
                return scope
        return None

    @cache  # noqa: B019
    def card(self, item, scope, moment):
        """The card in force: an account's own first; of several the one that began last."""
        for mine in (True, False):
            cards = [c for c in self.cards if (c.item, c.scope) == (item, scope)]
            cards = [c for c in cards if (c.account_id is not None) is mine]
            cards = [c for c in cards if plain(c.effective_from) <= moment]
            if cards:
                last = max(cards, key=lambda c: (c.effective_from, c.corrects is not None))
                if last.effective_until is None or moment < plain(last.effective_until):
                    return last
        return None

    def card_began(self, item, scope, moment):
        """When the card in force at `moment` began, for the order of §10.2."""
        card = self.card(item, scope, moment)
        assert card is not None, "the generator gives every hour a price"
        edges = {plain(c.effective_from) for c in self.cards if c.item == item}
        edges |= {plain(c.effective_until) for c in self.cards if c.effective_until}
        past = sorted((edge for edge in edges if edge <= moment), reverse=True)
        return next(e for e in past if self.card(item, scope, e - FIVE) is not card)

    def slices(self, usage):
        """§10.1, §10.2, §10.12: (order, hour, month, item, scope, region, card's begin, count)."""
        found = defaultdict(int)
        for row in usage:
            hour, region = row.bucket.replace(minute=0), self.regions.get(row.label)
            parts = [(CLASS_ITEMS[row.kind], row.requests)]
            if self.method(row.bucket) == "data_transfer":
                parts.append(("data_transfer", row.bytes_sent))
            for item, quantity in parts if hour < self.through else ():
                if quantity and any(c.item == item for c in self.cards):
                    scope, month = self.scope(item, region), self.month(row.bucket)
                    began = self.card_began(item, scope, row.bucket)
                    place = region if item == "data_transfer" else scope
                    order = (row.placed or hour, row.placed is None, hour, month, began, str(place))
                    found[order, hour, month, item, scope, place, began] += quantity
        return sorted((*key, quantity) for key, quantity in found.items())

    def use(self, hour, month, item, scope, place, began, quantity):
        """Free quota, then plans, then money, at the month-cumulative place (§10.5)."""
        lane = (month, item, scope)
        card = self.card(item, scope, began)
        free = self.quantities[lane][1]
        freed = max(0, min(quantity, card.free_quantity - free))
        rest = quantity - freed
        for plan in sorted(self.account.plans, key=lambda p: (p.ends, p.starts, p.plan_id)):
            covers = plan.starts.replace(minute=0, second=0) <= hour < plan.ends
            fits = plan.kind == "https_requests" or plan.region in (place, "all")
            fits = fits or (plan.region == "OverSeas" and place != "CN")
            if PLAN_OF.get(item) == plan.kind and covers and fits:
                paid = min(rest, self.plan_left[plan.plan_id])
                self.plan_left[plan.plan_id] -= paid
                self.plan_paid[plan.plan_id, hour] += paid
                rest -= paid
        self.quantities[lane][0] += quantity
        self.quantities[lane][1] += freed
        self.quantities[lane][2] += quantity - freed - rest
        day = self.day(max(hour, began, self.utc(month)))
        before = self.billable[lane, {"month": "month", "hour": hour, "day": day}[card.period]]
        self.usage_amount[lane] += price(card, before + rest) - price(card, before)
        for period in ("month", hour, day):
            self.billable[lane, period] += rest

    def samples(self, usage, start, end, apart):
        """Bytes of every bucket, largest first, by region, or by CN and all else `apart`."""
        sums = defaultdict(lambda: dict.fromkeys(range((end - start) // FIVE), 0))
        for row in usage:
            if start <= row.bucket < end and row.bucket.replace(minute=0) < self.through:
                region = self.regions.get(row.label)
                region = "OverSeas" if apart and region != "CN" else region
                sums[region][(row.bucket - start) // FIVE] += row.bytes_sent
        return {region: sorted(s.values(), reverse=True) for region, s in sums.items()}

    def bandwidth(self, usage):
        """(last hour, month, item, scope, amount, quantity) of each day or month that has ended."""
        day = self.day(self.start)
        while (end := self.utc(day + timedelta(days=1))) <= self.through:
            month, begun, share, drop = day.replace(day=1), self.utc(day), Fraction(1), 0
            item = self.method(begun)
            if item == BASIC[2]:
                first = month  # §1.8: effective days, from the first day of the method
                while self.method(self.utc(first)) != item or (
                    self.utc(first + timedelta(days=1)) <= self.account.opened
                ):
                    first += timedelta(days=1)
                begun, drop = self.utc(first), 5
                share = Fraction((day - first).days + 1, self.days(month))
            if self.utc(day) >= self.account.closed:
                break
            last = end == self.month_end(month) or end >= self.account.closed
            if item == BASIC[1] or (item == BASIC[2] and last):
                for region, values in self.samples(usage, begun, end, item == BASIC[2]).items():
                    if scope := self.scope(item, region):
                        value = values[len(values) * drop // 100]
                        amount = price(self.card(item, scope, begun), value) * share
                        yield (end - FIVE).replace(minute=0), month, item, scope, amount, value
            day += timedelta(days=1)

    def settle(self, lane, moment, hour, ended):
        """§10.7: percentage off is in; plus flat fee, then cap, then floor at the month's end."""
        _, item, scope = lane
        total = self.usage_amount[lane]
        card = self.card(item, scope, moment)
        steps = [total]
        if card is not None:
            share = self.open_share(lane[0])
            share = share if card.prorated else (share > 0)
            steps.append(total := total + card.flat_fee * share)
            steps.append(total := total if card.maximum is None else min(total, card.maximum))
            if ended and card.minimum is not None and share:
                total = max(total, card.minimum * share)
            steps.append(total)
        elif any(c.has_fixed_terms for c in self.cards if (c.item, c.scope) == (item, scope)):
            return
        self.by_hour[lane, hour] += int(total) - self.charged[lane]  # §10.11: cut toward zero
        self.charged[lane] = int(total)
        self.terms[lane] = [int(after) - int(before) for before, after in pairwise(steps)]

    def open_share(self, month):
        """§10.14: by 5-minute buckets of the month, from the account's opening to its closing."""
        begins, ends, closed = self.utc(month), self.month_end(month), self.account.closed
        closed = closed.replace(minute=closed.minute // 5 * 5)
        is_open = (min(ends, closed) - max(begins, self.start)) // FIVE
        return Fraction(max(0, is_open), (ends - begins) // FIVE)

    def lanes(self, month):
        known = [*self.quantities, *self.usage_amount]
        found = {lane for lane in known if lane[0] == month}
        return found | {(month, c.item, c.scope) for c in self.cards if c.has_fixed_terms}

    def run(self, usage):
        """Everything up to `through`; `charged`, `by_hour` and `quantities` hold the result."""
        waiting = self.slices(usage)
        peaks = sorted(self.bandwidth(usage), key=str)
        hour = self.start.replace(minute=0)
        opened = set()
        while hour < self.through:
            while waiting and waiting[0][0][0] == hour and not waiting[0][0][1]:
                self.late(waiting.pop(0))
            touched = {self.month(max(hour, self.start)), self.month(hour + HOUR - FIVE)}
            for month in sorted(touched):
                self.open_month(month, hour, opened)
            used = set()
            while waiting and waiting[0][0][0] == hour and waiting[0][0][1]:
                one = waiting.pop(0)
                self.use(*one[1:])
                used.add((one[2], one[3], one[4]))
            for last, month, item, scope, amount, quantity in peaks:
                if last == hour:
                    self.usage_amount[month, item, scope] += amount
                    self.quantities[month, item, scope][0] += quantity
                    used.add((month, item, scope))
            for month in sorted(touched):
                end = min(hour + HOUR, self.month_end(month))
                for lane in self.lanes(month):
                    if lane in used or (self.sold(lane[1], end - FIVE) and self.open_share(month)):
                        self.settle(lane, end - FIVE, hour, end == self.month_end(month))
            hour += HOUR
        for one in waiting:
            self.late(one)
        self.sell_plans()
        spent = defaultdict(int, self.by_hour)
        for (lane, hour, _), amount in self.agreed.items():
            spent[lane, hour] += amount
        self.commit(spent)
        self.credit(spent)
        return self

    def sold(self, item, moment):
        return item not in BASIC or self.method(moment) == item

    def open_month(self, month, hour, opened):
        for lane in self.lanes(month):
            begins = max(self.utc(month), self.start)
            is_open = self.open_share(month)
            if lane not in opened and begins.replace(minute=0) <= hour and is_open:
                opened.add(lane)
                card = self.card(lane[1], lane[2], begins)
                if card and self.sold(lane[1], begins):
                    self.usage_amount[lane] += price(card, 0)

    def late(self, one):
        """§10.12: late usage is rated after all on-time usage, by the month's last terms."""
        _, hour, month, item, scope, *_ = one
        self.use(*one[1:])
        end = self.month_end(month)
        last = end
        while not self.sold(item, last - FIVE):
            last = self.utc(self.day(last - FIVE))
        self.settle((month, item, scope), last - FIVE, hour, last == end)

    def sell_plans(self):
        """A plan's price falls due with the hour in which it begins."""
        for plan in self.account.plans:
            hour = plan.starts.replace(minute=0, second=0)
            if plan.price and hour < self.through:
                month = self.month(plan.starts)
                self.agreed[(month, "plan", "all"), hour, f"plan/{plan.plan_id}"] += plan.price

    def commit(self, spent):
        """§10.14: what is missing to a minimum over all items, of a month or a whole term."""
        for one in self.account.commitments:
            closed = self.account.closed
            closed = closed.replace(minute=closed.minute // 5 * 5)
            over = min(one.ends, closed)
            begins = max(one.starts, self.start)
            month, pieces = self.month(begins), []
            while self.utc(month) < min(over, self.through) and begins < over:
                end = self.month_end(month)
                first, last = max(self.utc(month), begins), min(end, over)
                share = Fraction((last - first) // FIVE, (end - self.utc(month)) // FIVE)
                pieces.append((month, end, int(one.amount * share)))
                month = (month + timedelta(days=32)).replace(day=1)
            if one.settles == "term":
                pieces = [pieces] if pieces and pieces[-1][1] >= over else []
            else:
                pieces = [[piece] for piece in pieces]
            for parts in pieces:
                last = parts[-1][1]
                hour = (last - FIVE).replace(minute=0)
                if hour < self.through:
                    months = {part[0] for part in parts}
                    paid = sum(amount for (lane, _), amount in spent.items() if lane[0] in months)
                    least = sum(part[2] for part in parts)
                    lane = (self.month(last - FIVE), "commitment", "all")
                    key = lane, hour, f"commitment/{one.commitment_id}"
                    self.agreed[key] += max(0, least - paid)

    def credit(self, spent):
        """By hour, month, item and scope: what of it which credit pays, lowest priority first."""
        order = sorted(
            self.account.credits, key=lambda c: (c.priority, c.ends, c.starts, c.credit_id)
        )
        left = {one.credit_id: one.amount for one in order}
        owed, paid = defaultdict(int), defaultdict(int)
        for (lane, hour), amount in sorted(spent.items(), key=lambda one: (one[0][1], one[0][0])):
            owed[lane] += amount
            rest = min(amount, owed[lane])
            moves = []
            for one in order if rest > 0 else ():
                covers = one.starts.replace(minute=0) <= hour < one.ends
                fits = lane[1] in one.items if one.items else lane[1] != "plan"
                over = "OverSeas" in one.regions and lane[2] not in ("CN", "all")
                if covers and fits and (not one.regions or lane[2] in one.regions or over):
                    part = min(rest, left[one.credit_id])
                    rest -= part
                    moves.append((one.credit_id, part))
            back = -owed[lane]
            for one in reversed(order) if amount < 0 else ():
                part = max(0, min(back, paid[lane, one.credit_id]))
                back -= part
                moves.append((one.credit_id, -part))
            for name, part in moves:
                owed[lane] -= part
                left[name] -= part
                paid[lane, name] += part
                self.agreed[lane, hour, f"credit/{name}"] -= part


def plain(moment):
    return moment.astimezone(UTC).replace(tzinfo=None)


def rate(account, cards, regions, usage, through):
    """The Rating of one account, done."""
    return Rating(account, cards, regions, through).run(usage)
