-- Answers: the place of slices whose card accumulates over an hour or a day instead of the month
-- (step_reached, DOMAIN §10.9).
-- Grain: account × lane × seq. Temporary.
-- Reads: rating_placed, price_lanes, price_terms, rating_accounts, rating_days, charges.
CREATE OR REPLACE TEMP TABLE rating_periods AS
WITH slices AS (
    SELECT
        p.account_key, a.account_id, l.item, l.scope, p.lane, p.seq, p.hour, p.month,
        p.billable_quantity, d.starts_at AS day, t.period, a.replay_from
    FROM rating_placed AS p
    JOIN price_lanes AS l ON l.lane = p.lane AND l.by_period
    JOIN price_terms AS t ON t.card = p.card
    JOIN rating_accounts AS a ON a.account_key = p.account_key
    JOIN rating_days AS d
        ON d.timezone = a.timezone AND p.period_start >= d.starts_at
        AND p.period_start < d.ends_at
    WHERE p.kind <> 1
), earlier AS (
    SELECT s.account_key, s.lane, s.day, sum(c.billable_quantity) AS billable_quantity
    FROM (
        SELECT DISTINCT account_key, account_id, item, scope, lane, day FROM slices
        WHERE replay_from IS NULL
    ) AS s
    JOIN charges AS c
        ON c.account_id = s.account_id AND c.item = s.item AND c.region = s.scope
        AND c.period_start >= s.day
    WHERE c.period_start >= $since
    GROUP BY ALL
), places AS (
    SELECT
        s.account_key, s.lane, s.seq, s.period,
        sum(s.billable_quantity) OVER (
            PARTITION BY s.account_key, s.lane, s.month, s.hour ORDER BY s.seq
        ) - s.billable_quantity AS place_of_hour,
        sum(s.billable_quantity) OVER (
            PARTITION BY s.account_key, s.lane, s.day ORDER BY s.seq
        ) - s.billable_quantity + coalesce(e.billable_quantity, 0) AS place_of_day
    FROM slices AS s
    LEFT JOIN earlier AS e
        ON e.account_key = s.account_key AND e.lane = s.lane AND e.day = s.day
)
SELECT
    account_key, lane, seq,
    CASE period WHEN 'hour' THEN place_of_hour ELSE place_of_day END AS place
FROM places
WHERE period <> 'month';
