-- A record of kind `load` enters the tables. What changes the past of an account leaves a mark: rating
-- looks again from there. effect_* are the record's own rows.
-- Accounts first, then the methods and plans that belong to them.

-- name: insert_account_versions
-- One row per version of the record.
INSERT INTO account_versions BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM effect_account_versions;

-- name: mark_account_versions
-- One mark per account whose prices or zone a version changes in the past.
INSERT INTO replay_marks BY NAME
SELECT
    e.account_id,
    min(e.effective_from) AS from_bucket,
    'account terms changed' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_account_versions AS e
INNER JOIN account_versions AS v ON e.account_id = v.account_id AND v.effective_from < e.effective_from
WHERE
    e.effective_from < CAST($now AS TIMESTAMP)
    AND (e.price_book <> v.price_book OR e.timezone <> v.timezone)
GROUP BY e.account_id;

-- name: insert_first_methods
-- One row per new account: the basic method it begins with.
INSERT INTO account_methods BY NAME
SELECT e.account_id, e.billing_method AS method, e.effective_from
FROM effect_account_versions AS e
ANTI JOIN account_methods AS m ON e.account_id = m.account_id
QUALIFY row_number() OVER (PARTITION BY e.account_id ORDER BY e.effective_from) = 1;

-- name: due_account_versions
-- One row: how many versions in force at $now `accounts` does not show yet.
SELECT count(*) AS versions
FROM account_versions AS v
LEFT JOIN accounts AS a ON v.account_id = a.account_id
WHERE
    a.account_id IS NULL
    OR (v.effective_from > a.effective_from AND v.effective_from <= CAST($now AS TIMESTAMP));

-- name: clear_accounts
-- Before `accounts` is filled again.
DELETE FROM accounts;

-- name: fill_accounts
-- One row per account: its version in force at $now, or its first if that begins later.
INSERT INTO accounts BY NAME
SELECT * EXCLUDE (journal_no)
FROM account_versions
QUALIFY row_number() OVER (
    PARTITION BY account_id
    ORDER BY
        (effective_from <= CAST($now AS TIMESTAMP)) DESC,
        CASE WHEN effective_from <= CAST($now AS TIMESTAMP) THEN effective_from END DESC,
        effective_from,
        journal_no DESC
) = 1;

-- name: insert_methods
-- One row per change of method.
INSERT INTO account_methods BY NAME
SELECT account_id, method, effective_from FROM effect_methods;

-- name: mark_methods
-- One mark per account with a change of method in the past.
INSERT INTO replay_marks BY NAME
SELECT
    account_id,
    min(effective_from) AS from_bucket,
    'method changed' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_methods
WHERE effective_from < CAST($now AS TIMESTAMP)
GROUP BY account_id;

-- name: insert_plans
-- One row per plan.
INSERT INTO plans BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM effect_plans;

-- name: mark_plans
-- One mark per account with a plan in the past; a plan covers the whole hour it begins in.
INSERT INTO replay_marks BY NAME
SELECT
    account_id,
    min(date_trunc('hour', starts_at)) AS from_bucket,
    'plan back-dated' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_plans
WHERE starts_at < CAST($now AS TIMESTAMP)
GROUP BY account_id;
