-- Answers: every rate card seen so far and whether a charge has used it.
-- Grain: card. Temporary.
-- Reads: given_versions, price_versions, rating_out_charges.
CREATE OR REPLACE TEMP TABLE rating_out_price_versions AS
SELECT
    g.card_id, g.book, g.fingerprint, g.effective_from, g.effective_until,
    coalesce(v.used, FALSE)
        OR g.card_id IN (SELECT DISTINCT rate_card FROM rating_out_charges) AS used
FROM given_versions AS g
LEFT JOIN price_versions AS v ON v.card_id = g.card_id;
