-- Answers: adds the lines of one journal record's documents.
-- Grain: one row per document × line.
-- Reads: effect_invoice_lines.
INSERT INTO invoice_lines BY NAME
SELECT * FROM effect_invoice_lines;
