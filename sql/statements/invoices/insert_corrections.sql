-- Answers: notes which late charges one journal record's documents carry.
-- Grain: one row per charge.
-- Reads: effect_invoice_corrections.
INSERT INTO invoice_corrections BY NAME
SELECT * FROM effect_invoice_corrections;
