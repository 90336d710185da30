"""metering.sources: where units come from, and from which position each source is read on.

No unit is skipped here, and none is opened. Nouns: `source.SourceBatch`, `source.Covered`, and the
protocol `source.Source`.
"""
