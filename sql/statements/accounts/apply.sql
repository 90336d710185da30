-- A record of kind `load` enters the tables. What changes the past of an account leaves a mark: rating
-- looks again from there. effect_* are the record's own rows.
-- Accounts first, then the methods and plans that belong to them.

-- name: insert_account_versions
-- One row per version of the record.
INSERT INTO account_versions BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM effect_account_versions;

-- name: number_accounts
-- A number for each account that has none: months so far and rating go by it.
INSERT INTO month_accounts
SELECT
    (SELECT coalesce(max(account_no), 0) FROM month_accounts)
    + row_number() OVER (ORDER BY account_id),
    account_id
FROM (
    SELECT DISTINCT e.account_id
    FROM effect_account_versions AS e
    ANTI JOIN month_accounts AS a ON e.account_id = a.account_id
);

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

-- name: mark_openings
-- One mark per new account that was open before now: its fixed fees may be due (DOMAIN §10.14).
INSERT INTO replay_marks BY NAME
SELECT
    e.account_id,
    min(e.opened_at) AS from_bucket,
    'account opened' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_account_versions AS e
WHERE
    e.opened_at < CAST($now AS TIMESTAMP)
    AND NOT EXISTS (
        SELECT 1 FROM account_versions AS v
        WHERE v.account_id = e.account_id AND v.journal_no < $journal_no
    )
GROUP BY e.account_id;

-- name: mark_dates
-- One mark per account whose opening or closing is another: from the earlier of both.
INSERT INTO replay_marks BY NAME
SELECT
    e.account_id,
    min(least(
        CASE WHEN v.opened_at = e.opened_at THEN NULL ELSE least(v.opened_at, e.opened_at) END,
        CASE
            WHEN v.closed_at IS NOT DISTINCT FROM e.closed_at THEN NULL
            ELSE least(v.closed_at, e.closed_at)
        END
    )) AS from_bucket,
    'account opened or closed otherwise' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_account_dates AS e
INNER JOIN account_versions AS v ON e.account_id = v.account_id
GROUP BY e.account_id;

-- name: move_dates
-- Every version of an account has its opening and its closing.
UPDATE account_versions SET opened_at = e.opened_at, closed_at = e.closed_at
FROM effect_account_dates AS e
WHERE account_versions.account_id = e.account_id;

-- name: note_replaced
-- One row per fact that another stands in for.
INSERT INTO replaced_facts BY NAME
SELECT kind, fact_id, replaced_by, why, CAST($journal_no AS BIGINT) AS journal_no
FROM effect_replaced;

-- name: mark_replaced_plans
-- One mark per account with a plan that is put right, from the start it had.
INSERT INTO replay_marks BY NAME
SELECT
    p.account_id,
    min(date_trunc('hour', p.starts_at)) AS from_bucket,
    'plan put right' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_replaced AS e
INNER JOIN plans AS p ON e.kind = 'plan' AND e.fact_id = p.plan_id
GROUP BY p.account_id;

-- name: drop_replaced_plans
-- What stands in for them comes with the same record.
DELETE FROM plans
WHERE plan_id IN (SELECT fact_id FROM effect_replaced WHERE kind = 'plan');

-- name: insert_first_methods
-- One row per new account: the basic method it begins with.
INSERT INTO account_methods BY NAME
SELECT e.account_id, e.billing_method AS method, e.effective_from
FROM effect_account_versions AS e
ANTI JOIN account_methods AS m ON e.account_id = m.account_id
QUALIFY row_number() OVER (PARTITION BY e.account_id ORDER BY e.effective_from) = 1;

-- name: count_versions
-- One row: how many versions there are, and how many accounts, each of which has one at least.
SELECT
    (SELECT count(*) FROM account_versions) AS versions,
    (SELECT count(*) FROM accounts) AS accounts;

-- name: due_account_versions
-- One row: how many versions in force at $now `accounts` does not show yet.
SELECT count(*) AS versions
FROM account_versions AS v
LEFT JOIN accounts AS a ON v.account_id = a.account_id
WHERE
    a.account_id IS NULL
    OR (v.effective_from > a.effective_from AND v.effective_from <= CAST($now AS TIMESTAMP));

-- name: accounts_due
-- One row per account that `accounts` shows otherwise: its version in force at $now, or its first if
-- that begins later.
CREATE OR REPLACE TEMP TABLE accounts_due AS
(
    SELECT * EXCLUDE (journal_no)
    FROM account_versions
    QUALIFY row_number() OVER (
        PARTITION BY account_id
        ORDER BY
            (effective_from <= CAST($now AS TIMESTAMP)) DESC,
            CASE WHEN effective_from <= CAST($now AS TIMESTAMP) THEN effective_from END DESC,
            effective_from,
            journal_no DESC
    ) = 1
)
EXCEPT
SELECT * EXCLUDE (journal_no) FROM accounts;

-- name: drop_changed_accounts
-- Before what is due comes in.
DELETE FROM accounts WHERE account_id IN (SELECT account_id FROM accounts_due);

-- name: insert_changed_accounts
-- One row per account that changed, and the record that looked.
INSERT INTO accounts BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM accounts_due;

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

-- name: mark_replaced_agreements
-- One mark per account with a credit or a commitment that is put right, from the start it had.
INSERT INTO replay_marks BY NAME
SELECT
    p.account_id,
    min(date_trunc('hour', p.starts_at)) AS from_bucket,
    p.kind || ' put right' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_replaced AS e
INNER JOIN agreements AS p ON e.kind = 'agreement' AND e.fact_id = p.agreement_id
GROUP BY p.account_id, p.kind;

-- name: drop_replaced_agreements
-- What stands in for them comes with the same record.
DELETE FROM agreements
WHERE agreement_id IN (SELECT fact_id FROM effect_replaced WHERE kind = 'agreement');

-- name: insert_agreements
-- One row per credit or commitment.
INSERT INTO agreements BY NAME
SELECT *, CAST($journal_no AS BIGINT) AS journal_no FROM effect_agreements;

-- name: mark_agreements
-- One mark per account with one that began in the past; it covers the whole hour it begins in, as a plan does.
INSERT INTO replay_marks BY NAME
SELECT
    account_id,
    min(date_trunc('hour', starts_at)) AS from_bucket,
    kind || ' back-dated' AS reason,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_agreements
WHERE starts_at < CAST($now AS TIMESTAMP)
GROUP BY account_id, kind;

-- name: said_tags
-- One row per account or domain of the record, and whose tags they are: an older record does not say, and meant who owned
-- the name last, as far as was known then.
CREATE OR REPLACE TEMP TABLE said_tags AS
SELECT
    e.kind,
    e.subject,
    coalesce(e.account_id, CASE WHEN e.kind = 'account' THEN e.subject END, o.account_id, '') AS account_id,
    e.tags
FROM (
    FROM effect_tags
    UNION ALL BY NAME
    SELECT NULL::VARCHAR AS account_id WHERE false
) AS e
LEFT JOIN (
    SELECT domain, max_by(account_id, effective_from) AS account_id
    FROM domain_ownership
    GROUP BY domain
) AS o ON e.kind = 'domain' AND e.subject = o.domain;

-- name: drop_replaced_tags
-- Tags have no history: new ones stand in for those there were.
DELETE FROM tags
WHERE EXISTS (
    SELECT 1 FROM said_tags AS s
    WHERE tags.kind = s.kind AND tags.subject = s.subject AND tags.account_id = s.account_id
);

-- name: insert_tags
-- One row per account or domain of the record; none for one whose tags were taken away.
INSERT INTO tags BY NAME
SELECT kind, subject, account_id, tags, CAST($journal_no AS BIGINT) AS journal_no
FROM said_tags
WHERE tags <> '{}';
