-- Answers: the last number given in a series.
-- Grain: one row; 0 when the series has not begun.
-- Reads: invoice_series.
SELECT coalesce(max(last_number), 0) AS last_number
FROM invoice_series
WHERE series = $series;
