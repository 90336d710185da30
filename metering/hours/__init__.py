"""metering.hours: which hours close, as what, and how that becomes files that never change.

`when_to_close` decides, `closer` writes a round, `checkpoint` commits it, `recovery` begins from
it. Nouns: `when_to_close.Plan`, `certificate.Round`, `checkpoint.Head`, `requests.Requests`.
"""
