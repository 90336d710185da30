-- Answers: empties the last numbers, to be put back moved on (in the same transaction).
-- Grain: one row per series.
-- Reads: invoice_series.
DELETE FROM invoice_series;
