"""HTTPS at the edges, for billing: what edges are told of accounts, and what they tell.

Which accounts stand in the file for edges is decided in `edge_accounts`. Counting and charging
never depend on anything here: a request is HTTPS when its connection was.
"""
