"""What the command line says and asks: words, options and tables of the verbs; nothing is decided.

Each module is mounted by `billing/cli.py` or the front door and calls the wing that decides.
"""
