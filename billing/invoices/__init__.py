"""invoices: who gets a settlement document when, what stands on it in whole minor units, and which
of them the customer's money has reached. An issued document never changes: what corrects it is
another document.

Its public nouns stand in `records`: `Invoice`, `InvoiceLine`, `DetailRow`, `Evidence`, `Party`.
Acts: `run` (issue a month), `crediting` (void, credit note), `payments` (paid); `documents` writes
them as JSON, CSV, HTML and PDF.
"""
