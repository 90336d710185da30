"""The console: looking at a home with a browser. It reads what analysts read and writes nothing.

A page is a question of the library with a face. Public nouns: Page and Block (site), Answer
(reading).
"""
