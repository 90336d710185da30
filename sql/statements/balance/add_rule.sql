-- Answers: takes one rule into the session.
-- Grain: one row.
-- Reads: nothing.
INSERT INTO rules_now
VALUES ($rule_id, $account_id, $kind, $domain, $quantity, $period, $release_hours);
