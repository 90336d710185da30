"""The pages about what proves the figures: hours and certificates, what was refused, the runs."""

from __future__ import annotations

from collections.abc import Mapping

from billing.console.site.pages import ActCommand, Block, Leads, PageField, SitePage

MONTH = PageField(name="month", kind="month", default="this month", label="month (UTC)")

OF_EDGE: Mapping[str, Leads] = {
    "events": "/hour?hour={hour}&edge={edge_id}#certificates",
    "edge_id": "/edges/{edge_id}?month={hour|month}",
    "further": (
        "/day?day={hour|day}&edge={edge}&first={first}",
        "/day?day={hour|day}&first={first}",
    ),
}

COMPLETENESS = SitePage(
    path="/completeness",
    title="Completeness",
    nav="Completeness",
    about="Which hours are proven to be complete, by which edges, and who holds the others.",
    of_fleet=True,
    fields=(MONTH,),
    blocks=(
        Block(
            question="incomplete_hours",
            heading="Hours that wait or closed without an edge",
            given={"month": "{month}"},
            empty="Every hour that is known is closed with all its edges.",
        ),
        Block(
            question="edges_by_hour",
            heading="Edges by hour on the newest day of {month}",
            given={"month": "{month}"},
            face="grid",
            opens=OF_EDGE,
            empty="No edge has proven anything in this month.",
        ),
        Block(
            question="hours_of_month",
            heading="Hours of {month}, by how much they hold",
            given={"month": "{month}"},
            face="grid",
            opens={"accepted": "/hour?hour={hour}", "day": "/day?day={day}"},
            empty="No hour of this month is known: edgetoll metering run.",
        ),
        Block(
            question="completeness_of_month",
            heading="The month in figures",
            given={"month": "{month}"},
            face="facts",
            opens={"hours_known": "#hours-of-month", "hours_closed": "#hours-of-month",
                   "hours_incomplete": "#incomplete-hours", "accepted": "#hours-of-month",
                   "late": "#late-usage-rate"},
            empty="No hour of this month is known.",
        ),
        Block(
            question="late_usage_rate",
            heading="Usage that came late",
            given={"month": "{month}"},
            face="chart",
            empty="Nothing came late.",
        ),
    ),
    acts=(
        ActCommand(what="See which edge holds an hour", command="edgetoll metering status"),
        ActCommand(what="Let an hour close without an edge",
            command='edgetoll metering waive EDGE --reason "…"'),
        ActCommand(what="Say that an edge is gone for good", command="edgetoll metering edges"),
    ),
)  # fmt: skip

DAY_PAGE = SitePage(
    path="/day",
    title="{day}",
    about="Hours of the day and the edges whose batches prove them, UTC.",
    of_fleet=True,
    fields=(
        PageField(name="day", kind="day", default="this day", label="day (UTC)"),
        PageField(name="edge", label="edges whose id has"),
        PageField(name="first", default="1", label="from edge number"),
    ),
    blocks=(
        Block(
            question="edges_by_hour",
            heading="Edges by hour",
            given={"day": "{day}", "edge": "{edge}", "first": "{first}"},
            face="grid",
            opens=OF_EDGE,
            empty="No edge has proven anything of this day, or none has an id like that.",
        ),
        Block(
            question="completeness_by_hour",
            heading="Hours",
            given={"day": "{day}"},
            empty="No hour of this day is known.",
        ),
    ),
)

EDGE = SitePage(
    path="/edges/{edge}",
    title="Edge {edge}",
    about="In which hours of the month it is proven, in which it is missing or has gaps, UTC.",
    of_fleet=True,
    fields=(MONTH,),
    blocks=(
        Block(
            question="hours_of_edge",
            heading="Hours of {month}, by how much it sent",
            given={"month": "{month}", "edge": "{edge}"},
            face="grid",
            opens={"events": "/hour?hour={hour}&edge={edge}#certificates",
                   "day": "/day?day={day}&edge={edge}"},
            empty="Nothing of an edge of that name is known in this month.",
        ),
        Block(
            question="lines_refused_by_edge",
            heading="Log lines it could not read",
            given={"edge": "{edge}"},
            empty="Every line was read.",
        ),
    ),
    acts=(
        ActCommand(what="See what it has shipped and what waits", command="edgetoll edge status"),
        ActCommand(what="Let an hour close without it",
            command='edgetoll metering waive {edge} --reason "…"'),
    ),
)  # fmt: skip

HOUR = SitePage(
    path="/hour",
    title="Hour {hour}",
    about="What the hour holds, whose it is, and what proves it.",
    certificate=True,
    fields=(
        PageField(name="hour", default="this hour", label="hour (UTC), as 2026-11-03T08"),
        PageField(name="account", label="account", account_wide=True),
        PageField(name="edge", label="certificate of the edge"),
    ),
    blocks=(
        Block(
            question="hour_at_a_glance",
            heading="How complete it is",
            given={"hour": "{hour}"},
            face="facts",
            of_fleet=True,
            opens={
                "accepted": "#usage-of-hour",
                "batches": "#evidence-of-hour",
                "proven_events": "#evidence-of-hour",
                "missing_edges": "#certificates",
            },
            empty="The hour is not known: nothing was counted in it, or it is yet to come.",
        ),
        Block(
            question="evidence_of_hour",
            heading="Batches that prove it",
            given={"hour": "{hour}"},
            of_fleet=True,
            empty="No certificate of it is imported: it is open, or edgetoll billing rate has not"
            " run since it closed.",
        ),
        Block(
            question="usage_of_hour",
            heading="Whose requests it holds",
            given={"hour": "{hour}", "account": "{account}"},
            empty="None of them.",
        ),
    ),
    acts=(
        ActCommand(what="Verify what edges say they sent", command="edgetoll edge evidence verify"),
        ActCommand(what="Hold all of it against every invariant", command="edgetoll check"),
    ),
)

REFUSED = SitePage(
    path="/refused",
    title="Refused",
    nav="Refused",
    about="What was not counted: log lines that no edge could read, records in quarantine.",
    of_fleet=True,
    blocks=(
        Block(
            question="lines_refused_by_edge",
            heading="Log lines refused",
            opens={"edge_id": "/edges/{edge_id}"},
            empty="Every line was read.",
        ),
        Block(
            question="records_in_quarantine",
            heading="Records in quarantine",
            empty="Nothing is in quarantine.",
        ),
        Block(
            question="unattributed_domains",
            heading="Served, but nobody's",
            empty="Every name served belongs to somebody.",
        ),
    ),
    acts=(
        ActCommand(what="Look at the lines: they lie in spool/EDGE/rejected/",
            command="edgetoll edge status"),
        ActCommand(what="Try a mapping on a file",
            command="edgetoll edge formats check MAPPING.toml FILE"),
        ActCommand(what="Say whose a domain is", command="edgetoll billing load FILE"),
    ),
)  # fmt: skip

RUNS = SitePage(
    path="/runs",
    title="Runs",
    nav="Runs",
    about="What billing did, run by run, and what it holds back.",
    of_fleet=True,
    blocks=(
        Block(
            question="newest_runs",
            heading="Runs, the newest first",
            empty="None yet: edgetoll billing rate.",
        ),
    ),
    acts=(
        ActCommand(what="Rate what is closed", command="edgetoll billing rate"),
        ActCommand(what="Let a run go that was held",
            command='edgetoll billing release RUN --reason "…"'),
        ActCommand(what="Say what changed between two runs", command="edgetoll billing diff"),
    ),
)  # fmt: skip

RUN = SitePage(
    path="/runs/{run}",
    title="Run {run}",
    about="What the run charged, and whom.",
    blocks=(
        Block(
            question="charges_of_run",
            heading="Charges",
            given={"run": "{run}"},
            empty="The run charged nothing, or there is none of that name.",
        ),
    ),
)  # fmt: skip
