"""Which lines of which files were read: each line once, over rotation, crashes and copies.

A file is known by its content, and its position travels in the batch that holds the lines. The
nouns `Chunk`, `StreamPosition`, `Step`, `SeenFile` and `RejectedLine` stand beside what makes them.
"""
