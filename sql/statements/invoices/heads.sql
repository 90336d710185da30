-- Answers: the finished heads of this run's invoices, without the hash of their content.
-- Grain: one row per invoice.
-- Reads: invoice_due, invoice_numbers, invoice_totals, invoice_zones, invoice_evidence.
CREATE OR REPLACE TEMP TABLE invoice_heads AS
SELECT
    numbers.invoice_no,
    numbers.series,
    CAST(numbers.number AS BIGINT) AS number,
    'invoice' AS kind,
    due.account_id,
    $month::VARCHAR AS month,
    due.currency,
    numbers.digits,
    $issued_at::TIMESTAMP AS issued_at,
    $due_on::DATE AS due_on,
    zones.period_start,
    zones.period_end,
    due.timezone,
    $seller::VARCHAR AS seller,
    due.name AS customer_name,
    due.address AS customer_address,
    due.country AS customer_country,
    due.tax_id AS customer_tax_id,
    due.email AS customer_email,
    totals.subtotal,
    totals.cut,
    totals.tax,
    CAST(totals.net + totals.tax AS HUGEINT) AS total,
    due.tax_rate_bp,
    evidence.hours,
    evidence.incomplete_hours,
    evidence.certificates,
    evidence.usage_sha256,
    due.corrects,
    CASE WHEN due.corrects IS NULL THEN '' ELSE 'Replaces the void invoice ' || due.corrects END AS reason,
    $run_id::VARCHAR AS run_id
FROM invoice_totals AS totals
INNER JOIN invoice_numbers AS numbers ON totals.invoice_no = numbers.invoice_no
INNER JOIN invoice_due AS due ON numbers.account_id = due.account_id
INNER JOIN invoice_zones AS zones ON due.timezone = zones.timezone
INNER JOIN invoice_evidence AS evidence ON due.timezone = evidence.timezone;
