"""The read API of the console, for programs: lists with cursors, exact money as text.

Public nouns: those of models, which OpenAPI describes, and Resource (resources).
"""
