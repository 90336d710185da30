-- What a load finds stored already: before anything is written, each row of the file is known, new, or
-- refused. load_accounts, load_domains, load_plans, load_agreements, load_methods and load_references are the file's
-- rows, registered for the time of the load.

-- name: unknown_accounts
-- The first rows that name an account which is neither stored nor in the file.
SELECT r.place, r.account_id
FROM load_references AS r
WHERE
    r.account_id NOT IN (SELECT account_id FROM account_versions)
    AND r.account_id NOT IN (SELECT account_id FROM load_accounts)
ORDER BY r.place
LIMIT 10;

-- name: books_of_accounts
-- One row per account that the file names × price book it has had.
SELECT DISTINCT v.account_id, v.price_book
FROM account_versions AS v
SEMI JOIN load_references AS r ON v.account_id = r.account_id;

-- name: known_account_versions
-- One row per stored version of an account in the file.
SELECT v.* EXCLUDE (journal_no)
FROM account_versions AS v
SEMI JOIN load_accounts AS l ON v.account_id = l.account_id
ORDER BY v.account_id, v.effective_from;

-- name: limits_in_force
-- One row per known account in the file: its credit limit, and since when.
SELECT
    a.account_id,
    a.effective_from,
    a.credit_limit
FROM accounts AS a
SEMI JOIN load_accounts AS l ON a.account_id = l.account_id
ORDER BY a.account_id;

-- name: charged_accounts
-- One row per account in the file that was ever charged: its prices are fixed.
SELECT DISTINCT l.account_id
FROM load_accounts AS l
SEMI JOIN charges AS c ON l.account_id = c.account_id;

-- name: known_ownership
-- One row per stored ownership with an id of the file.
SELECT
    d.ownership_id,
    d.domain,
    d.account_id,
    d.effective_from,
    d.effective_to
FROM domain_ownership AS d
SEMI JOIN load_domains AS l ON d.ownership_id = l.ownership_id;

-- name: replaced_before
-- One row per id of the file that another fact stands in for, the latest.
SELECT r.kind, r.fact_id, r.replaced_by, r.why
FROM replaced_facts AS r
WHERE
    r.fact_id IN (SELECT ownership_id FROM load_domains)
    OR r.fact_id IN (SELECT plan_id FROM load_plans)
    OR r.fact_id IN (SELECT agreement_id FROM load_agreements)
QUALIFY row_number() OVER (PARTITION BY r.kind, r.fact_id ORDER BY r.journal_no DESC) = 1;

-- name: owned_by
-- One row per ownership of the accounts that open or close otherwise.
SELECT
    d.ownership_id,
    d.domain,
    d.account_id,
    d.effective_from,
    d.effective_to,
    a.closed_at
FROM domain_ownership AS d
INNER JOIN accounts AS a ON d.account_id = a.account_id
WHERE d.account_id IN (SELECT unnest($accounts))
ORDER BY d.ownership_id;

-- name: plan_buyers
-- One row per account of these: what says when its plans begin and end.
SELECT account_id, timezone, billing_method
FROM accounts
WHERE account_id IN (SELECT unnest($accounts::VARCHAR[]));

-- name: plans_to_renew
-- One row per plan that renews: its first period, how many there are, its account's time zone and closing. What was put
-- right is not sold again.
SELECT
    p.plan_id, p.account_id, p.kind, p.region, p.quantity, p.starts_at, p.ends_at, p.bought_at, p.price, p.lasts, true AS renews,
    a.timezone,
    a.closed_at,
    greatest(1, coalesce((
        SELECT max(TRY_CAST(split_part(n.plan_id, '#', 2) AS BIGINT))
        FROM (SELECT plan_id FROM plans UNION ALL SELECT fact_id FROM replaced_facts WHERE kind = 'plan') AS n
        WHERE split_part(n.plan_id, '#', 1) = p.plan_id
    ), 1)) AS periods
FROM plans AS p
INNER JOIN accounts AS a ON p.account_id = a.account_id
WHERE p.renews AND p.ends_at <= $now
ORDER BY p.plan_id;

-- name: sold_periods
-- One row per period after the first that was sold of these plans.
SELECT plan_id
FROM plans
WHERE contains(plan_id, '#') AND split_part(plan_id, '#', 1) IN (SELECT unnest($plans::VARCHAR[]))
ORDER BY plan_id;

-- name: early_commitments
-- One row per commitment of these accounts that begins before its account is open.
SELECT g.agreement_id, g.account_id, g.starts_at, a.opened_at
FROM agreements AS g
INNER JOIN accounts AS a ON g.account_id = a.account_id
WHERE
    g.kind = 'commitment' AND g.starts_at < a.opened_at
    AND g.account_id IN (SELECT unnest($accounts::VARCHAR[]))
ORDER BY g.agreement_id;

-- name: known_plans
-- One row per stored plan with an id of the file.
SELECT
    p.plan_id,
    p.account_id,
    p.kind,
    p.region,
    p.quantity,
    p.starts_at,
    p.ends_at,
    p.bought_at,
    p.price,
    p.lasts,
    coalesce(p.renews, false) AS renews
FROM plans AS p
SEMI JOIN load_plans AS l ON p.plan_id = l.plan_id;

-- name: known_agreements
-- One row per stored credit or commitment with an id of the file.
SELECT
    g.agreement_id,
    g.account_id,
    g.kind,
    g.amount,
    g.items,
    g.regions,
    g.priority,
    g.settles,
    g.starts_at,
    g.ends_at
FROM agreements AS g
SEMI JOIN load_agreements AS l ON g.agreement_id = l.agreement_id;

-- name: known_methods
-- One row per stored change of method that the file names again.
SELECT m.account_id, m.method, m.effective_from
FROM account_methods AS m
SEMI JOIN load_methods AS l ON m.account_id = l.account_id AND m.effective_from = l.effective_from;

-- name: known_tags
-- One row per account, or domain of an account, that has tags.
SELECT kind, subject, account_id, tags
FROM tags;
