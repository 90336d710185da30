"""wording: what documents of every form say in words: the one catalogue of texts, how items and
regions are called, and the sentences about what is due.

Its public nouns: `PageTotal` (settlement_rows).
"""
