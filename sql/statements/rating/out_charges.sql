-- Answers: the charges of new hours, as first revisions.
-- Grain: account × item × region × month × period × rate card. Temporary.
-- Reads: rating_truth.
CREATE OR REPLACE TEMP TABLE rating_out_charges AS
SELECT
    account_id, item, region, month, period_start, period_end, quantity, free_quantity,
    plan_quantity, billable_quantity, amount, currency, rate_card, 0 AS revision,
    'usage' AS reason, numerator, denominator, place_from, FALSE AS replayed
FROM rating_truth
WHERE NOT replayed AND (quantity <> 0 OR amount <> 0 OR numerator <> 0);
