-- Answers: each slice with what it adds to its month's charge where nothing is fixed: the running total is cut once,
-- toward zero, to 10^-10, and the charge is the difference of cut totals (DOMAIN §10.11).
-- Grain: account × lane × seq. Temporary.
-- Reads: rating_priced, rating_state, price_lanes.
CREATE OR REPLACE TEMP TABLE rating_totals AS
WITH running AS (
    SELECT
        p.account_key, p.lane, p.month, p.card, p.period_start, p.period_end, p.quantity,
        p.free_quantity, p.plan_quantity, p.billable_quantity, p.place, p.numerator, l.denominator,
        coalesce(s.numerator, 0)::HUGEINT + sum(p.numerator) OVER (
            PARTITION BY p.account_key, p.lane, p.month ORDER BY p.seq
        ) AS total
    FROM rating_priced AS p
    JOIN price_lanes AS l ON l.lane = p.lane AND NOT l.has_terms
    LEFT JOIN rating_state AS s
        ON s.account_key = p.account_key AND s.lane = p.lane AND s.month = p.month
)
SELECT
    account_key, lane, month, card, period_start, period_end, quantity, free_quantity,
    plan_quantity, billable_quantity, place, numerator,
    -- A HUGEINT division takes thirty times as long as a BIGINT one, which nearly always holds it.
    CASE
        WHEN greatest(abs(total), abs(numerator), denominator) < 4611686018427387904
        THEN total::BIGINT // denominator::BIGINT
            - (total - numerator)::BIGINT // denominator::BIGINT
        ELSE total // denominator - (total - numerator) // denominator
    END AS amount
FROM running;
