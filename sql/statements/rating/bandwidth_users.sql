-- Answers: how many accounts buy, or ever bought, traffic by bandwidth.
-- Grain: one row.
-- Reads: rating_accounts, rating_method_periods.
SELECT
    (SELECT count(*) FROM rating_accounts WHERE basic_item_no IN (5, 6))
    + (SELECT count(*) FROM rating_method_periods WHERE item_no IN (5, 6));
