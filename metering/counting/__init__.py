"""metering.counting: what becomes of each unit read: accepted, duplicate, or quarantined and why.

Here a duplicate is told from a fork, a hole in an edge's sequence becomes a gap, and what was
counted becomes one Flush. Nouns: `records` (Tally, Rejected, Digest, Windowed), `flush.Flush`,
`edge_progress.EdgeProgress`.
"""
