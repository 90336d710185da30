-- Answers: the plans of accounts that are rated now and what is left of each before the first hour rated:
-- soonest end first, then earliest start, then id; a plan bought inside an hour covers that hour
-- (DOMAIN §10.3). A replayed account's own use from its replay on is given back first.
-- Grain: plan. Temporary.
-- Reads: plans, plan_state, plan_use, rating_accounts, rating_months.
CREATE OR REPLACE TEMP TABLE rating_plans AS
WITH given_back AS (
    SELECT u.plan_id, sum(u.quantity) AS quantity
    FROM plan_use AS u
    JOIN rating_accounts AS a ON a.account_id = u.account_id AND a.replay_from IS NOT NULL
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = u.month
    WHERE m.number >= a.replay_month
    GROUP BY u.plan_id
), at_hand AS (
    SELECT
        p.plan_id, a.account_key, p.kind, p.region, p.starts_at, p.ends_at,
        date_trunc('hour', p.starts_at) AS covers_from,
        p.quantity::HUGEINT - coalesce(s.used, 0) + coalesce(g.quantity, 0) AS remaining
    FROM plans AS p
    JOIN rating_accounts AS a ON a.account_id = p.account_id
    LEFT JOIN plan_state AS s ON s.plan_id = p.plan_id
    LEFT JOIN given_back AS g ON g.plan_id = p.plan_id
    WHERE date_trunc('hour', p.starts_at) < $through AND p.ends_at > $since
)
SELECT
    *, row_number() OVER (
        PARTITION BY account_key, kind ORDER BY ends_at, starts_at, plan_id
    ) AS rank
FROM at_hand
WHERE remaining > 0;
