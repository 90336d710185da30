"""Who may read from outside: named tokens, each for all of the home or for one account.

Public noun: TokenReader (tokens).
"""
