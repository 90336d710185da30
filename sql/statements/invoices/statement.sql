-- What moved on an account, and the ledger as people read it.
-- billing/reports/statement.py and billing/reports/ledger.py run them.
-- Money is HUGEINT, 10^-10 currency units.

-- name: account_head
-- One row, none if there is no such account. Name, currency and time zone of one account, what it says of language and
-- seller, and its country.
SELECT
    name,
    currency,
    timezone,
    coalesce(details ->> '$.language', '') AS language,
    coalesce(details ->> '$.seller', '') AS seller_id,
    country
FROM accounts
WHERE account_id = $account_id;

-- name: account_ids
-- One row per account.
SELECT account_id
FROM accounts
ORDER BY account_id;

-- name: opening_balance
-- One row. What the customer had just before $start_at: what came in less what was charged. What is charged for a period
-- belongs to it: the hour that ends at $start_at is before it.
SELECT CAST(coalesce(sum(
    CASE
        WHEN credit_account IN ('customer:' || $account_id || ':funds', 'customer:' || $account_id || ':voucher')
            THEN amount
        ELSE 0
    END
    - CASE
        WHEN debit_account IN ('customer:' || $account_id || ':funds', 'customer:' || $account_id || ':voucher')
            THEN amount
        ELSE 0
    END
), 0) AS HUGEINT) AS balance
FROM transfers
WHERE
    account_id = $account_id
    AND currency = $currency
    AND (
        effective_at < $start_at::TIMESTAMP
        OR (effective_at = $start_at::TIMESTAMP AND code IN ('charge', 'correction'))
    );

-- name: statement_moves
-- One row per day and item of charges, per day and promotional credit, one per other transfer; what the customer pays is
-- negative. What moved on one account on these local days (half open, UTC): charges by day and item, the rest one by one. A
-- charge is of the day that its period ends with, midnight included.
WITH days AS (
    SELECT
        unnest($days::DATE[]) AS day,
        unnest($starts::TIMESTAMP[]) AS day_start,
        unnest($ends::TIMESTAMP[]) AS day_end
),

placed AS (
    SELECT
        * REPLACE (
            CASE WHEN code IN ('charge', 'correction') THEN effective_at - INTERVAL 1 MICROSECOND ELSE effective_at END
            AS effective_at
        )
    FROM transfers
    WHERE account_id = $account_id AND currency = $currency
),

sides AS (
    SELECT
        days.day,
        effective_at,
        journal_no,
        transfer_id,
        code,
        CASE
            WHEN split_part(debit_account, ':', 1) = 'revenue' THEN split_part(debit_account, ':', 2)
            WHEN split_part(credit_account, ':', 1) = 'revenue' THEN split_part(credit_account, ':', 2)
        END AS item,
        CASE
            WHEN credit_account IN ('customer:' || $account_id || ':funds', 'customer:' || $account_id || ':voucher')
                THEN amount
            ELSE 0
        END
        - CASE
            WHEN debit_account IN ('customer:' || $account_id || ':funds', 'customer:' || $account_id || ':voucher')
                THEN amount
            ELSE 0
        END AS amount
    FROM placed
    INNER JOIN days ON effective_at >= days.day_start AND effective_at < days.day_end
),

rows_shown AS (
    SELECT
        day,
        CASE
            WHEN item IS NOT NULL AND code NOT IN ('credit_note', 'promotional_credit') THEN 'charge ' || item
            ELSE code
        END AS what,
        CASE
            WHEN code = 'promotional_credit' OR (item IS NOT NULL AND code <> 'credit_note')
                THEN replace(regexp_extract(transfer_id, ':((credit|plan|commitment)/[^:]+):r', 1), '/', ':')
            ELSE transfer_id
        END AS reference,
        CAST(sum(amount) AS HUGEINT) AS amount,
        min(effective_at) AS first_at,
        min(journal_no) AS first_no
    FROM sides
    GROUP BY day, what, reference
)

SELECT
    day,
    what,
    reference,
    amount
FROM rows_shown
ORDER BY day, first_at, first_no, what, reference;

-- name: ledger_accounts
-- One row per ledger account and currency. Debits, credits and balance of every ledger account, or of one
-- customer's.
WITH entries AS (
    SELECT debit_account AS ledger_account, account_id, currency, amount AS debit, 0 AS credit
    FROM transfers
    UNION ALL
    SELECT credit_account AS ledger_account, account_id, currency, 0 AS debit, amount AS credit
    FROM transfers
)

SELECT
    ledger_account,
    currency,
    CAST(sum(debit) AS HUGEINT) AS debits,
    CAST(sum(credit) AS HUGEINT) AS credits,
    count(*) AS entries
FROM entries
WHERE $account_id IS NULL OR account_id = $account_id
GROUP BY ledger_account, currency
ORDER BY ledger_account, currency;

-- name: ledger_transfers
-- One row per transfer. The latest transfers of one account, newest first, at most $limit.
SELECT
    effective_at,
    transfer_id,
    code,
    debit_account,
    credit_account,
    amount,
    currency,
    reference,
    journal_no
FROM transfers
WHERE account_id = $account_id
ORDER BY effective_at DESC, journal_no DESC, transfer_id DESC
LIMIT $limit;
