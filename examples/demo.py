"""`edgetoll demo`: real work end to end, with the commands a person would type.

A seeded generator writes nginx logs that rotate while one tailing agent per edge reads them into
spools; metering counts and closes hours; billing rates, issues last month's invoices and says who
is at risk. Nothing is prepared or faked: what is shown is asked of the result.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from edge.errors import EdgetollError
from edge.terminal import now
from examples import https_edge
from examples.stage import Stage

SEED = 20201215
SETTLED = timedelta(minutes=3)  # metering closes an hour two minutes after its end
OLDEST = timedelta(days=55)  # usage older than 60 days waits for a person (billing's age limit)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """When the demo plays: fixed at the first run, so that a second run finds nothing to do.

    The edges promise to have sent everything before `promised`, a full hour that is over for longer
    than metering waits. The traffic after it, up to `as_of`, lies in the hour still open: analysts
    see it at once, and nobody is charged for it yet.
    """

    as_of: datetime
    promised: datetime
    start: datetime
    month: str
    requests: int

    @classmethod
    def new(cls, moment: datetime, requests: int) -> Plot:
        """Last month and this one, up to the hour before `moment`."""
        promised = (moment - SETTLED).replace(minute=0, second=0, microsecond=0)
        as_of = min(moment.replace(microsecond=0), promised + timedelta(minutes=59))
        this_month = as_of.replace(day=1, hour=0, minute=0, second=0)
        last_month = (this_month - timedelta(days=1)).replace(day=1)
        start = max(last_month, (as_of - OLDEST).replace(minute=0, second=0))
        return cls(
            as_of=as_of,
            promised=promised,
            start=start,
            month=last_month.strftime("%Y-%m"),
            requests=requests,
        )

    def save(self, path: Path, truth: dict[str, int]) -> None:
        """Keep the plot and the generator's own counts beside the home's files."""
        document = {
            "as_of": self.as_of.isoformat(),
            "promised": self.promised.isoformat(),
            "start": self.start.isoformat(),
            "month": self.month,
            "requests": self.requests,
            "truth": truth,
        }
        path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def load(path: Path) -> tuple[Plot, dict[str, int]]:
    """The plot of an earlier run and what its generator counted."""
    document = json.loads(path.read_text(encoding="utf-8"))
    plot = Plot(
        as_of=datetime.fromisoformat(document["as_of"]),
        promised=datetime.fromisoformat(document["promised"]),
        start=datetime.fromisoformat(document["start"]),
        month=document["month"],
        requests=document["requests"],
    )
    return plot, document["truth"]


def demo(
    home: Annotated[
        Path, typer.Option("--home", envvar="EDGETOLL_HOME", help="Where the demo's home is made.")
    ] = Path("demo-home"),
    requests: Annotated[int, typer.Option(help="About how many requests to make.")] = 1_000_000,
) -> None:
    """Run the whole pipeline on generated traffic and show what it found.

    Example: edgetoll demo --home ./demo-home
    """
    began = time.monotonic()
    stage = Stage(home)
    note = home / "demo.json"
    if home.exists() and any(home.iterdir()) and not note.exists():
        raise EdgetollError(f"{home} is not the demo's home", "name another: --home ./demo-home")
    again = note.exists()
    before = fingerprint(stage) if again else ""
    if again:
        plot, truth = load(note)
        stage.headline("This home has played the demo before: running all of it once more.")
    else:
        plot, truth = Plot.new(now(), requests), {}
    stage.run("init", str(home))
    if not again:
        stage.write_seller()
        stage.write_accounts(plot.start, plot.as_of)
    stage.headline("Accounts: five customers, their domains, plans, and what they paid in")
    stage.load_accounts()
    if not again:
        truth = stage.traffic(seed=SEED, start=plot.start, end=plot.as_of, requests=plot.requests)
    stage.finish_tailing(plot.promised)
    real = stage.import_real_logs(plot.promised)
    if not again:
        truth = {name: amount + real[name] for name, amount in truth.items()}
        plot.save(note, truth)
    count_and_bill(stage, plot)
    show(stage, plot, truth)
    https_edge.play(stage)
    stage.ending(time.monotonic() - began)
    if again:
        same = fingerprint(stage) == before
        stage.headline(
            "Second run: nothing changed, not one charge, invoice byte or count."
            if same
            else "Second run: SOMETHING CHANGED; that is a defect, please report it."
        )
        if not same:
            raise typer.Exit(1)


def count_and_bill(stage: Stage, plot: Plot) -> None:
    """Metering and billing, as cron would run them."""
    as_of = ("--as-of", plot.as_of.isoformat())
    stage.headline("Counting: each event once, hours closed with a certificate")
    stage.run("metering", "run", "--drain")
    stage.headline("Billing: hourly charges, last month's invoices, who must be told")
    stage.run("billing", "rate", *as_of)
    stage.run("billing", "invoice", "--month", plot.month, *as_of)
    stage.run("billing", "alerts", *as_of)


def show(stage: Stage, plot: Plot, truth: dict[str, int]) -> None:
    """What came out, asked with the commands a person would use."""
    as_of = ("--as-of", plot.as_of.isoformat())
    stage.headline("Usage by domain and class")
    stage.run("query", "usage_by_domain", show=True)
    counted = stage.ask("SELECT class, sum(requests) AS n FROM usage_monthly GROUP BY class")
    stage.compare({str(row["class"]): int(row["n"]) for row in counted}, truth)
    stage.headline(f"An invoice of {plot.month}: HTTPS requests stand on a line of their own")
    stage.show_invoice(plot.month)
    stage.headline("Accounts at risk: who would lose service, when, and why")
    stage.run("billing", "accounts", "--at-risk", *as_of, show=True)
    stage.headline("Every invariant, as SQL that must return no row")
    stage.run("check", show=True)


def fingerprint(stage: Stage) -> str:
    """A hash over what must stay when all is run again: counts, money movements, invoices."""
    import hashlib

    counts = stage.ask(
        "SELECT class, sum(requests) AS n, sum(bytes_sent) AS b FROM usage_monthly"
        " GROUP BY class ORDER BY class"
    )
    digest = hashlib.sha256(json.dumps(counts).encode())
    for folder in ("invoices", "journal"):
        for path in sorted((stage.home / folder).rglob("*")):
            if path.is_file():
                digest.update(str(path.relative_to(stage.home)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()
