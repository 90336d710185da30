-- Answers: which accounts cannot be issued yet, and whether it is for hours not closed, held, or changed.
-- Grain: one row per account.
-- Reads: invoice_due, rating_held.
SELECT
    due.account_id,
    due.timezone,
    due.is_ready,
    due.is_changed,
    min(held.hour) AS first_held,
    coalesce(min_by(held.problem, held.hour), '') AS problem,
    coalesce(min_by(held.hint, held.hour), '') AS hint
FROM invoice_due AS due
LEFT JOIN rating_held AS held ON due.account_id = held.account_id AND due.is_held
WHERE due.is_held OR due.is_changed OR NOT due.is_ready
GROUP BY due.account_id, due.timezone, due.is_ready, due.is_changed
ORDER BY due.account_id;
