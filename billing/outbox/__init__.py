"""Telling others: webhooks, mail, a file of events, and the list of stopped domains for edges."""
