"""Telling others: where an event goes, when it is tried again, and which domains edges must stop.

Where a webhook may connect to is decided in `address`, when to try again in `retry`, what a mail
says in `wording`; `deliver` reads what is due, sends and records. Public nouns: Due, Outcome, Sent
(sending), Attempt, AttemptResult, Endpoint (webhook), Target (address), StoppedDomain (stop_list).
"""
