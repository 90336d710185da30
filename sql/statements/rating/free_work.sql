-- Answers: the usage that a monthly free quota may pay, with the quota of its card. A segment is a stretch
-- of one quota; after a change the new quota counts what is already used (DOMAIN §10.6).
-- Grain: account × lane × seq. Temporary.
-- Reads: rating_slices, price_lanes, price_terms.
CREATE OR REPLACE TEMP TABLE rating_free_work AS
WITH slices AS (
    SELECT s.account_key, s.lane, s.month, s.seq, s.quantity, t.free_quantity AS quota
    FROM rating_slices AS s
    JOIN price_lanes AS l ON l.lane = s.lane AND l.has_free
    JOIN price_terms AS t ON t.card = s.card
    WHERE s.kind = 0
), marked AS (
    SELECT
        *,
        CASE WHEN quota IS DISTINCT FROM lag(quota) OVER (
            PARTITION BY account_key, lane, month ORDER BY seq
        ) THEN 1 ELSE 0 END AS begins
    FROM slices
), numbered AS (
    SELECT
        *, sum(begins) OVER (PARTITION BY account_key, lane, month ORDER BY seq) AS segment
    FROM marked
)
SELECT
    account_key, lane, month, seq, quantity, quota, segment,
    sum(quantity) OVER (
        PARTITION BY account_key, lane, month, segment ORDER BY seq
    ) AS running
FROM numbered;
