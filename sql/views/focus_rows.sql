-- What stands behind the view focus: charges split by who pays, promotional credit and what is sold, and each document's tax, cut and credit.
-- Grain: one row per charge × who pays (money, a plan, nobody), and per document × tax, cut, credit that it has.
-- Owner: billing/invoices.
-- Reads: charges, invoices, lake_invoice_corrections. billing_month: of the invoice it is or will be on.
-- Read by: people (edgetoll sql), sql/views/focus.sql.
CREATE VIEW focus_rows AS
WITH standing AS (
    -- A void invoice and the credit notes that took it back are nothing together.
    SELECT i.*
    FROM invoices AS i
    ANTI JOIN invoices AS v
        ON v.status = 'void'
        AND (v.invoice_no = i.invoice_no OR (v.invoice_no = i.corrects AND i.kind = 'credit_note'))
),

next_months AS (
    SELECT
        s.account_id,
        strftime(CAST(max(s.month) || '-01' AS DATE) + INTERVAL 1 MONTH, '%Y-%m') AS month
    FROM standing AS s
    GROUP BY s.account_id
),

-- Read three times below: kept, it would be all charges at once.
placed AS NOT MATERIALIZED (
    SELECT
        c.*,
        coalesce(carried.invoice_no, CASE WHEN c.journal_no < own.journal_no THEN own.invoice_no END) AS invoice_no,
        own.invoice_no IS NOT NULL AND c.journal_no > own.journal_no AS is_correction,
        CASE
            WHEN carried.invoice_no IS NOT NULL THEN carried.month
            WHEN own.invoice_no IS NOT NULL AND c.journal_no > own.journal_no THEN n.month
            ELSE c.month
        END AS billing_month
    FROM charges AS c
    LEFT JOIN standing AS own
        ON c.account_id = own.account_id AND c.month = own.month
        AND (own.kind = 'invoice' OR own.corrects IS NULL)
    LEFT JOIN (
        SELECT k.charge_id, k.invoice_no, s.month
        FROM lake_invoice_corrections AS k INNER JOIN standing AS s ON k.invoice_no = s.invoice_no
    ) AS carried ON c.charge_id = carried.charge_id
    LEFT JOIN next_months AS n ON c.account_id = n.account_id
),

split AS (
    SELECT
        p.*, CASE WHEN p.rate_card LIKE 'credit/%' THEN NULL ELSE 'Standard' END AS category,
        CASE WHEN NOT contains(p.rate_card, '/') THEN billable_quantity END AS part, amount AS cost
    FROM placed AS p
    UNION ALL
    SELECT p.*, 'Committed', plan_quantity, 0 FROM placed AS p WHERE plan_quantity <> 0
    UNION ALL
    SELECT p.*, 'Other', free_quantity, 0 FROM placed AS p WHERE free_quantity <> 0
)

SELECT
    s.account_id, s.currency, s.invoice_no, s.billing_month, s.period_start, s.period_end, s.item, s.region, s.rate_card,
    CASE split_part(s.rate_card, '/', 1)
        WHEN 'credit' THEN 'Credit' WHEN 'plan' THEN 'Purchase' WHEN 'commitment' THEN 'Purchase' ELSE 'Usage'
    END AS charge_category,
    CASE WHEN contains(s.rate_card, '/') THEN 'One-Time' ELSE 'Usage-Based' END AS frequency,
    s.category, s.is_correction, s.part, s.cost,
    CASE split_part(s.rate_card, '/', 1)
        WHEN 'credit' THEN 'promotional credit ' || split_part(s.rate_card, '/', 2) || ' on ' || s.item
        WHEN 'plan' THEN 'plan ' || split_part(s.rate_card, '/', 2)
        WHEN 'commitment' THEN 'missing to commitment ' || split_part(s.rate_card, '/', 2)
        ELSE s.item
    END || CASE s.category WHEN 'Committed' THEN ' paid by a plan' WHEN 'Other' THEN ' free of charge' ELSE '' END
        || CASE WHEN s.revision > 0 AND s.reason <> 'promotional credit' THEN ', revision ' || s.revision || ': ' || s.reason ELSE '' END AS description,
    s.charge_id, s.revision
FROM split AS s
UNION ALL
SELECT
    i.account_id, i.currency, i.invoice_no, i.month AS billing_month, i.period_start, i.period_end, NULL, NULL, NULL,
    e.category, 'One-Time', NULL, i.corrects IS NOT NULL AND i.kind = 'credit_note', NULL, e.cost,
    e.description || ' of ' || i.invoice_no, NULL, NULL
FROM standing AS i
CROSS JOIN LATERAL (VALUES
    ('Tax', i.tax, 'tax'),
    ('Adjustment', CAST(-i.cut AS DECIMAL(38, 10)), 'cut to the minor unit'),
    ('Credit', CASE WHEN i.kind = 'credit_note' AND i.corrects IS NOT NULL THEN i.subtotal ELSE 0 END, 'credit: ' || coalesce(i.reason, ''))
) AS e(category, cost, description)
WHERE e.cost <> 0
