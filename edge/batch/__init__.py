"""The unit of transport: what a batch holds, how it is packed, and when a decoder refuses it.

Identity, limits and signatures are decided here. The nouns `BatchHeader`, `SourcePosition`,
`EventColumns`, `PackedEvents` and `CounterColumns` stand in records.py.
"""
