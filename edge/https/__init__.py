"""edge.https: what a domain's HTTPS is to be, whether an uploaded certificate may be used, and how
an nginx of this edge is brought to serve exactly that, suspended domains included.

Public nouns (records): HttpsSettings, StoppedName.
"""
