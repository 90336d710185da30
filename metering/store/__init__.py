"""metering.store: usage.duckdb, its transactions, and which of its errors can pass by themselves.

What is told outside was read back from here after COMMIT. Nouns: `records.PartitionState`,
`store.UsageStore`, `fencing` (Fenced), `faults` (Uncertain, Unavailable, LastingFault).
"""
