"""The pages about what is served and what it costs: usage, two months beside each other, prices."""

from __future__ import annotations

from billing.console.site.links import TO_ITEM
from billing.console.site.pages import ActCommand, Block, PageField, SitePage

CLASSES = ("https", "quic", "http")
WHOSE = (
    PageField(name="account", label="account", account_wide=True),
    PageField(name="domain", label="domain"),
    PageField(name="region", label="region"),
    PageField(name="class", kind="choice", label="class", choices=("all", *CLASSES)),
)
SPAN = (
    PageField(name="from_day", kind="day", default="first of month", label="from"),
    PageField(name="to_day", kind="day", default="this day", label="to, included"),
)
STEP = PageField(
    name="step",
    kind="choice",
    default="day",
    label="step",
    choices=("month", "day", "hour", "5min"),
)
OF_WHOM = {
    "account": "{account}",
    "domain": "{domain}",
    "region": "{region}",
    "class": "{class}",
}
GIVEN = {"from_day": "{from_day}", "to_day": "{to_day}", **OF_WHOM}
OF_PART = {name: f"&{name}={value}" for name, value in OF_WHOM.items()}
NARROWER = (
    "/usage?from_day={first_day}&to_day={last_day}&step={step|finer}" + "".join(OF_PART.values()),
    "/hour?hour={starts}&account={account}",
)


def _of_part(by: str, of_class: str = "{class}") -> str:
    """Usage of the part that a row is of, where all is split by `by`; of one class."""
    kept = {**OF_PART, "class": f"&class={of_class}", by: f"&{by}={{part}}"}
    return "/usage?from_day={from_day}&to_day={to_day}&step={step}" + "".join(kept.values())


def _split(by: str, *, of_fleet: bool = False) -> Block:
    """What usage consists of, by domain, region, class or account."""
    return Block(
        question="usage_split",
        heading=f"By {by}",
        given={**GIVEN, "by": by},
        opens={
            **dict.fromkeys(("part", "requests", "bytes_sent"), _of_part(by)),
            **{f"{one}_requests": _of_part(by, one) for one in CLASSES},
        },
        of_fleet=of_fleet,
        empty="Nothing was served in these days.",
    )


ITEM = PageField(
    name="item",
    kind="choice",
    default="https_requests",
    label="whose price changes",
    choices=("https_requests", "quic_requests", "data_transfer"),
)

USAGE = SitePage(
    path="/usage",
    title="Usage",
    nav="Usage",
    about="What was served: by time, domain, region and class, from months down to 5 minutes."
    " Days and months are those of each account's time zone; of one account so are the hours.",
    zone_of="account_at_a_glance",
    fields=(*SPAN, STEP, *WHOSE),
    blocks=(
        Block(
            question="usage_over_time",
            heading="Requests by {step}",
            given={**GIVEN, "step": "{step}"},
            face="chart and table",
            columns=("starts", "class", "requests", "bytes_sent"),
            opens={"starts": NARROWER, "requests": NARROWER, "bytes_sent": NARROWER},
            empty="Nothing was served in these days. Is the domain loaded, are the logs imported?",
        ),
        _split("domain"),
        _split("region"),
        _split("class"),
        _split("account", of_fleet=True),
        Block(
            question="bandwidth_percentiles",
            heading="Bandwidth of {from_day:.7}",
            given={"month": "{from_day:.7}", "account": "{account}"},
            when="account",
            empty="Nothing was served for it in this month.",
        ),
    ),
    acts=(ActCommand(what="Say whose a domain is", command="edgetoll billing load FILE"),),
)

PERIODS = SitePage(
    path="/usage/periods",
    title="Two periods",
    about="Usage of one period beside another's, day by day in each account's time zone.",
    nav="Periods",
    fields=(
        *SPAN,
        PageField(name="other_from_day", kind="day", default="first of last month",
                  label="beside: from"),
        PageField(name="other_to_day", kind="day", default="last of last month",
                  label="to, included"),
        *WHOSE,
    ),
    blocks=(
        Block(
            question="usage_of_two_periods",
            heading="{from_day} to {to_day} beside {other_from_day} to {other_to_day}",
            given={**GIVEN, "other_from_day": "{other_from_day}",
                   "other_to_day": "{other_to_day}"},
            face="chart and table",
            opens=dict.fromkeys(
                ("day", "requests", "bytes_sent"),
                "/usage?from_day={day}&to_day={day}&step=hour" + "".join(OF_PART.values()),
            ),
            empty="Nothing was served in either period.",
        ),
        Block(
            question="month_over_month",
            heading="Requests of {from_day:.7} beside the month before, the largest changes first",
            given={"month": "{from_day:.7}", "account": "{account}"},
            empty="Nothing was served in either month.",
        ),
    ),
)  # fmt: skip

PRICES = SitePage(
    path="/prices",
    title="Prices",
    nav="Prices",
    about="What is in force on a day, and what another price or book would have charged.",
    fields=(
        PageField(name="day", kind="day", default="this day", label="in force on (UTC)"),
        PageField(name="book", label="book"),
        PageField(name="month", kind="month", default="this month", label="what if: month"),
        PageField(name="try_book", default="", label="by the book"),
        ITEM,
        PageField(name="percent", default="10", label="by percent"),
    ),
    blocks=(
        Block(
            question="what_a_price_change_would_do",
            heading="If {item} rose by {percent} percent in {month}",
            given={"month": "{month}", "item": "{item}", "percent": "{percent}"},
            face="chart and table",
            opens={"tried": TO_ITEM, "change": TO_ITEM},
            empty="Nothing of this was charged in this month.",
        ),
        Block(
            question="what_another_book_would_charge",
            heading="If {month} had been priced by {try_book}",
            given={"month": "{month}", "book": "{try_book}"},
            face="chart and table",
            opens={"tried": TO_ITEM, "change": TO_ITEM},
            when="try_book",
            empty="Nothing was charged in this month, or there is no such book.",
        ),
        Block(
            question="prices_on_a_day",
            heading="In force on {day}",
            given={"day": "{day}", "book": "{book}"},
            columns=("book", "item", "region", "account_id", "model", "tier_from", "tier_to",
                     "unit_price", "per", "unit", "currency", "free_quantity", "flat_fee",
                     "in_force_from", "in_force_until", "card_id"),
            opens={"book": "/prices?day={day}&book={book}"},
            empty="No price was in force: put a book into prices/, then edgetoll billing rate.",
        ),
    ),
    acts=(
        ActCommand(
            what="Try a book on charged months, before it is in force",
            command="edgetoll billing simulate BOOK.toml --month YYYY-MM",
        ),
    ),
)  # fmt: skip
