-- Answers: the last number of each series after the documents of one journal record.
-- Grain: one row per series.
-- Reads: effect_invoices, invoice_series.
CREATE OR REPLACE TEMP TABLE invoice_series_moved AS
SELECT
    series,
    max(number) AS last_number
FROM (
    SELECT
        series,
        last_number AS number
    FROM invoice_series
    UNION ALL
    SELECT
        series,
        number
    FROM effect_invoices
)
GROUP BY series
ORDER BY series;
