-- The one rounding of documents: sums and lines in whole minor units, and the finished documents.
-- Run by billing/invoices/run.py in this order, after the chapter of lines.
-- `//` cuts toward zero; amounts are HUGEINT, 10^-10 currency units.

-- name: settle_totals
-- One row per invoice. Subtotal, cut, tax and total of each invoice (DOMAIN §6 #24, §9.9; decision 0702). // cuts
-- toward zero, as billing.money.cut_to_minor.
CREATE OR REPLACE TEMP TABLE invoice_totals AS
WITH sums AS (
    SELECT
        invoice_no,
        CAST(sum(amount) AS HUGEINT) AS subtotal
    FROM invoice_exact_lines
    GROUP BY invoice_no
),

nets AS (
    SELECT
        sums.invoice_no,
        sums.subtotal,
        sums.subtotal // numbers.step * numbers.step AS net,
        numbers.step,
        CAST(due.tax_rate_bp AS HUGEINT) AS tax_rate_bp
    FROM sums
    INNER JOIN invoice_numbers AS numbers ON sums.invoice_no = numbers.invoice_no
    INNER JOIN invoice_due AS due ON numbers.account_id = due.account_id
)

SELECT
    invoice_no,
    subtotal,
    net,
    subtotal - net AS cut,
    sign(net)::HUGEINT * ((abs(net) * tax_rate_bp * 2 + 10000 * step) // (20000 * step)) * step AS tax,
    step,
    tax_rate_bp
FROM nets;

-- name: settle_lines
-- One row per invoice × line; settled amounts add up to the net, taxes to the tax, exactly. Each line rounded half
-- up to the minor unit, the leftover on the largest one, taxes likewise.
CREATE OR REPLACE TEMP TABLE invoice_settled_lines AS
WITH rounded AS (
    SELECT
        lines.invoice_no,
        lines.line_no,
        totals.net,
        totals.tax AS tax_of_invoice,
        totals.step,
        totals.tax_rate_bp,
        sign(lines.amount)::HUGEINT * ((abs(lines.amount) * 2 + totals.step) // (2 * totals.step)) * totals.step
            AS settled_amount,
        row_number() OVER (
            PARTITION BY lines.invoice_no ORDER BY abs(lines.amount) DESC, lines.line_no
        ) = 1 AS takes_leftover
    FROM invoice_exact_lines AS lines
    INNER JOIN invoice_totals AS totals ON lines.invoice_no = totals.invoice_no
),

levelled AS (
    SELECT
        *,
        CASE
            WHEN takes_leftover
                THEN net - CAST(sum(settled_amount) OVER (PARTITION BY invoice_no) AS HUGEINT)
            ELSE 0::HUGEINT
        END AS leftover
    FROM rounded
),

taxed AS (
    SELECT
        *,
        sign(settled_amount + leftover)::HUGEINT
        * ((abs(settled_amount + leftover) * tax_rate_bp * 2 + 10000 * step) // (20000 * step)) * step AS line_tax
    FROM levelled
)

SELECT
    invoice_no,
    line_no,
    CAST(settled_amount + leftover AS HUGEINT) AS settled_amount,
    CAST(leftover AS HUGEINT) AS leftover,
    CAST(
        line_tax + CASE
            WHEN takes_leftover THEN tax_of_invoice - CAST(sum(line_tax) OVER (PARTITION BY invoice_no) AS HUGEINT)
            ELSE 0::HUGEINT
        END AS HUGEINT
    ) AS tax
FROM taxed;

-- name: out_lines
-- One row per invoice × line. The finished lines, as the journal keeps them.
CREATE OR REPLACE TEMP TABLE invoice_out_lines AS
SELECT
    lines.invoice_no,
    lines.line_no,
    lines.kind,
    lines.item,
    lines.region,
    NULL::VARCHAR AS domain,
    lines.quantity,
    lines.free_quantity,
    lines.plan_quantity,
    lines.billable_quantity,
    lines.unit,
    lines.unit_quantity,
    lines.unit_price,
    lines.amount,
    settled.settled_amount,
    settled.leftover,
    CAST(totals.tax_rate_bp AS INTEGER) AS tax_rate_bp,
    settled.tax,
    lines.rate_card,
    lines.tier,
    lines.corrects_invoice,
    lines.corrects_hour,
    lines.reason
FROM invoice_exact_lines AS lines
INNER JOIN invoice_settled_lines AS settled USING (invoice_no, line_no)
INNER JOIN invoice_totals AS totals USING (invoice_no)
ORDER BY lines.invoice_no, lines.line_no;
