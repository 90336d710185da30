"""The durable spool of one edge: what is appended is counted once, whatever happens after.

Framing, recovery, retention and what a full disk leaves are decided here. The nouns stand in
state.py (`SpoolStatus`, `SpoolOptions`) and segment.py (`SpoolPosition`, `Frame`, `DurableEnd`).
"""
