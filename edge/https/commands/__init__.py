"""The commands of `edgetoll edge https`: what people type, and what tables and JSON they get.

Nothing is decided here: uploads are judged in `edge.https.upload`, what is served in
`edge.https.apply`, what to say of a domain's owner in `edge.https.owners`.
"""
