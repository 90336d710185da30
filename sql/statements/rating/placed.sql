-- Answers: each slice's part that is paid by money, and its place: the month-cumulative quantity before it.
-- Bandwidth has no place, each period is priced from zero.
-- Grain: account × lane × seq. Temporary.
-- Reads: rating_slices, rating_free, rating_plan_parts, rating_state.
CREATE OR REPLACE TEMP TABLE rating_placed AS
WITH planned AS (
    SELECT account_key, lane, seq, sum(quantity) AS quantity
    FROM rating_plan_parts
    GROUP BY account_key, lane, seq
), parts AS (
    SELECT
        s.account_key, s.lane, s.seq, s.card, s.month, s.hour, s.late, s.kind, s.opens, s.closes,
        s.weight, s.period_start, s.period_end, s.quantity::HUGEINT AS quantity,
        coalesce(f.quantity, 0)::HUGEINT AS free_quantity,
        coalesce(p.quantity, 0)::HUGEINT AS plan_quantity,
        coalesce(t.billable_quantity, 0)::HUGEINT AS place_before
    FROM rating_slices AS s
    LEFT JOIN rating_free AS f
        ON f.account_key = s.account_key AND f.lane = s.lane AND f.seq = s.seq
    LEFT JOIN planned AS p
        ON p.account_key = s.account_key AND p.lane = s.lane AND p.seq = s.seq
    LEFT JOIN rating_state AS t
        ON t.account_key = s.account_key AND t.lane = s.lane AND t.month = s.month
)
SELECT
    *, quantity - free_quantity - plan_quantity AS billable_quantity,
    CASE WHEN kind = 1 THEN 0::HUGEINT ELSE place_before - quantity + free_quantity + plan_quantity
        + sum(quantity - free_quantity - plan_quantity) OVER (
            PARTITION BY account_key, lane, month ORDER BY seq
        )
    END AS place
FROM parts;
