-- Answers: whether the documents of one journal record leave a gap in a series or use a number twice.
-- Grain: one row per faulty series; none in a sound run.
-- Reads: effect_invoices, invoice_series.
SELECT
    new_numbers.series,
    count(*) AS documents,
    min(new_numbers.number) AS first_number,
    max(new_numbers.number) AS last_number
FROM effect_invoices AS new_numbers
LEFT JOIN invoice_series ON new_numbers.series = invoice_series.series
GROUP BY new_numbers.series, invoice_series.last_number
HAVING
    min(new_numbers.number) <> coalesce(invoice_series.last_number, 0) + 1
    OR max(new_numbers.number) <> coalesce(invoice_series.last_number, 0) + count(DISTINCT new_numbers.number)
    OR count(*) <> count(DISTINCT new_numbers.number);
