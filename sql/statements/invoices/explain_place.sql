-- Answers: where in the month's cumulative billable quantity a rate card's part begins.
-- Grain: at most one row.
-- Reads: month_state.
SELECT place_from
FROM month_state
WHERE
    account_id = $account_id
    AND month = $month
    AND item = $item
    AND region = $region
    AND rate_card = $rate_card;
