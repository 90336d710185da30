-- Answers: subtotal, cut, tax and total of each invoice (DOMAIN §6 #24, §9.9; decision 0702).
-- Grain: one row per invoice.
-- Reads: invoice_exact_lines, invoice_numbers, invoice_due. // cuts toward zero, as billing.money.cut_to_minor.
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
