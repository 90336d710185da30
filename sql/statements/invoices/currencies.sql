-- Answers: the series of each currency, its last number, and the minor unit that documents are settled in.
-- Grain: one row per currency.
-- Reads: invoice_series, $currencies, $series, $digits, $steps (10^-10 units in one minor unit).
CREATE OR REPLACE TEMP TABLE invoice_currencies AS
WITH given AS (
    SELECT
        unnest($currencies::VARCHAR[]) AS currency,
        unnest($series::VARCHAR[]) AS series,
        unnest($digits::INTEGER[]) AS digits,
        unnest($steps::HUGEINT[]) AS step
)

SELECT
    given.currency,
    given.series,
    given.digits,
    given.step,
    coalesce(invoice_series.last_number, 0) AS last_number
FROM given
LEFT JOIN invoice_series ON given.series = invoice_series.series;
