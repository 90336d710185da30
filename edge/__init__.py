"""edge: turns what an edge server saw into per-request events and never loses one it accepted."""
