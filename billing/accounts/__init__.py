"""What a load file may hold is decided here, and what of it is new, known or a conflict.

Whose usage is whose follows from the ownership stored here. Nouns stand in `records`:
`AccountVersion`, `Ownership`, `PlanBought`, `MethodChange`, `LoadOutcome`.
"""
