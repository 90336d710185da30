"""einvoice: a document as EN 16931 has it, in UBL 2.1 and in CII (D16B), for Peppol and XRechnung
too. Made from the same record as the PDF; nothing is reckoned anew but what the standard asks for.

Its public nouns stand in `content`: `EInvoice` and its parts, in the standard's terms (BT-1 …).
"""
