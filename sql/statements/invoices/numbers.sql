-- Answers: the number of each invoice of this run, gapless per series, accounts in order.
-- Grain: one row per invoice.
-- Reads: invoice_due, invoice_currencies.
CREATE OR REPLACE TEMP TABLE invoice_numbers AS
WITH numbered AS (
    SELECT
        due.account_id,
        currencies.series,
        currencies.digits,
        currencies.step,
        currencies.last_number
        + row_number() OVER (PARTITION BY due.currency ORDER BY due.account_id) AS number
    FROM invoice_due AS due
    INNER JOIN invoice_currencies AS currencies ON due.currency = currencies.currency
)

SELECT
    account_id,
    series,
    number,
    digits,
    step,
    series || '-' || format('{:06}', number) AS invoice_no
FROM numbered;
