"""documents: how an invoice looks as JSON, CSV, HTML and PDF, and that a file of it is whole, right
and never replaces another issue. The same invoice gives the same bytes on every run and machine:
no clock, no locale, no system fonts.

Its public nouns: `Rendered` (rendering), `Page` (page), `FilesWritten` (files).
"""
