"""When something is done of itself is decided here: what a wake looks at, what a round does, in
which order, and what is shown of it.

What the steps do is decided where their commands do it. Nouns: `Board`, `VitalSigns`, `Turn`.
"""
