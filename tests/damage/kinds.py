"""The kinds of files that the damage pass goes through: a list to add to."""

from __future__ import annotations

from tests.damage.records import Kind

METERING = (
    Kind(name="spool segment, unread", pattern="spool/edge-1/*.seg"),
    Kind(name="spool segment, read", pattern="spool/edge-2/*.seg"),
    Kind(name="durable", pattern="spool/edge-1/durable"),
    Kind(name="epoch", pattern="spool/edge-1/epoch.json"),
    Kind(name="acknowledged", pattern="spool/edge-1/acknowledged.json"),
    Kind(name="closed data", pattern="closed/hour=*/*.parquet"),
    Kind(name="certificate", pattern="closed/hour=*/*.certificate.json"),
    Kind(name="checkpoint", pattern="closed/checkpoints/partition=*/*.checkpoint"),
    Kind(name="checkpoint's digests", pattern="closed/checkpoints/partition=*/*.parquet"),
    Kind(name="claim", pattern="closed/checkpoints/partition=*/generation-*"),
    Kind(name="usage store", pattern="usage.duckdb"),
    Kind(name="live usage", pattern="live/partition=*.parquet"),
    Kind(name="live hours", pattern="live/hours.parquet"),
    Kind(name="status", pattern="live/status.json"),
    Kind(name="settings", pattern="edgetoll.toml"),
)

KINDS = (*METERING,)
