"""What pays for what: the matrix of DOMAIN §2.3, the one place that says so.

A data-transfer plan never pays a request and a request plan never pays a byte: this separation is
what the product is for. Bandwidth freezes data plans, since nothing is then sold as data transfer.
"""

from __future__ import annotations

from billing.prices.units import ITEMS
from billing.store.given import TEXT, Schema

PLAN_KINDS = ("data_transfer", "https_requests")

# item -> the kinds of plan that pay for it. Whatever is not listed is paid from the balance.
PAID_BY_PLAN: dict[str, tuple[str, ...]] = {
    "https_requests": ("https_requests",),
    "data_transfer": ("data_transfer",),
    # DOMAIN §2.3: no statement by the vendor about QUIC requests; treated as "no".
    "quic_requests": (),
    # Plain HTTP requests are not sold by the vendors that sell request plans.
    "http_requests": (),
    "peak_bandwidth": (),
    "percentile95_bandwidth": (),
}
assert set(PAID_BY_PLAN) == set(ITEMS)

OFFSET_SCHEMA: Schema = [("item", TEXT), ("plan_kind", TEXT)]


def offset_rows() -> list[tuple[str, str]]:
    """(item, plan kind) for every pair in which the plan pays."""
    return [(item, kind) for item, kinds in PAID_BY_PLAN.items() for kind in kinds]
