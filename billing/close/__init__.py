"""close: from the last closed hour of a month to its documents, as a person does it: look at the
checklist, approve what is found, issue. Each step is a journal record with who took it.

Its public nouns stand in `records`: `Checklist`, `CloseItem`, `CloseStep`. Acts: `checklist.look`,
`steps.approve`, `steps.issue`; `issuing` issues and writes documents for `billing invoice` too.
"""
