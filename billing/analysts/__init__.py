"""The analysts' doors: the commands `sql`, `query` and `report`, the Python door, and the pictures.

Decided here: what a question of the library is and which values its parameters take (library), how
a result becomes a picture (chart). Nouns: LibraryQuery, QueryParameter, Chart. What may be asked at
all is decided in billing/lake.
"""
