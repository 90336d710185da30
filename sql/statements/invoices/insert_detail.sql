-- Answers: adds the appendices of one journal record's documents.
-- Grain: one row per document × day × domain × class × region.
-- Reads: effect_invoice_detail.
INSERT INTO invoice_detail BY NAME
SELECT * FROM effect_invoice_detail;
