-- Answers: by how much the charges of new hours move each month-to-date. A table of its own: inside a MERGE
-- the same query costs three times as much.
-- Grain: account × month × item × region × rate card. Temporary.
-- Reads: effect_charges.
CREATE OR REPLACE TEMP TABLE month_moves AS
SELECT
    account_id, month, item, region, rate_card, sum(quantity)::HUGEINT AS quantity,
    sum(free_quantity)::HUGEINT AS free_quantity, sum(plan_quantity)::HUGEINT AS plan_quantity,
    sum(billable_quantity)::HUGEINT AS billable_quantity, sum(amount)::HUGEINT AS amount,
    min(place_from)::HUGEINT AS place_from, sum(numerator)::HUGEINT AS numerator,
    any_value(denominator)::HUGEINT AS denominator
FROM effect_charges
WHERE NOT replayed
GROUP BY account_id, month, item, region, rate_card;
