"""reports: what the books say when somebody asks: accounts, statement, ledger, explain, diff.

Nothing is decided here but what is shown and in which order; its nouns stand in `records`
(`Explanation`, `Difference`), `accounts` (`AccountLine`) and `ledger` (`LedgerReport`).
"""
