"""The rule of silence: every signal there is, where it shows, what it means and what to do.

`PERSON`: somebody must act, and `edgetoll status` exits 1 until they have. `WATCH`: it is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """Whether somebody must act."""

    PERSON = "person"
    WATCH = "watch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One condition: its name in status and metrics, where else it is seen, meaning and answer."""

    name: str
    severity: Severity
    seen: str
    meaning: str
    answer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A signal that stands now: how often, and what of it, in a line."""

    signal: Signal
    count: int
    what: str


def _person(name: str, seen: str, meaning: str, answer: str) -> Signal:
    return Signal(name=name, severity=Severity.PERSON, seen=seen, meaning=meaning, answer=answer)


def _watch(name: str, seen: str, meaning: str, answer: str) -> Signal:
    return Signal(name=name, severity=Severity.WATCH, seen=seen, meaning=meaning, answer=answer)


EDGE_PROBLEM = _person(
    "edge_problem",
    "`edge status`",
    "A spool is damaged, or an agent cannot read what it should; its promise may stand still.",
    "Read the line; `edgetoll edge status` has the folder. Nothing is counted twice by a restart.",
)
EDGE_SILENT = _person(
    "edge_silent",
    "`metering status`, `edgetoll_event_time_lag_seconds`",
    "An expected edge has made no promise for hours: its hours wait, then close without it.",
    "Start its agent, or retire it: `edgetoll metering edges --retire EDGE`.",
)
EDGE_UNREAD = _person(
    "edge_unread",
    "`metering status`, `check`",
    "An edge holds something durable that metering has not counted; its hours wait.",
    "Look at the spool it names; a folder that cannot be read is mended or restored.",
)
EDGE_REFUSED = _watch(
    "edge_refused",
    "`edge status`",
    "Lines of an edge's logs were refused; they are kept in its `rejected/`.",
    "Look at the reasons: `edgetoll edge status`; a wrong `--format` refuses all of them.",
)
METERING_SILENT = _person(
    "metering_silent",
    "`edgetoll_metering_status_age_seconds`",
    "A metering worker published nothing for minutes: nothing is counted meanwhile.",
    "Start it: `edgetoll metering run`, or look at its last line.",
)
METERING_ALARM = _person(
    "metering_alarm",
    "`metering status`",
    "Metering met what it may not decide alone: a fork, a lost epoch, an unreadable spool.",
    "The alarm names it: `edgetoll metering status`.",
)
NOT_CONSERVED = _person(
    "not_conserved",
    "`check`, `/readyz`, `edgetoll_conservation_holds`",
    "What was read is not accepted + duplicate + quarantined.",
    "Run `edgetoll check`; do not issue invoices before it is green.",
)
QUARANTINE = _watch(
    "quarantine",
    "`metering status`, `edgetoll_events_quarantined_total`",
    "Records could not be counted; they are kept with their reason.",
    '`edgetoll sql "FROM quarantine"`, and the table of reasons in docs/metering.md.',
)
SEQUENCE_GAP = _person(
    "sequence_gap",
    "`metering status`, `edgetoll_sequence_gaps`",
    "Batches of an edge never arrived: its hours cannot be proved complete.",
    "Let the edge ship again (`edgetoll edge ship --resend`), or waive it by name and reason.",
)
HOUR_OPEN_LONG = _person(
    "hour_open_long",
    "`metering status`, `edgetoll_oldest_open_hour_age_seconds`",
    "An hour is open long after its deadline.",
    "See whom it waits for: `edgetoll metering status`.",
)
HOUR_INCOMPLETE = _person(
    "hour_incomplete",
    "`billing rate`, `edgetoll_incomplete_hours`",
    "Hours closed without an edge: they are charged for what they hold.",
    "Bring the edge back, what comes later is billed as a revision; or"
    " `edgetoll metering waive EDGE`.",
)
HOUR_TOO_OLD = _person(
    "hour_too_old",
    "`billing rate` (exit 1 of the run that met it), `billing invoice`, `check`",
    "Usage older than `too_old_days` came and is not billed; its month is not issued meanwhile.",
    "`edgetoll billing accept` shows it; with `--reason` it is billed.",
)
PRICES_REFUSED = _person(
    "prices_refused",
    "`billing rate`, `billing load`, `edgetoll_step_failures_total`",
    "A price book cannot be used: nothing is rated until it is right.",
    "The line names file, card and key.",
)
OVERRIDE_OF_NOBODY = _watch(
    "override_of_nobody",
    "`billing load`, `billing rate`",
    "A price, a webhook, an alert rule or a language is for an account that nobody has loaded.",
    "Correct the account where the line says, or load it.",
)
CLOCK_BEHIND = _person(
    "clock_behind",
    "`--as-of` of each command, which is held to it",
    "Billing's newest record is later than this machine's clock: one of the two is wrong.",
    "Set the clock (NTP). Records made while it was ahead keep their time; wait for it to pass.",
)
RECORDED_AHEAD = _watch(
    "recorded_ahead",
    "`billing statement`, which lacks it until then",
    "Money moved at a time that has not come: the clock ran ahead then. Balances hold it.",
    "Take the payment back (`billing top-up --kind chargeback`) and post it anew, or wait.",
)
HOME_EXPOSED = _person(
    "home_exposed",
    "`check`",
    "Other users of this machine can read customers, prices or secrets in the home.",
    "`chmod -R go-rwx HOME`.",
)
HOUR_UNPRICED = _person(
    "hour_unpriced",
    "`billing rate` (exit 1), `check`, `edgetoll_held_hours`",
    "Hours of an account cannot be rated: no price is in force for what was used.",
    "Add the card to its price book; the next run rates them.",
)
RUN_HELD = _person(
    "run_held",
    "`billing rate` (exit 3), `edgetoll_runs_held`",
    "The breaker holds a run that charges far more than usual; nobody is suspended meanwhile.",
    "Compare with sales; then `edgetoll billing release RUN --reason …`.",
)
CHECK_RED = _person(
    "check_red",
    "`check`, `/readyz`, `edgetoll_unverified`",
    "An invariant is broken, or a check could not run.",
    "`edgetoll check` names the rows; nobody is suspended while it is red.",
)
CHECK_OLD = _watch(
    "check_old",
    "`edgetoll check`",
    "The full check has not run for two days.",
    "Run `edgetoll check` nightly, or the daemon, which does.",
)
BILLING_UNREADABLE = _person(
    "billing_unreadable",
    "every command of billing",
    "The billing store or its journal is damaged, or they contradict each other.",
    "Do what the line says; never edit the journal.",
)
RATING_BEHIND = _person(
    "rating_behind",
    "`edgetoll_usage_rated_age_seconds`",
    "Hours are closed that no run has rated for hours.",
    "Run `edgetoll billing rate`, or the daemon; a failing step names its reason in the log.",
)
MONTH_UNISSUED = _person(
    "month_unissued",
    "`billing invoice`",
    "An account's month is over and on no invoice, though that month or a later one was issued.",
    "Issue it: the line names the month; who must wait is named there with the reason.",
)
UNOWNED = _person(
    "unowned_traffic",
    "`billing rate`, `billing invoice`, `edgetoll_unattributed_requests`",
    "A hundredth or more of all requests are for names that no account owns: nobody pays for them.",
    "Load who owns them: `[[domains]]` with `domain` and `account`, `edgetoll billing load FILE`.",
)
UNOWNED_FEW = _watch(
    "unowned_names",
    "`edgetoll_unattributed_requests`",
    "Some requests are for names that no account owns: scanners, or a customer not yet loaded.",
    "Look at the names now and then.",
)
ENDPOINT_OFF = _person(
    "endpoint_off",
    "`billing alerts`, `edgetoll_endpoint_disabled`",
    "A receiver of events was switched off after days without an answer.",
    "Mend the receiver, then `edgetoll billing alerts --enable NAME`.",
)
DELIVERY_FAILING = _person(
    "delivery_failing",
    "`billing alerts`, `edgetoll_deliveries_waiting`",
    "A receiver refuses events or does not answer; they are tried again later.",
    "The last answer says why: a 401 is a wrong key, a timeout an address.",
)
HTTPS_NOT_SERVED = _person(
    "https_not_served",
    "`edge https show`, `edgetoll_https_refused_applies_total`",
    "This edge does not serve the HTTPS that is wished, or follows an older stop list.",
    "The line says why; `edgetoll edge https apply` after it is mended.",
)
TLS_EXPIRING = _person(
    "tls_expiring",
    "`edge https expiring`, `edgetoll_tls_days_to_expiry`",
    "A TLS certificate ends within 7 days (a short-lived one: within a 13th of its life).",
    "`edgetoll edge https renew DOMAIN`, with a new certificate and key.",
)
HTTPS_FACTS = _person(
    "https_facts_refused",
    "`billing rate`",
    "A file in which an edge tells of its domains' HTTPS is missing or damaged; the later ones"
    " wait.",
    "Copy it from that edge's `https-facts/`. No count and no charge depends on it.",
)

SIGNALS: tuple[Signal, ...] = (
    EDGE_PROBLEM,
    EDGE_SILENT,
    EDGE_UNREAD,
    EDGE_REFUSED,
    METERING_SILENT,
    METERING_ALARM,
    NOT_CONSERVED,
    QUARANTINE,
    SEQUENCE_GAP,
    HOUR_OPEN_LONG,
    HOUR_INCOMPLETE,
    HOUR_TOO_OLD,
    HOUR_UNPRICED,
    PRICES_REFUSED,
    OVERRIDE_OF_NOBODY,
    RUN_HELD,
    CHECK_RED,
    CHECK_OLD,
    CLOCK_BEHIND,
    RECORDED_AHEAD,
    HOME_EXPOSED,
    BILLING_UNREADABLE,
    RATING_BEHIND,
    MONTH_UNISSUED,
    UNOWNED,
    UNOWNED_FEW,
    ENDPOINT_OFF,
    DELIVERY_FAILING,
    HTTPS_NOT_SERVED,
    TLS_EXPIRING,
    HTTPS_FACTS,
)


def table() -> str:
    """The table of signals as it stands in docs/operating.md."""
    rows = [
        "| signal | needs a person | where else it is seen | what it means | what to do |",
        "| --- | --- | --- | --- | --- |",
    ]
    rows += [
        f"| `{one.name}` | {'yes' if one.severity is Severity.PERSON else 'no'} | {one.seen} |"
        f" {one.meaning} | {one.answer} |"
        for one in SIGNALS
    ]
    return "\n".join(rows) + "\n"
