-- Answers: the usage that prepaid plans may pay, after the free quota; what pays for what is the matrix of
-- DOMAIN §2.3 (billing.rating.offsets).
-- Grain: account × lane × seq. Temporary.
-- Reads: rating_slices, rating_free, price_lanes, price_places, given_offsets, rating_plans.
CREATE OR REPLACE TEMP TABLE rating_plan_work AS
WITH buyers AS (
    SELECT DISTINCT account_key, kind FROM rating_plans
)
SELECT
    s.account_key, o.plan_kind, s.lane, s.seq, s.hour, s.month, p.place,
    (s.quantity - coalesce(f.quantity, 0))::HUGEINT AS remaining
FROM rating_slices AS s
JOIN price_lanes AS l ON l.lane = s.lane
JOIN given_offsets AS o ON o.item = l.item
JOIN buyers AS b ON b.account_key = s.account_key AND b.kind = o.plan_kind
JOIN price_places AS p ON p.place_no = s.place_no
LEFT JOIN rating_free AS f
    ON f.account_key = s.account_key AND f.lane = s.lane AND f.seq = s.seq
WHERE s.kind = 0 AND s.quantity - coalesce(f.quantity, 0) > 0;
