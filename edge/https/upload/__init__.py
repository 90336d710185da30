"""edge.https.upload: whether an uploaded certificate and key may serve a domain, and why not: pure
rules, each with an id; which names a certificate covers.

Public nouns (records): UploadFinding, TlsCertificate, Bundle, Judgement.
"""
