-- Answers: where in the month's cumulative billable quantity the charges of a line begin.
-- Grain: one row. Of a correction: after all that was charged before its own charges.
-- Reads: month_state, charges, explained_charges.
WITH own AS (
    SELECT charge_id, journal_no, month
    FROM explained_charges
),

part AS (
    SELECT coalesce(max(place_from), 0) AS place_from
    FROM month_state
    WHERE
        account_id = $account_id
        AND month = (SELECT min(month) FROM own)
        AND item = $item
        AND region = $region
        AND rate_card = $rate_card
),

before AS (
    SELECT coalesce(sum(billable_quantity), 0) AS quantity
    FROM charges
    WHERE
        $kind = 'correction'
        AND account_id = $account_id
        AND month = (SELECT min(month) FROM own)
        AND item = $item
        AND region = $region
        AND rate_card = $rate_card
        AND journal_no <= (SELECT min(journal_no) FROM own)
        AND charge_id NOT IN (SELECT charge_id FROM own)
)

SELECT CAST(part.place_from + before.quantity AS HUGEINT) AS place
FROM part
CROSS JOIN before;
