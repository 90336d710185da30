-- Answers: puts the last numbers back, moved on.
-- Grain: one row per series.
-- Reads: invoice_series_moved.
INSERT INTO invoice_series BY NAME
SELECT * FROM invoice_series_moved;
