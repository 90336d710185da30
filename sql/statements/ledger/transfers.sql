-- Posting transfers, one journal record at a time. Run by billing/ledger/transfers.py inside the
-- open transaction of the record; amounts are HUGEINT, 10^-10 currency units.

-- name: inline_transfers
-- One row per transfer that stands inside a journal record, typed: JSON numbers would be doubles.
CREATE OR REPLACE TEMP TABLE new_transfers AS
SELECT
    t.transfer_id,
    t.debit_account,
    t.credit_account,
    CAST(t.amount AS HUGEINT) AS amount,
    t.currency,
    t.code,
    t.account_id,
    CAST(t.effective_at AS TIMESTAMP) AS effective_at,
    t.reference
FROM (
    SELECT unnest(from_json(
        CAST($transfers AS JSON),
        '[{"transfer_id":"VARCHAR","debit_account":"VARCHAR","credit_account":"VARCHAR",'
        || '"amount":"VARCHAR","currency":"VARCHAR","code":"VARCHAR","account_id":"VARCHAR",'
        || '"effective_at":"VARCHAR","reference":"VARCHAR"}]'
    )) AS t
);

-- name: wrong_transfers
-- The first ten new transfers that may not be posted, and why (FAULTS G23, G26, L6); none in a
-- sound run.
SELECT
    n.transfer_id AS name,
    CASE
        WHEN n.amount <= 0 THEN 'its amount is not positive'
        WHEN n.amount >= 79228162514264337593543950336 THEN 'its amount is beyond 2^96'
        WHEN n.debit_account = n.credit_account THEN 'it debits and credits the same account'
        WHEN a.account_id IS NULL THEN 'its account is not known'
        ELSE 'its currency is not that of its account'
    END AS problem
FROM new_transfers AS n
LEFT JOIN accounts AS a ON n.account_id = a.account_id
WHERE
    n.amount <= 0
    OR n.amount >= 79228162514264337593543950336
    OR n.debit_account = n.credit_account
    OR a.account_id IS NULL
    OR a.currency <> n.currency
LIMIT 10;

-- name: repeated_transfers
-- The first ten ids of new transfers that are taken, by an earlier record or inside this one.
-- Charges, nearly all of a ledger, are searched only for ids in their form.
SELECT n.transfer_id AS name, 'is used already' AS problem
FROM new_transfers AS n
INNER JOIN posted_transfers AS p ON n.transfer_id = p.transfer_id
UNION ALL
SELECT n.transfer_id AS name, 'is used already' AS problem
FROM new_transfers AS n
INNER JOIN charges AS c ON n.transfer_id = c.charge_id
WHERE n.transfer_id LIKE 'charge:%'
UNION ALL
SELECT transfer_id AS name, 'stands twice in one record' AS problem
FROM new_transfers
GROUP BY transfer_id
HAVING count(*) > 1
LIMIT 10;

-- name: insert_transfers
-- One row per transfer of the record.
INSERT INTO posted_transfers
SELECT
    transfer_id,
    debit_account,
    credit_account,
    CAST(amount AS HUGEINT) AS amount,
    currency,
    code,
    account_id,
    effective_at,
    CAST($recorded_at AS TIMESTAMP) AS recorded_at,
    CAST($journal_no AS BIGINT) AS journal_no,
    reference
FROM new_transfers;

-- name: moved_balances
-- One row per account and currency that the new transfers move, and by how much.
CREATE OR REPLACE TEMP TABLE moved_balances AS
WITH sides AS (
    SELECT
        account_id,
        currency,
        CAST(amount AS HUGEINT) AS amount,
        'customer:' || account_id || ':funds' AS funds,
        'customer:' || account_id || ':voucher' AS voucher,
        debit_account,
        credit_account,
        CASE
            WHEN debit_account = 'customer:' || account_id || ':funds' THEN credit_account
            ELSE debit_account
        END AS counter_account
    FROM new_transfers
),

changes AS (
    SELECT
        account_id,
        currency,
        CASE
            WHEN credit_account = funds THEN amount
            WHEN debit_account = funds THEN -amount
            ELSE 0
        END AS funds_change,
        CASE
            WHEN credit_account = voucher THEN amount
            WHEN debit_account = voucher THEN -amount
            ELSE 0
        END AS voucher_change,
        split_part(counter_account, ':', 1) IN ('revenue', 'tax', 'cut') AS is_charge
    FROM sides
)

SELECT
    account_id,
    currency,
    CAST(coalesce(sum(funds_change) FILTER (NOT is_charge), 0) AS HUGEINT) AS cash,
    CAST(sum(voucher_change) AS HUGEINT) AS vouchers,
    CAST(coalesce(-sum(funds_change) FILTER (is_charge), 0) AS HUGEINT) AS charged
FROM changes
GROUP BY account_id, currency;

-- name: charged_balances
-- One row per account and currency that the charges of a record move, and by how much: a charge
-- moves nothing but what was charged, so its transfers need not be made first.
CREATE OR REPLACE TEMP TABLE moved_balances AS
SELECT
    a.account_id,
    m.currency,
    CAST(0 AS HUGEINT) AS cash,
    CAST(0 AS HUGEINT) AS vouchers,
    m.charged,
    m.greatest,
    m.account_no
FROM (
    SELECT
        account_no,
        currency,
        CAST(sum(amount) AS HUGEINT) AS charged,
        greatest(CAST(max(amount) AS HUGEINT), -CAST(min(amount) AS HUGEINT)) AS greatest
    FROM charges_at_hand
    GROUP BY account_no, currency
) AS m
INNER JOIN month_accounts AS a ON m.account_no = a.account_no;

-- name: wrong_charges
-- The first ten accounts whose new charges may not be posted, and why (FAULTS G23, G26, L6).
SELECT
    m.account_id AS name,
    CASE
        WHEN a.account_id IS NULL THEN 'the account is not known'
        WHEN a.currency <> m.currency THEN 'their currency is not that of the account'
        ELSE 'an amount is beyond 2^96'
    END AS problem
FROM moved_balances AS m
LEFT JOIN accounts AS a ON m.account_id = a.account_id
WHERE
    a.account_id IS NULL
    OR a.currency <> m.currency
    OR m.greatest >= 79228162514264337593543950336
LIMIT 10;

-- name: add_missing_balances
-- One row of zeros per account and currency that moves for the first time.
INSERT INTO balances
SELECT
    m.account_id,
    m.currency,
    0,
    0,
    0
FROM moved_balances AS m
ANTI JOIN balances AS b ON m.account_id = b.account_id AND m.currency = b.currency;

-- name: move_balances
-- One row per account and currency that moves: the kept sums go on by one record's transfers.
UPDATE balances SET
    cash = balances.cash + m.cash,
    vouchers = balances.vouchers + m.vouchers,
    charged = balances.charged + m.charged
FROM moved_balances AS m
WHERE balances.account_id = m.account_id AND balances.currency = m.currency;

-- name: ledger_digests
-- One row per account, currency and code: a digest over its transfers by id. recorded_at and
-- journal_no are left out, since the same money reached through other runs is the same ledger.
SELECT
    account_id,
    currency,
    code,
    sha256(string_agg(
        transfer_id || '|' || debit_account || '|' || credit_account || '|' || CAST(amount AS VARCHAR)
        || '|' || strftime(effective_at, '%Y-%m-%dT%H:%M:%S') || '|' || reference,
        chr(10) ORDER BY transfer_id
    )) AS digest
FROM transfers
GROUP BY account_id, currency, code
ORDER BY account_id, currency, code;
