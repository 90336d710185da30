-- The one rounding of documents: sums, lines and tax in whole minor units; then what kind each is, and its number.
-- Run by billing/invoices/run.py in this order, after the chapter of lines.
-- `cut_to_units` divides and cuts toward zero; amounts are HUGEINT, 10^-10 currency units. account_no is invoice_due's.

-- name: settle_nets
-- One row per account: the exact sum of its lines, cut toward zero to the minor unit (DOMAIN §6 #24, §9.9; decision
-- 0702).
CREATE OR REPLACE TEMP TABLE invoice_nets AS
SELECT
    lines.account_no,
    currencies.digits,
    currencies.step,
    CAST(sum(lines.amount) AS HUGEINT) AS subtotal,
    cut_to_units(CAST(sum(lines.amount) AS HUGEINT), currencies.step) * currencies.step AS net
FROM invoice_exact_lines AS lines
INNER JOIN invoice_due AS due ON lines.account_no = due.account_no
INNER JOIN invoice_currencies AS currencies
    ON due.currency = currencies.currency AND due.seller_id = currencies.seller_id AND currencies.kind = 'invoice'
GROUP BY lines.account_no, currencies.digits, currencies.step;

-- name: settle_lines
-- One row per account × line: rounded half up to the minor unit, the leftover on the largest one, so that settled
-- amounts add up to the net.
CREATE OR REPLACE TEMP TABLE invoice_settled_lines AS
WITH rounded AS (
    SELECT
        lines.account_no,
        lines.line_no,
        lines.tax_rate_bp,
        abs(lines.amount) AS size,
        nets.net,
        nets.step,
        sign(lines.amount)::HUGEINT * cut_to_units(abs(lines.amount) * 2 + nets.step, 2 * nets.step) * nets.step
            AS settled_amount
    FROM invoice_exact_lines AS lines
    INNER JOIN invoice_nets AS nets ON lines.account_no = nets.account_no
),

levelled AS (
    SELECT
        *,
        CASE
            WHEN row_number() OVER of_account = 1 THEN net - CAST(sum(settled_amount) OVER of_account AS HUGEINT)
            ELSE 0::HUGEINT
        END AS leftover
    FROM rounded
    WINDOW of_account AS (
        PARTITION BY account_no ORDER BY size DESC, line_no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    )
)

SELECT
    account_no,
    line_no,
    tax_rate_bp,
    size,
    step,
    CAST(settled_amount + leftover AS HUGEINT) AS settled_amount,
    CAST(leftover AS HUGEINT) AS leftover
FROM levelled;

-- name: settle_taxes
-- One row per account × rate of tax: the net it is on, and the tax, rounded half up once.
CREATE OR REPLACE TEMP TABLE invoice_taxes AS
WITH nets AS (
    SELECT
        account_no,
        tax_rate_bp,
        any_value(step) AS step,
        CAST(tax_rate_bp * 100 AS HUGEINT) AS millionths,
        CAST(sum(settled_amount) AS HUGEINT) AS net
    FROM invoice_settled_lines
    GROUP BY account_no, tax_rate_bp
)

SELECT
    account_no,
    tax_rate_bp,
    millionths,
    net,
    -- The net is whole minor units.
    sign(net)::HUGEINT * cut_to_units(cut_to_units(abs(net), step) * millionths * 2 + 1000000, 2000000::HUGEINT) * step AS tax
FROM nets;

-- name: settle_line_taxes
-- One row per account × line: its tax, rounded half up, what is left of the rate's tax on the largest of its lines.
CREATE OR REPLACE TEMP TABLE invoice_taxed_lines AS
WITH taxed AS (
    SELECT
        lines.account_no,
        lines.line_no,
        lines.tax_rate_bp,
        lines.settled_amount,
        lines.leftover,
        taxes.tax AS tax_of_rate,
        sign(lines.settled_amount)::HUGEINT
        * cut_to_units(cut_to_units(abs(lines.settled_amount), lines.step) * taxes.millionths * 2 + 1000000, 2000000::HUGEINT)
        * lines.step AS line_tax,
        lines.size
    FROM invoice_settled_lines AS lines
    INNER JOIN invoice_taxes AS taxes
        ON lines.account_no = taxes.account_no AND lines.tax_rate_bp = taxes.tax_rate_bp
)

SELECT
    account_no,
    line_no,
    tax_rate_bp,
    settled_amount,
    leftover,
    CAST(
        line_tax + CASE
            WHEN row_number() OVER of_rate = 1 THEN tax_of_rate - CAST(sum(line_tax) OVER of_rate AS HUGEINT)
            ELSE 0::HUGEINT
        END AS HUGEINT
    ) AS tax
FROM taxed
WINDOW of_rate AS (
    PARTITION BY account_no, tax_rate_bp ORDER BY size DESC, line_no ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
);

-- name: settle_totals
-- One row per account: what its document asks for. Less than nothing makes it a credit note, in that kind's own series
-- (DOMAIN §9; decision 1701). The rate is NULL where lines have several.
CREATE OR REPLACE TEMP TABLE invoice_totals AS
WITH taxes AS (
    SELECT
        account_no,
        CAST(sum(tax) AS HUGEINT) AS tax,
        CASE count(*) WHEN 1 THEN min(tax_rate_bp) END AS tax_rate_bp
    FROM invoice_taxes
    GROUP BY account_no
)

SELECT
    nets.account_no,
    nets.digits,
    nets.subtotal,
    nets.net,
    nets.subtotal - nets.net AS cut,
    taxes.tax,
    taxes.tax_rate_bp,
    nets.net + taxes.tax AS total,
    CASE WHEN nets.net + taxes.tax < 0 THEN 'credit_note' ELSE 'invoice' END AS kind
FROM invoice_nets AS nets
INNER JOIN taxes ON nets.account_no = taxes.account_no;

-- name: numbers
-- One row per document: its number, gapless per series, accounts in order.
CREATE OR REPLACE TEMP TABLE invoice_numbers AS
WITH numbered AS (
    SELECT
        totals.account_no,
        totals.kind,
        currencies.series,
        currencies.last_number
        + row_number() OVER (PARTITION BY currencies.series ORDER BY totals.account_no) AS number
    FROM invoice_totals AS totals
    INNER JOIN invoice_due AS due ON totals.account_no = due.account_no
    INNER JOIN invoice_currencies AS currencies
        ON due.currency = currencies.currency
        AND due.seller_id = currencies.seller_id
        AND totals.kind = currencies.kind
)

SELECT
    account_no,
    kind,
    series,
    number,
    series || '-' || format('{:06}', number) AS invoice_no
FROM numbered;
