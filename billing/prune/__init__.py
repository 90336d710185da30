"""prune: what a home need not keep for ever, by a stated policy, and never what is still needed.

The policy stands in `settings`; `plan` looks for what is due and carries it out. What touches
what the journal proves goes by records of its own: `merging` for files of charges, `usage` for
closed hours, `messages` for what was told.
"""
