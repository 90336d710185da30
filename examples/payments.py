"""What the demo's accounts have paid in: (account, amount in USD, the payment's own id)."""

from __future__ import annotations

PAYMENTS = (
    ("northwind", "60.00", "demo-wire-1001"),
    ("lumen", "75.50", "demo-wire-1002"),
    ("tinypixel", "0.20", "demo-card-1003"),
    ("dailypress", "2.00", "demo-card-1004"),
    ("archive", "8.40", "demo-wire-1005"),
)
