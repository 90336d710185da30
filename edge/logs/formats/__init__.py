"""What one line of a log means: which columns a format has, and whether a line is an event.

Each format gives the same columns, which are judged in one place (judge_lines). The nouns
`Format`, `Parser`, `Parsed` and `RefusedRow` stand in block.py, `Mapping` in mapping.py.
"""
