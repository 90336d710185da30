-- Answers: what charges were posted after one journal record and up to another, by cause.
-- Grain: one row per account × month × item × region × reason × rate card.
-- Reads: charges.
SELECT
    account_id,
    month,
    item,
    region,
    reason,
    rate_card,
    currency,
    count(DISTINCT period_start) AS hours,
    count(*) FILTER (revision > 0) AS revisions,
    CAST(sum(quantity) AS HUGEINT) AS quantity,
    CAST(sum(billable_quantity) AS HUGEINT) AS billable_quantity,
    CAST(sum(amount) AS HUGEINT) AS amount
FROM charges
WHERE journal_no > $after AND journal_no <= $through
GROUP BY account_id, month, item, region, reason, rate_card, currency
ORDER BY account_id, month, item, region, reason, rate_card;
