"""edge: turns what an edge server saw into per-request events and never loses one it accepted.

What an event is and why one is refused is decided here. The nouns stand in event.py
(`RequestEvent`), reasons.py (`Reason`) and batch/records.py (`BatchHeader`, `EventColumns`).
"""
