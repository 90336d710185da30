-- What the books say after one run that they did not say after another.
-- billing/reports/diff.py runs them.
-- A run stands at a journal record; the difference is what was posted between two of them.

-- name: run_position
-- At most one row. At which journal record a rating or invoice run stands.
SELECT max(journal_no) AS journal_no
FROM (
    SELECT
        run_id,
        journal_no
    FROM runs
    WHERE state IN ('done', 'released')
    UNION ALL
    SELECT
        run_id,
        journal_no
    FROM invoice_runs
)
WHERE run_id = $run_id
HAVING count(*) > 0;

-- name: diff_charges
-- One row per account × month × item × region × reason × rate card. What charges were posted after one journal
-- record and up to another, by cause.
SELECT
    account_id,
    month,
    item,
    region,
    reason,
    rate_card,
    currency,
    count(DISTINCT period_start) AS hours,
    count(*) FILTER (revision > 0) AS revisions,
    CAST(sum(quantity) AS HUGEINT) AS quantity,
    CAST(sum(billable_quantity) AS HUGEINT) AS billable_quantity,
    CAST(sum(amount) AS HUGEINT) AS amount
FROM charges
WHERE journal_no > $after AND journal_no <= $through
GROUP BY account_id, month, item, region, reason, rate_card, currency
ORDER BY account_id, month, item, region, reason, rate_card;

-- name: diff_documents
-- One row per document. Which documents were issued after one journal record and up to another.
SELECT
    invoice_no,
    kind,
    account_id,
    month,
    currency,
    total,
    reason
FROM invoices
WHERE journal_no > $after AND journal_no <= $through
ORDER BY journal_no, series, number;
