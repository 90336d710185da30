-- What a person looks at before a month is issued. `billing.invoices.run.prepare` has just left the month's documents
-- in temp tables (invoice_due, invoice_evidence, invoice_out_*); what was issued before stands beside them.
-- billing/close/checklist.py runs them in this order. Nothing here writes.

-- name: month_documents
-- One row per document that stands for a month after closing it: issued and not void, or about to be issued.
CREATE OR REPLACE TEMP TABLE close_documents AS
WITH void AS (
    SELECT invoice_no
    FROM invoice_events
    GROUP BY invoice_no
    HAVING max_by(status, journal_no) = 'void'
)

SELECT i.invoice_no, i.account_id, i.month, i.currency, i.kind, i.subtotal - i.cut AS net, i.tax, i.total, TRUE AS is_issued
FROM invoices AS i
ANTI JOIN void ON i.invoice_no = void.invoice_no
WHERE i.month IN ($month, $month_before) AND (i.kind = 'invoice' OR i.corrects IS NULL)
UNION ALL BY NAME
SELECT invoice_no, account_id, month, currency, kind, subtotal - cut AS net, tax, total, FALSE AS is_issued
FROM invoice_out_heads;

-- name: hours
-- One row per time zone of accounts: hours with a certificate, and of these the ones that closed without an edge.
SELECT timezone, hours, incomplete_hours
FROM invoice_evidence
ORDER BY timezone;

-- name: lacking
-- One row per account about to be issued that lacks something a document should say of its customer.
SELECT
    account_id,
    trim(address) = '' AS lacks_address,
    trim(email) = '' AS lacks_email,
    trim(tax_id) = '' AS lacks_tax_id,
    trim(country) = '' AS lacks_country
FROM invoice_due
WHERE '' IN (trim(address), trim(email), trim(tax_id), trim(country))
ORDER BY account_id;

-- name: tax_ids
-- One row per account about to be issued that has a tax id.
SELECT account_id, tax_id, country
FROM invoice_due
WHERE trim(tax_id) <> ''
ORDER BY account_id;

-- name: totals
-- One row per currency: what is issued, and what would be.
SELECT
    currency,
    count(*) FILTER (is_issued) AS issued,
    count(*) FILTER (NOT is_issued) AS to_issue,
    CAST(sum(net) AS HUGEINT) AS net,
    CAST(sum(tax) AS HUGEINT) AS tax,
    CAST(sum(total) AS HUGEINT) AS total
FROM close_documents
WHERE month = $month
GROUP BY currency
ORDER BY currency;

-- name: changes
-- One row per account × currency whose documents ask for another sum than last month's, the largest change first. The
-- change of the net is shared out line by line: what more or less usage costs at last month's mean price, what quota
-- and plans paid more or less of it, and the rest, which is price; then what agreements make of it (promotional credit,
-- what is missing to commitments, prices of plans), corrections of earlier months, and tax. The eight add up to the change.
WITH lines AS (
    SELECT invoice_no, item, region, kind, rate_card, quantity, billable_quantity, settled_amount FROM invoice_lines
    UNION ALL
    SELECT invoice_no, item, region, kind, rate_card, quantity, billable_quantity, settled_amount FROM invoice_out_lines
),

causes AS (
    SELECT
        *,
        CASE WHEN kind <> 'usage' THEN 'correction' WHEN contains(rate_card, '/') THEN split_part(rate_card, '/', 1) ELSE 'usage' END
            AS cause
    FROM lines
),

items AS (
    SELECT
        d.account_id,
        d.currency,
        l.item,
        l.region,
        l.cause,
        CAST(coalesce(sum(l.quantity) FILTER (d.month = $month), 0) AS HUGEINT) AS used,
        CAST(coalesce(sum(l.quantity) FILTER (d.month <> $month), 0) AS HUGEINT) AS used_before,
        CAST(coalesce(sum(l.billable_quantity) FILTER (d.month = $month), 0) AS HUGEINT) AS billed,
        CAST(coalesce(sum(l.billable_quantity) FILTER (d.month <> $month), 0) AS HUGEINT) AS billed_before,
        CAST(coalesce(sum(l.settled_amount) FILTER (d.month = $month), 0) AS HUGEINT) AS amount,
        CAST(coalesce(sum(l.settled_amount) FILTER (d.month <> $month), 0) AS HUGEINT) AS amount_before
    FROM close_documents AS d
    INNER JOIN causes AS l ON d.invoice_no = l.invoice_no
    GROUP BY d.account_id, d.currency, l.item, l.region, l.cause
),

parts AS (
    SELECT
        *,
        CASE WHEN used_before = 0 THEN amount - amount_before ELSE amount_before * (used - used_before) // used_before END
            AS by_usage,
        CASE
            WHEN used_before = 0 THEN 0::HUGEINT
            WHEN billed_before = 0 THEN amount - amount_before - by_usage
            ELSE amount_before * (billed * used_before - billed_before * used) // (billed_before * used_before)
        END AS by_plan
    FROM items
),

of_account AS (
    SELECT
        account_id,
        currency,
        CAST(sum(by_usage) FILTER (cause = 'usage') AS HUGEINT) AS by_usage,
        CAST(sum(by_plan) FILTER (cause = 'usage') AS HUGEINT) AS by_plan,
        CAST(sum(amount - amount_before - by_usage - by_plan) FILTER (cause = 'usage') AS HUGEINT) AS by_price,
        CAST(sum(amount - amount_before) FILTER (cause = 'credit') AS HUGEINT) AS by_credit,
        CAST(sum(amount - amount_before) FILTER (cause = 'commitment') AS HUGEINT) AS by_commitment,
        CAST(sum(amount - amount_before) FILTER (cause = 'plan') AS HUGEINT) AS by_plan_price,
        CAST(sum(amount - amount_before) FILTER (cause = 'correction') AS HUGEINT) AS by_correction
    FROM parts
    GROUP BY account_id, currency
),

sums AS (
    SELECT
        account_id,
        currency,
        count(*) FILTER (month <> $month) AS documents_before,
        count(*) FILTER (month = $month) AS documents,
        CAST(coalesce(sum(total) FILTER (month <> $month), 0) AS HUGEINT) AS total_before,
        CAST(coalesce(sum(total) FILTER (month = $month), 0) AS HUGEINT) AS total,
        CAST(coalesce(sum(net) FILTER (month <> $month), 0) AS HUGEINT) AS net_before,
        CAST(coalesce(sum(net) FILTER (month = $month), 0) AS HUGEINT) AS net,
        CAST(coalesce(sum(tax) FILTER (month <> $month), 0) AS HUGEINT) AS tax_before,
        CAST(coalesce(sum(tax) FILTER (month = $month), 0) AS HUGEINT) AS tax
    FROM close_documents
    GROUP BY account_id, currency
)

SELECT
    s.account_id,
    s.currency,
    s.documents_before = 0 AS is_new,
    s.documents = 0 AS is_gone,
    s.total_before,
    s.total,
    s.total - s.total_before AS change,
    coalesce(p.by_usage, 0) AS by_usage,
    coalesce(p.by_plan, 0) AS by_plan,
    coalesce(p.by_price, 0) AS by_price,
    coalesce(p.by_credit, 0) AS by_credit,
    coalesce(p.by_commitment, 0) AS by_commitment,
    coalesce(p.by_plan_price, 0) AS by_plan_price,
    coalesce(p.by_correction, 0) AS by_correction,
    s.tax - s.tax_before AS by_tax,
    CASE
        WHEN s.net_before = 0 THEN 0::HUGEINT
        ELSE s.tax - s.tax_before * s.net // s.net_before
    END AS by_rate_of_tax
FROM sums AS s
LEFT JOIN of_account AS p ON s.account_id = p.account_id AND s.currency = p.currency
WHERE s.total <> s.total_before
ORDER BY abs(s.total - s.total_before) DESC, s.account_id, s.currency;

-- name: was_issued
-- One row: how many invoices stand for a month.
SELECT count(*) AS documents
FROM close_documents
WHERE month = $month AND is_issued;

-- name: held_hours
-- One row: account-hours of the month that no price is in force for, in whatever zone, and whose they are.
SELECT count(*) AS hours, coalesce(list(DISTINCT r.account_id ORDER BY r.account_id), []) AS accounts
FROM rating_held AS r
INNER JOIN accounts AS a ON r.account_id = a.account_id
INNER JOIN invoice_zones AS z ON a.timezone = z.timezone
WHERE r.hour < z.period_end AND r.hour + INTERVAL 1 HOUR > z.period_start;

-- name: steps
-- One row per step that was taken for a month, in order.
SELECT step, happened_at, decided_by, reason, findings, documents, journal_no
FROM close_steps
WHERE month = $month
ORDER BY journal_no;
