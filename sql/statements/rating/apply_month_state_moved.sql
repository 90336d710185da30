-- Answers: nothing; moves the month-to-date on by the charges of new hours.
-- Grain: account × month × item × region × rate card.
-- Reads: month_moves.
MERGE INTO month_state AS s
USING month_moves AS c
ON s.account_id = c.account_id AND s.month = c.month AND s.item = c.item
    AND s.region = c.region AND s.rate_card = c.rate_card
WHEN MATCHED THEN UPDATE SET
    quantity = s.quantity + c.quantity,
    free_quantity = s.free_quantity + c.free_quantity,
    plan_quantity = s.plan_quantity + c.plan_quantity,
    billable_quantity = s.billable_quantity + c.billable_quantity,
    amount = s.amount + c.amount,
    place_from = least(s.place_from, c.place_from),
    numerator = CASE
        WHEN s.denominator = c.denominator THEN s.numerator
        ELSE s.numerator * (c.denominator // gcd(s.denominator, c.denominator))
            // (s.denominator // gcd(s.denominator, c.denominator))
    END + c.numerator,
    denominator = c.denominator
WHEN NOT MATCHED THEN INSERT (
    account_id, month, item, region, rate_card, quantity, free_quantity, plan_quantity,
    billable_quantity, amount, place_from, numerator, denominator
) VALUES (
    c.account_id, c.month, c.item, c.region, c.rate_card, c.quantity, c.free_quantity,
    c.plan_quantity, c.billable_quantity, c.amount, c.place_from, c.numerator, c.denominator
);
