-- Answers: the month-to-date of replayed accounts, which replaces what is kept for these months.
-- Grain: account × month × item × region × rate card. Temporary.
-- Reads: rating_truth.
CREATE OR REPLACE TEMP TABLE rating_out_month_state AS
SELECT
    account_id, month, item, region, rate_card, sum(quantity) AS quantity,
    sum(free_quantity) AS free_quantity, sum(plan_quantity) AS plan_quantity,
    sum(billable_quantity) AS billable_quantity, sum(amount) AS amount,
    min(place_from) AS place_from, sum(numerator) AS numerator,
    any_value(denominator) AS denominator
FROM rating_truth
WHERE replayed AND (quantity <> 0 OR amount <> 0 OR numerator <> 0)
GROUP BY account_id, month, item, region, rate_card;
