"""The pages about what is served and what it costs: usage, two months beside each other, prices."""

from __future__ import annotations

from billing.console.site.pages import ActCommand, Block, PageField, SitePage

WHOSE = (
    PageField(name="account", label="account", account_wide=True),
    PageField(name="domain", label="domain"),
    PageField(name="region", label="region"),
)
SPAN = (
    PageField(name="from_day", kind="day", default="first of month", label="from (UTC)"),
    PageField(name="to_day", kind="day", default="this day", label="to, included"),
)
STEP = PageField(
    name="step",
    kind="choice",
    default="day",
    label="step",
    choices=("month", "day", "hour", "5min"),
)
OF_WHOM = {"account": "{account}", "domain": "{domain}", "region": "{region}"}
GIVEN = {"from_day": "{from_day}", "to_day": "{to_day}", **OF_WHOM}
KEPT = "&account={account}&domain={domain}&region={region}"
NARROWER = "/usage?from_day={starts|day}&to_day={starts|day}&step=hour" + KEPT
SPAN_KEPT = "/usage?from_day={from_day}&to_day={to_day}&step={step}"
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
    about="What was served: by time, domain, region and class, from months down to 5 minutes.",
    fields=(*SPAN, STEP, *WHOSE),
    blocks=(
        Block(
            question="usage_over_time",
            heading="Requests by {step}",
            given={**GIVEN, "step": "{step}"},
            face="chart and table",
            opens={"starts": NARROWER, "requests": NARROWER},
            empty="Nothing was served in these days. Is the domain loaded, are the logs imported?",
        ),
        Block(
            question="usage_split",
            heading="By domain",
            given={**GIVEN, "by": "domain"},
            opens={"part": SPAN_KEPT + "&account={account}&region={region}&domain={part}"},
            empty="Nothing was served in these days.",
        ),
        Block(
            question="usage_split",
            heading="By region",
            given={**GIVEN, "by": "region"},
            opens={"part": SPAN_KEPT + "&account={account}&domain={domain}&region={part}"},
            empty="Nothing was served in these days.",
        ),
        Block(
            question="usage_split",
            heading="By account",
            given={**GIVEN, "by": "account"},
            opens={"part": SPAN_KEPT + "&domain={domain}&region={region}&account={part}"},
            of_fleet=True,
            empty="Nothing was served in these days.",
        ),
    ),
    acts=(ActCommand(what="Say whose a domain is", command="edgetoll billing load FILE"),),
)

MONTHS = SitePage(
    path="/usage/months",
    title="Two months",
    about="Usage of one month beside another's, and bandwidth at its peak and percentiles.",
    nav="Months",
    fields=(
        PageField(name="month", kind="month", default="this month", label="month"),
        PageField(name="other", kind="month", default="last month", label="beside"),
        *WHOSE,
    ),
    blocks=(
        Block(
            question="usage_of_two_months",
            heading="{month} beside {other}",
            given={"month": "{month}", "other": "{other}", **OF_WHOM},
            face="chart",
            empty="Nothing was served in either month.",
        ),
        Block(
            question="bandwidth_percentiles",
            heading="Bandwidth of {month}",
            given={"month": "{month}"},
            empty="Nothing was served in this month.",
        ),
        Block(
            question="bandwidth_percentiles",
            heading="Bandwidth of {other}",
            given={"month": "{other}"},
            empty="Nothing was served in this month.",
        ),
        Block(
            question="month_over_month",
            heading="Requests of {month} beside the month before",
            given={"month": "{month}"},
            empty="Nothing was served in either month.",
        ),
    ),
)

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
            empty="Nothing of this was charged in this month.",
        ),
        Block(
            question="what_another_book_would_charge",
            heading="If {month} had been priced by {try_book}",
            given={"month": "{month}", "book": "{try_book}"},
            face="chart and table",
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
