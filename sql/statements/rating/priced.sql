-- Answers: the exact usage amount of each slice, as a numerator over its lane's denominator: what the curve
-- of its card gives after it, minus what it gives before it (DOMAIN §10.5).
-- Grain: account × lane × seq. Temporary.
-- Reads: rating_placed, price_curve, price_terms.
CREATE OR REPLACE TEMP TABLE rating_priced AS
SELECT
    p.account_key, p.lane, p.seq, p.card, p.month, p.hour, p.late, p.kind, p.opens, p.closes,
    p.period_start, p.period_end, p.quantity, p.free_quantity, p.plan_quantity,
    p.billable_quantity, p.place,
    (
        after.base + after.price * CASE
            WHEN after.step = 1 THEN p.place + p.billable_quantity - after.origin
            ELSE (p.place + p.billable_quantity - after.origin + after.step - 1) // after.step
        END
        - before.base - before.price * CASE
            WHEN before.step = 1 THEN p.place - before.origin
            ELSE (p.place - before.origin + before.step - 1) // before.step
        END
    ) * p.weight
    + CASE WHEN p.opens THEN t.at_zero ELSE 0 END AS numerator
FROM rating_placed AS p
JOIN price_terms AS t ON t.card = p.card
JOIN price_curve AS before
    ON before.card = p.card AND p.place > before.lower AND p.place <= before.upper
JOIN price_curve AS after
    ON after.card = p.card AND p.place + p.billable_quantity > after.lower
    AND p.place + p.billable_quantity <= after.upper;
