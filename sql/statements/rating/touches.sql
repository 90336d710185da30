-- Answers: the moments at which a fixed term (flat fee, cap, floor, fee at zero) moves an account's total
-- without usage: when its month or its billing method begins, the card in force changes, its month ends
-- (DOMAIN §10.7).
-- Grain: account × lane × month × moment. Temporary.
-- Reads: rating_accounts, rating_method_periods, rating_months, price_lanes, price_force.
CREATE OR REPLACE TEMP TABLE rating_touches AS
WITH places AS (
    SELECT
        a.account_key, a.account_id, a.replay_from, l.lane, l.item_no, l.scope, m.number AS month,
        m.starts_at, m.ends_at, a.basic_item_no,
        greatest(m.starts_at, $origin::TIMESTAMP, time_bucket(INTERVAL 5 MINUTE, a.opened_at))
            AS opens_at
    FROM rating_accounts AS a
    JOIN price_lanes AS l ON l.book = a.book AND l.has_terms
    JOIN rating_months AS m ON m.timezone = a.timezone
    WHERE a.has_book AND a.currency_fits AND m.ends_at > a.opened_at
        AND m.ends_at > $origin::TIMESTAMP
), own AS (
    SELECT DISTINCT account_id, lane FROM price_force WHERE account_id IS NOT NULL
), runs AS (
    SELECT p.account_key, p.lane, p.month, f.card, f.force_no, f.force_from, f.force_until
    FROM places AS p
    LEFT JOIN own AS o ON o.account_id = p.account_id AND o.lane = p.lane
    JOIN price_force AS f
        ON f.lane = p.lane AND f.account_id IS NOT DISTINCT FROM o.account_id
        AND f.force_from < p.ends_at AND f.force_until > p.opens_at
), moments AS (
    SELECT p.*, p.opens_at AS moment, TRUE AS opens, FALSE AS closes FROM places AS p
    UNION ALL
    SELECT p.*, r.force_from, FALSE, FALSE
    FROM places AS p JOIN runs AS r USING (account_key, lane, month)
    WHERE r.force_from > p.opens_at AND r.force_from < p.ends_at
    UNION ALL
    SELECT p.*, d.starts_at, FALSE, FALSE
    FROM places AS p
    JOIN rating_method_periods AS d ON d.account_key = p.account_key AND d.item_no = p.item_no
    WHERE d.starts_at > p.opens_at AND d.starts_at < p.ends_at
    UNION ALL
    SELECT p.*, p.ends_at - INTERVAL 5 MINUTE, FALSE, TRUE FROM places AS p
)
SELECT
    m.account_key, m.lane, m.month, date_trunc('hour', m.moment) AS hour, m.opens, m.closes, r.card,
    r.force_no, t.place_no,
    greatest(date_trunc('hour', m.moment), m.starts_at, r.force_from) AS period_start,
    least(date_trunc('hour', m.moment) + INTERVAL 1 HOUR, m.ends_at, r.force_until) AS period_end
FROM moments AS m
JOIN runs AS r
    ON r.account_key = m.account_key AND r.lane = m.lane AND r.month = m.month
    AND m.moment >= r.force_from AND m.moment < r.force_until
JOIN price_places AS t ON t.place = m.scope
LEFT JOIN rating_method_periods AS p
    ON p.account_key = m.account_key AND m.moment >= p.starts_at AND m.moment < p.ends_at
WHERE date_trunc('hour', m.moment) < $through
    AND (m.item_no <= 3 OR m.item_no = coalesce(p.item_no, m.basic_item_no))
    AND CASE
        WHEN m.replay_from IS NULL THEN date_trunc('hour', m.moment) >= $last_through
        ELSE m.moment >= m.replay_from
    END;
