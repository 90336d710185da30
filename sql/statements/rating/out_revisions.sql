-- Answers: by how much a replayed past differs from what has been charged: numbered revisions with their
-- reason, old card and new card apart; new hours are first revisions.
-- Grain: account × item × region × month × period × rate card.
-- Reads: rating_truth, charges, rating_accounts, rating_months.
INSERT INTO rating_out_charges
WITH charged AS (
    SELECT
        a.account_key, c.account_id, c.item, c.region, c.month, c.period_start, c.rate_card,
        max(c.period_end) AS period_end, any_value(c.currency) AS currency,
        max(c.revision) AS revision, sum(c.quantity) AS quantity,
        sum(c.free_quantity) AS free_quantity, sum(c.plan_quantity) AS plan_quantity,
        sum(c.billable_quantity) AS billable_quantity, sum(c.amount) AS amount
    FROM charges AS c
    JOIN rating_accounts AS a ON a.account_id = c.account_id AND a.replay_from IS NOT NULL
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = c.month
    WHERE m.number >= a.replay_month AND c.month >= $first_month
    GROUP BY ALL
), latest AS (
    SELECT account_id, item, region, month, period_start, max(revision) AS revision
    FROM charged
    GROUP BY ALL
), truth AS (
    SELECT * FROM rating_truth WHERE replayed
), differences AS (
    SELECT
        coalesce(t.account_id, c.account_id) AS account_id, coalesce(t.item, c.item) AS item,
        coalesce(t.region, c.region) AS region, coalesce(t.month, c.month) AS month,
        coalesce(t.period_start, c.period_start) AS period_start,
        coalesce(t.period_end, c.period_end) AS period_end,
        coalesce(t.quantity, 0) - coalesce(c.quantity, 0) AS quantity,
        coalesce(t.free_quantity, 0) - coalesce(c.free_quantity, 0) AS free_quantity,
        coalesce(t.plan_quantity, 0) - coalesce(c.plan_quantity, 0) AS plan_quantity,
        coalesce(t.billable_quantity, 0) - coalesce(c.billable_quantity, 0) AS billable_quantity,
        coalesce(t.amount, 0) - coalesce(c.amount, 0) AS amount,
        coalesce(t.currency, c.currency) AS currency,
        coalesce(t.rate_card, c.rate_card) AS rate_card
    FROM truth AS t
    FULL JOIN charged AS c
        ON c.account_id = t.account_id AND c.item = t.item AND c.region = t.region
        AND c.month = t.month AND c.period_start = t.period_start AND c.rate_card = t.rate_card
)
SELECT
    d.account_id, d.item, d.region, d.month, d.period_start, d.period_end, d.quantity,
    d.free_quantity, d.plan_quantity, d.billable_quantity, d.amount, d.currency, d.rate_card,
    coalesce(l.revision, -1) + row_number() OVER (
        PARTITION BY d.account_id, d.item, d.region, d.month, d.period_start ORDER BY d.rate_card
    ),
    CASE WHEN l.revision IS NULL AND d.period_start >= $last_through THEN 'usage' ELSE a.reason END,
    0, 1, 0, TRUE
FROM differences AS d
JOIN rating_accounts AS a ON a.account_id = d.account_id
LEFT JOIN latest AS l
    ON l.account_id = d.account_id AND l.item = d.item AND l.region = d.region
    AND l.month = d.month AND l.period_start = d.period_start
WHERE d.quantity <> 0 OR d.free_quantity <> 0 OR d.plan_quantity <> 0 OR d.amount <> 0;
