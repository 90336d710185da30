"""invoices: the monthly settlement documents, their numbers, tax, cut, corrections and payment.

records   the nouns           numbering, figures   pure rules of text and numbers
settings  seller and terms    readiness            is a month complete for an account?
run       the monthly act     appliers             what a journal record does to the tables
documents json, csv, html, pdf of one `Invoice`, the same bytes on every run
commands  invoice, void, credit note, paid
"""
