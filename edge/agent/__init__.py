"""The running agent: when it reads, when it promises, and what its spool says of itself.

The nouns are `EdgeSettings` (settings.py), `Followed` (run.py) and the status of a spool
(status.py), which `edgetoll edge status` and `edgetoll status` show.
"""
