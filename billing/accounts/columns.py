"""The columns in which facts of accounts travel to the tables: names, and DuckDB's types.

They stand apart from what reads load files: few commands need that, and it takes long to import.
"""

from __future__ import annotations

from billing.store.given import BASIS_POINTS, COUNT, FLAG, HUGE, SMALL, TEXT, TIME, Schema

ACCOUNT_SCHEMA: Schema = [
    ("account_id", TEXT),
    ("effective_from", TIME),
    ("name", TEXT),
    ("currency", TEXT),
    ("timezone", TEXT),
    ("price_book", TEXT),
    ("billing_method", TEXT),
    ("credit_limit", HUGE),
    ("grace_hours", SMALL),
    ("suspension_policy", TEXT),
    ("tax_rate_bp", BASIS_POINTS),
    ("email", TEXT),
    ("address", TEXT),
    ("country", TEXT),
    ("tax_id", TEXT),
    ("low_balance_threshold", HUGE),
    ("opened_at", TIME),
    ("closed_at", TIME),
    ("details", TEXT),
]
DOMAIN_SCHEMA: Schema = [
    ("ownership_id", TEXT),
    ("domain", TEXT),
    ("account_id", TEXT),
    ("effective_from", TIME),
    ("effective_to", TIME),
]
PLAN_SCHEMA: Schema = [
    ("plan_id", TEXT),
    ("account_id", TEXT),
    ("kind", TEXT),
    ("region", TEXT),
    ("quantity", COUNT),
    ("starts_at", TIME),
    ("ends_at", TIME),
    ("bought_at", TIME),
    ("price", HUGE),
    ("lasts", TEXT),
    ("renews", FLAG),
]
AGREEMENT_SCHEMA: Schema = [
    ("agreement_id", TEXT),
    ("account_id", TEXT),
    ("kind", TEXT),
    ("amount", HUGE),
    ("items", TEXT),
    ("regions", TEXT),
    ("priority", SMALL),
    ("settles", TEXT),
    ("starts_at", TIME),
    ("ends_at", TIME),
]
DATES_SCHEMA: Schema = [
    ("account_id", TEXT),
    ("opened_at", TIME),
    ("closed_at", TIME),
    ("why", TEXT),
]
REPLACED_SCHEMA: Schema = [("kind", TEXT), ("fact_id", TEXT), ("replaced_by", TEXT), ("why", TEXT)]
METHOD_SCHEMA: Schema = [("account_id", TEXT), ("method", TEXT), ("effective_from", TIME)]
TAGS_SCHEMA: Schema = [("kind", TEXT), ("subject", TEXT), ("account_id", TEXT), ("tags", TEXT)]
