"""billing.rating: what usage costs, for all accounts at once, by subtraction (DESIGN §3.7).

Decided here: what each account, item and period should cost, what free quota and plans pay of it,
and by which charges that differs from what was charged. The nouns are HeldHour, RatingMark,
RatingOutcome, Repriced and WhatIf (records).
"""
