"""A rating run is decided here: which closed hours come in, whether the run is posted or held.

What an hour costs is rating's, what follows a run is `billing.follow_up`. Nouns: `RunOutcome` (and
`breaker.Total`), `ImportOutcome`, `TooOldFile`, `RunSettings`.
"""
