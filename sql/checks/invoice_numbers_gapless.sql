-- Numbers of a series run from 1 without gap or reuse, and issue time never falls as they grow (FAULTS I3).
-- Grain: one row per number that follows wrongly.
-- Reads: invoices, invoice_series.
-- Read by: billing/checks/invariants.py.
WITH placed AS (
    SELECT
        invoice_no,
        series,
        number,
        issued_at,
        row_number() OVER (PARTITION BY series ORDER BY number, journal_no) AS place,
        lag(issued_at) OVER (PARTITION BY series ORDER BY number) AS issued_before
    FROM invoices
    WHERE series IN (SELECT i.series FROM invoices AS i WHERE i.journal_no > $after)
)

SELECT placed.invoice_no, placed.number, placed.place, placed.issued_at, placed.issued_before
FROM placed
WHERE placed.number <> placed.place OR placed.issued_at < placed.issued_before
UNION ALL
SELECT s.series, s.last_number, count(i.number), NULL, NULL
FROM invoice_series AS s
LEFT JOIN invoices AS i ON s.series = i.series
GROUP BY s.series, s.last_number
HAVING count(i.number) <> s.last_number;
