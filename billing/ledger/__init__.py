"""Which movement of money may be posted, and what each account has: the double-entry ledger.

Public nouns: Transfer, PostedTransfer, Posted, Balance and TopUpKind, all on the page `records`.
"""
