-- Answers: nothing; moves the month-to-date on by the charges of new hours.
-- Grain: account × month × item × region × rate card.
-- Reads: effect_charges.
MERGE INTO month_state AS s
USING (
    SELECT
        account_id, month, item, region, rate_card, sum(quantity) AS quantity,
        sum(free_quantity) AS free_quantity, sum(plan_quantity) AS plan_quantity,
        sum(billable_quantity) AS billable_quantity, sum(amount) AS amount,
        min(place_from) AS place_from, sum(numerator) AS numerator,
        any_value(denominator)::HUGEINT AS denominator
    FROM effect_charges
    WHERE NOT replayed
    GROUP BY account_id, month, item, region, rate_card
) AS c
ON s.account_id = c.account_id AND s.month = c.month AND s.item = c.item
    AND s.region = c.region AND s.rate_card = c.rate_card
WHEN MATCHED THEN UPDATE SET
    quantity = s.quantity + c.quantity::HUGEINT,
    free_quantity = s.free_quantity + c.free_quantity::HUGEINT,
    plan_quantity = s.plan_quantity + c.plan_quantity::HUGEINT,
    billable_quantity = s.billable_quantity + c.billable_quantity::HUGEINT,
    amount = s.amount + c.amount::HUGEINT,
    place_from = least(s.place_from, c.place_from::HUGEINT),
    numerator = CASE
        WHEN s.denominator = c.denominator THEN s.numerator
        ELSE s.numerator * (c.denominator // gcd(s.denominator, c.denominator))
            // (s.denominator // gcd(s.denominator, c.denominator))
    END + c.numerator::HUGEINT,
    denominator = c.denominator
WHEN NOT MATCHED THEN INSERT (
    account_id, month, item, region, rate_card, quantity, free_quantity, plan_quantity,
    billable_quantity, amount, place_from, numerator, denominator
) VALUES (
    c.account_id, c.month, c.item, c.region, c.rate_card, c.quantity, c.free_quantity,
    c.plan_quantity, c.billable_quantity, c.amount, c.place_from, c.numerator, c.denominator
);
