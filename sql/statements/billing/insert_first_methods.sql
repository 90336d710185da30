-- Answers: the basic billing method each new account begins with.
-- Grain: one row per account whose first version is in this record.
-- Reads: effect_account_versions, account_methods.
INSERT INTO account_methods BY NAME
SELECT e.account_id, e.billing_method AS method, e.effective_from
FROM effect_account_versions AS e
ANTI JOIN account_methods AS m ON e.account_id = m.account_id
QUALIFY row_number() OVER (PARTITION BY e.account_id ORDER BY e.effective_from) = 1;
