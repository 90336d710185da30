-- Promotional credits and commitments, and what each came to so far.
-- Grain: one row per credit or commitment.
-- Reads: agreements, month_state.
-- Read by: sql/views/agreements.sql.
SELECT
    g.agreement_id,
    g.account_id,
    g.kind,
    CAST(CAST(g.amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
    nullif(g.items, '') AS items,
    nullif(g.regions, '') AS regions,
    g.priority,
    nullif(g.settles, '') AS settles,
    g.starts_at,
    g.ends_at,
    CAST(CAST(coalesce(t.amount, 0) AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS charged
FROM agreements AS g
LEFT JOIN (
    SELECT account_id, rate_card, sum(amount) AS amount
    FROM month_state
    WHERE contains(rate_card, '/')
    GROUP BY account_id, rate_card
) AS t ON g.account_id = t.account_id AND g.kind || '/' || g.agreement_id = t.rate_card
ORDER BY g.agreement_id;
