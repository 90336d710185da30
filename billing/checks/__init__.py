"""What must always hold, whether it holds, and which checks stand red in a home.

Public nouns: CheckResult, RedCheck and CheckState, all on the page `red`.
"""
