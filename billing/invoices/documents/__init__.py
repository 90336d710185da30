"""documents: one `Invoice` as JSON, CSV, HTML and PDF, pure functions to bytes.

The same invoice gives the same bytes on every run and machine: no clock, no locale, no system
fonts.
"""
