-- What the lake keeps of charges by the day is its charges, added up.
-- Grain: one row per account × month × item × currency whose sums differ, of months whose charges are there.
-- Reads: the lake: lake_charges, lake_charges_daily, lake_charges_open (what no day has yet).
-- Read by: billing/commands/compare.py.
WITH charged AS (
    SELECT
        account_id,
        month,
        item,
        currency,
        count(*) AS charges,
        sum(quantity) AS quantity,
        sum(amount) AS units
    FROM lake_charges
    GROUP BY ALL
),

daily AS (
    SELECT
        account_id,
        month,
        item,
        currency,
        sum(charges) AS charges,
        sum(quantity) AS quantity,
        sum(amount) AS amount
    FROM (
        SELECT account_id, month, item, currency, charges, quantity, amount FROM lake_charges_daily
        UNION ALL
        SELECT
            account_id,
            month,
            item,
            currency,
            1 AS charges,
            CAST(quantity AS BIGINT) AS quantity,
            CAST(amount * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS amount
        FROM lake_charges_open
    )
    WHERE month IN (SELECT month FROM charged)
    GROUP BY ALL
)

SELECT
    coalesce(c.account_id, d.account_id) AS account_id,
    coalesce(c.month, d.month) AS month,
    coalesce(c.item, d.item) AS item,
    coalesce(c.currency, d.currency) AS currency,
    c.charges,
    d.charges AS charges_by_day,
    c.quantity,
    d.quantity AS quantity_by_day,
    c.units,
    d.amount AS amount_by_day
FROM charged AS c
FULL JOIN daily AS d
    ON c.account_id = d.account_id AND c.month = d.month AND c.item = d.item AND c.currency = d.currency
WHERE
    c.charges IS DISTINCT FROM d.charges
    OR c.quantity IS DISTINCT FROM d.quantity
    OR c.units * 0.0000000001::DECIMAL(10, 10) IS DISTINCT FROM d.amount
ORDER BY ALL
