"""What has happened, for good: the journal, and the tables of billing.duckdb that follow it.

Public nouns: Record and Anchor (journal), Store, TableRef, Appliers and Opener (store), LeftNote
(left_note).
"""
