-- What the lake keeps of charges by the day is its charges, added up.
-- Grain: one row per account × month × item × rate card × currency whose sums differ, of months whose charges are there.
-- Reads: the lake: lake_charges, lake_charges_daily, lake_charges_open (what no day has yet).
-- Read by: billing/commands/compare.py.
WITH charged AS (
    SELECT
        account_id,
        month,
        item,
        rate_card,
        currency,
        count(*) AS charges,
        sum(quantity) AS quantity,
        sum(amount) AS units,
        coalesce(sum(amount) FILTER (revision > 0), 0) AS corrected,
        max(period_end) AS period_end
    FROM lake_charges
    GROUP BY ALL
),

daily AS (
    SELECT
        account_id,
        month,
        item,
        rate_card,
        currency,
        sum(charges) AS charges,
        sum(quantity) AS quantity,
        sum(amount) AS amount,
        sum(corrected) AS corrected,
        max(period_end) AS period_end
    FROM (
        SELECT account_id, month, item, rate_card, currency, charges, quantity, amount, corrected, period_end
        FROM lake_charges_daily
        UNION ALL
        SELECT
            account_id,
            month,
            item,
            rate_card,
            currency,
            1 AS charges,
            CAST(quantity AS BIGINT) AS quantity,
            CAST(amount * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount,
            CAST(CASE WHEN revision > 0 THEN amount ELSE 0 END * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS corrected,
            period_end
        FROM lake_charges_open
    )
    WHERE month IN (SELECT month FROM charged)
    GROUP BY ALL
)

SELECT
    coalesce(c.account_id, d.account_id) AS account_id,
    coalesce(c.month, d.month) AS month,
    coalesce(c.item, d.item) AS item,
    coalesce(c.rate_card, d.rate_card) AS rate_card,
    coalesce(c.currency, d.currency) AS currency,
    c.charges,
    d.charges AS charges_by_day,
    c.quantity,
    d.quantity AS quantity_by_day,
    c.units,
    d.amount AS amount_by_day,
    c.corrected,
    d.corrected AS corrected_by_day,
    c.period_end,
    d.period_end AS period_end_by_day
FROM charged AS c
FULL JOIN daily AS d
    ON c.account_id = d.account_id AND c.month = d.month AND c.item = d.item
    AND c.rate_card = d.rate_card AND c.currency = d.currency
WHERE
    c.charges IS DISTINCT FROM d.charges
    OR c.quantity IS DISTINCT FROM d.quantity
    OR c.units * 0.0000000001::DECIMAL(10, 10) IS DISTINCT FROM d.amount
    OR c.corrected * 0.0000000001::DECIMAL(10, 10) IS DISTINCT FROM d.corrected
    OR c.period_end IS DISTINCT FROM d.period_end
ORDER BY ALL
