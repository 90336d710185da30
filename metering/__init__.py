"""metering: counts each event exactly once and proves which hours are complete.

Packages, each importing only those before it: `sources` <- `counting` <- `store` <- `hours` <-
`worker`; the nouns they share stand beside them: `closed` (closed files and certificates, which
billing imports), `hour` (expectations, closed hours, time), `status` (what workers publish).
"""
