-- Every charge is in the ledger with its amount, and nothing else is there under the name of a charge.
-- Grain: one row per charge or transfer that does not match.
-- Reads: charges, transfers.
-- Read by: billing/checks/invariants.py.
WITH posted AS (
    SELECT
        transfer_id,
        account_id,
        currency,
        CASE WHEN split_part(credit_account, ':', 1) = 'revenue' THEN amount ELSE -amount END
            AS amount
    FROM transfers
    WHERE journal_no > $after AND code IN ('charge', 'correction')
),

charged AS (
    SELECT charge_id, account_id, currency, amount
    FROM charges
    WHERE journal_no > $after AND amount <> 0
)

SELECT
    coalesce(c.charge_id, p.transfer_id) AS charge_id,
    c.amount AS charged,
    p.amount AS posted
FROM charged AS c
FULL JOIN posted AS p
    ON c.charge_id = p.transfer_id AND c.account_id = p.account_id AND c.currency = p.currency
WHERE c.amount IS DISTINCT FROM p.amount;
