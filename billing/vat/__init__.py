"""vat: which category of VAT a sale between two parties has and why there is none, and what each
profile of e-invoices needs to be said of them. Decisions over what is known of the two as texts by
name, so that whoever issues can ask before there is a document.

Its public nouns: `TaxCategory` (category), `Profile` (profiles).
"""
