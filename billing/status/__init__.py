"""Which conditions need a person is decided here, once: what was not read, counted, billed, told or
verified, with the answer to each.

`edgetoll status`, the daemon's metrics and the table in docs/operating.md are made of it. Nouns:
`Signal` (signals), `HomeFacts` and its parts (facts), `Finding`.
"""
