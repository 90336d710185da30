-- A promotional credit pays what its scope names, no less than nothing, no more than it is, nor more of an item than was charged.
-- Grain: one row per credit, or account × month × item × region, of which that is not so.
-- Reads: agreements, month_state.
-- Read by: billing/checks/invariants.py.
WITH paid AS (
    SELECT g.agreement_id, g.account_id, g.amount, g.items, t.month, t.item, t.region, -t.amount AS paid
    FROM agreements AS g
    INNER JOIN month_state AS t ON t.account_id = g.account_id AND t.rate_card = 'credit/' || g.agreement_id
    WHERE g.kind = 'credit'
)

SELECT account_id, agreement_id AS what, CAST(sum(paid) AS HUGEINT) AS paid, amount AS at_most
FROM paid
GROUP BY account_id, agreement_id, amount
HAVING sum(paid) < 0 OR sum(paid) > amount
UNION ALL
SELECT account_id, agreement_id || ' for ' || item, paid, 0
FROM paid
WHERE paid <> 0 AND CASE WHEN items = '' THEN item IN ('plan', 'commitment') ELSE NOT list_contains(string_split(items, ','), item) END
UNION ALL
SELECT t.account_id, concat_ws(' ', t.month, t.item, t.region), -CAST(sum(t.amount) AS HUGEINT), 0
FROM month_state AS t
SEMI JOIN paid AS p
    ON t.account_id = p.account_id AND t.month = p.month AND t.item = p.item AND t.region = p.region
GROUP BY t.account_id, t.month, t.item, t.region
HAVING sum(t.amount) < 0;
