"""The month's story, as a marimo notebook: what was served, what it earned, what changed and why.

    export EDGETOLL_HOME=demo-home PYTHONPATH=.   # PYTHONPATH: where edgetoll is not installed
    .venv/bin/marimo run examples/month_story.py  # to read, in a browser
    .venv/bin/marimo edit examples/month_story.py # to ask on
    .venv/bin/python examples/month_story.py -- --month 2026-10

Every figure is an answer of the query library; money stays exact: nothing here makes a float of it.
"""

import marimo

app = marimo.App(width="medium", app_title="The month's story")


@app.cell
def _():
    from datetime import date

    import marimo as mo

    import edgetoll

    return date, edgetoll, mo


@app.cell
def _(edgetoll, mo):
    known = edgetoll.query("SELECT DISTINCT month FROM charges ORDER BY month")["month"].tolist()
    mo.stop(not known, mo.md("Nothing has been charged yet: `edgetoll billing rate`."))
    asked = mo.cli_args().get("month") or known[-1]
    picked = mo.ui.dropdown(known, value=asked, label="Month")
    picked
    return (picked,)


@app.cell
def _(date, edgetoll, mo, picked):
    month = picked.value
    glance = edgetoll.ask("month_at_a_glance", month=month)
    now = glance[glance["month"] == month]
    charged = {row["currency"]: row["amount"] for row in now.to_dict("records")}
    mo.md(
        f"# {date.fromisoformat(month + '-01'):%B %Y}\n\n"
        + "\n".join(f"- **{amount} {currency}** charged" for currency, amount in charged.items())
        + f"\n- {now['requests'].iloc[0]:,} requests,"
        f" {now['https_requests'].iloc[0]:,} of them HTTPS"
    )
    return charged, month


@app.cell
def _(edgetoll, mo, month):
    complete = edgetoll.ask("completeness_of_month", month=month).to_dict("records")[0]
    mo.md(
        f"## Is the month whole?\n\n{complete['hours_closed']} of {complete['hours_of_month']}"
        " hours are closed with all their edges. What is not closed is not charged yet."
    )
    return (complete,)


@app.cell
def _(edgetoll, month):
    days = edgetoll.ask("usage_by_day", month=month)
    edgetoll.plot(days, "stack", title="What is served, day by day")
    return (days,)


@app.cell
def _(edgetoll):
    moved = edgetoll.ask("https_migration_by_month")
    edgetoll.plot(moved, "line", x="month", y="share_permille", series="class",
                  title="From HTTP to HTTPS, in thousandths of all requests")  # fmt: skip
    return (moved,)


@app.cell
def _(charged, edgetoll, mo, month):
    earned = edgetoll.ask("revenue_by_region", month=month)
    sums = earned.groupby("currency")["amount"].sum().to_dict()
    assert sums == charged, "revenue by region adds up to what was charged, to the last unit"
    mo.vstack([mo.md("## Where the money is earned"), earned])
    return (earned,)


@app.cell
def _(earned, edgetoll):
    edgetoll.plot(earned, "bar", x="region", y="amount", series="item")
    return


@app.cell
def _(edgetoll, mo, month):
    changes = edgetoll.ask("largest_changes", month=month)
    mo.vstack([
        mo.md("## What changed, and why\n\nA change is what more usage makes at last month's price,"
              " corrections, and the rest: price and tiers."),
        changes,
    ])  # fmt: skip
    return (changes,)


@app.cell
def _(edgetoll, mo):
    risks = edgetoll.ask("accounts_at_risk")
    mo.vstack([mo.md("## Who is about to lose service"), risks])
    return (risks,)


if __name__ == "__main__":
    app.run()
