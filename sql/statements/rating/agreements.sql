-- Agreements: what an account is charged, or let off, beside its usage: plans that are sold, promotional credit, and what
-- is missing to a commitment. Run by billing/rating/agreements.py after all usage has its price, in this order.
-- Their rows stand in rating_agreed, which rating_should_cost shows beside usage: posted and taken back by subtraction too.
-- What credit pays comes between prices of plans and commitments: a chapter of its own, credits.
-- Reads: rating_accounts, rating_should_cost, rating_held_now, rating_held, agreements, plans, charges.

-- name: nothing_agreed
-- One row per account × item × region × month × period × agreement; its rate_card is its kind and id.
CREATE OR REPLACE TEMP TABLE rating_agreed (
    account_key BIGINT, item VARCHAR, region VARCHAR, month VARCHAR, period_start TIMESTAMP, period_end TIMESTAMP,
    rate_card VARCHAR, term VARCHAR, amount HUGEINT
);

-- name: parties
-- One row per account with an agreement or a plan that has a price.
CREATE OR REPLACE TEMP TABLE rating_parties AS
SELECT
    a.account_key, a.account_id, a.timezone, a.opens_at, a.closes_at, a.replay_from,
    CASE WHEN a.replay_from IS NOT NULL THEN m.month END AS replay_month
FROM rating_accounts AS a
LEFT JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = a.replay_month
WHERE a.account_id IN (
    SELECT account_id FROM agreements
    UNION ALL
    SELECT account_id FROM plans WHERE price IS NOT NULL
);

-- name: agreed_span
-- One row: the first start of what they agreed, NULL without a party, and their time zones.
SELECT
    (
        SELECT min(starts_at)
        FROM (
            SELECT account_id, starts_at FROM agreements
            UNION ALL
            SELECT account_id, starts_at FROM plans WHERE price IS NOT NULL
        )
        WHERE account_id IN (SELECT account_id FROM rating_parties)
    ) AS first_start,
    (SELECT list(DISTINCT timezone) FROM rating_parties) AS timezones;

-- name: months
-- One row per time zone and month since then; rating_months holds those of the usage at hand alone.
CREATE OR REPLACE TEMP TABLE rating_agreed_months AS
SELECT timezone, month, starts_at, ends_at FROM given_agreed_months;

-- name: plan_prices
-- One row per plan that is sold: its price, charged with the hour in which the plan begins.
INSERT INTO rating_agreed
SELECT
    s.account_key, 'plan', 'all', m.month,
    greatest(date_trunc('hour', p.starts_at), m.starts_at),
    least(date_trunc('hour', p.starts_at) + INTERVAL 1 HOUR, m.ends_at),
    'plan/' || p.plan_id, 'plan price', p.price
FROM plans AS p
JOIN rating_parties AS s ON s.account_id = p.account_id
JOIN rating_agreed_months AS m
    ON m.timezone = s.timezone AND p.starts_at >= m.starts_at AND p.starts_at < m.ends_at
WHERE p.price > 0 AND date_trunc('hour', p.starts_at) < $through AND CASE
    WHEN s.replay_from IS NULL THEN date_trunc('hour', p.starts_at) >= $last_through
    ELSE p.starts_at >= s.replay_from
END;

-- name: commitments
-- One row per commitment × month of its term in which the account was open: how much of the month that is, in 5-minute
-- buckets; by when it settles: as the month ends, or the last month of the term, when all that it is charged is known.
CREATE OR REPLACE TEMP TABLE rating_commitments AS
WITH pieces AS (
    SELECT
        s.account_key, s.account_id, s.replay_from, s.replay_month, g.agreement_id, g.amount, g.settles, m.month,
        m.ends_at AS month_ends_at, least(coalesce(g.ends_at, s.closes_at), s.closes_at) AS over_at,
        greatest(m.starts_at, g.starts_at, s.opens_at) AS from_at,
        least(m.ends_at, coalesce(g.ends_at, m.ends_at), s.closes_at) AS until_at,
        epoch(m.ends_at - m.starts_at)::HUGEINT // 300 AS buckets
    FROM agreements AS g
    JOIN rating_parties AS s ON s.account_id = g.account_id
    JOIN rating_agreed_months AS m ON m.timezone = s.timezone
    WHERE g.kind = 'commitment' AND until_at > from_at
), settled AS (
    SELECT
        *, epoch(until_at - from_at)::HUGEINT // 300 AS open_buckets,
        CASE settles
            WHEN 'month' THEN month_ends_at
            ELSE max(month_ends_at) OVER (PARTITION BY account_key, agreement_id)
        END AS settles_at
    FROM pieces
)
SELECT
    p.account_key, p.account_id, p.replay_from, p.replay_month, p.agreement_id, m.month, p.month AS part_month,
    p.amount, p.open_buckets, p.buckets, p.settles_at,
    greatest(date_trunc('hour', p.settles_at - INTERVAL 5 MINUTE), m.starts_at) AS period_start
FROM settled AS p
JOIN rating_parties AS s ON s.account_key = p.account_key
JOIN rating_agreed_months AS m
    ON m.timezone = s.timezone AND p.settles_at > m.starts_at AND p.settles_at <= m.ends_at
WHERE
    date_trunc('hour', p.settles_at - INTERVAL 5 MINUTE) < $through
    -- The months known end with this run: a term that goes on is not over.
    AND (p.settles = 'month' OR p.settles_at >= p.over_at)
    AND CASE
        WHEN p.replay_from IS NULL THEN date_trunc('hour', p.settles_at - INTERVAL 5 MINUTE) >= $last_through
        ELSE m.month >= p.replay_month
    END
    AND p.account_key NOT IN (SELECT account_key FROM rating_held_now)
    AND (p.replay_from IS NOT NULL OR p.account_id NOT IN (SELECT account_id FROM rating_held));

-- name: how_many_commitments
-- One row: how many months of commitments settle now.
SELECT count(*) FROM rating_commitments;

-- name: true_ups
-- One row per commitment that settles: what is missing. Each month's share is cut by the one cut of rating; what was
-- charged counts before promotional credit, a plan's price too: all of the months that the term covers, wholly or in part,
-- so that it is the same whatever came late, and in whose hour it stands.
INSERT INTO rating_agreed
WITH due AS (
    SELECT
        account_key, agreement_id, month, period_start, settles_at,
        sum(rating_cut(amount * open_buckets, amount * open_buckets, buckets))::HUGEINT AS committed
    FROM rating_commitments
    GROUP BY account_key, agreement_id, month, period_start, settles_at
), spent AS (
    SELECT account_key, month, amount
    FROM rating_should_cost
    WHERE term NOT IN ('promotional credit', 'commitment')
    UNION ALL
    SELECT s.account_key, c.month, c.amount
    FROM charges AS c
    JOIN rating_parties AS s ON s.account_id = c.account_id
    WHERE
        c.term NOT IN ('promotional credit', 'commitment')
        AND (s.replay_month IS NULL OR c.month < s.replay_month)
        AND c.month >= (SELECT min(part_month) FROM rating_commitments)
        AND c.account_id IN (SELECT account_id FROM rating_commitments)
), charged AS (
    SELECT p.account_key, p.agreement_id, p.settles_at, sum(c.amount) AS amount
    FROM rating_commitments AS p
    JOIN spent AS c
        ON c.account_key = p.account_key AND c.month = p.part_month
    GROUP BY ALL
)
SELECT
    d.account_key, 'commitment', 'all', d.month, d.period_start, d.settles_at, 'commitment/' || d.agreement_id,
    'commitment', greatest(0, d.committed - coalesce(c.amount, 0))::HUGEINT
FROM due AS d
LEFT JOIN charged AS c
    ON c.account_key = d.account_key AND c.agreement_id = d.agreement_id AND c.settles_at = d.settles_at;
