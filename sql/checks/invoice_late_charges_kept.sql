-- What is kept of charges that came after an invoice of their month is what their files say, and all of it.
-- Grain: one row per charge that differs or is missing.
-- Reads: late_charges, charges, issued_months.
-- Read by: billing/checks/invariants.py.
SELECT l.charge_id, 'is not what was charged' AS problem
FROM late_charges AS l
LEFT JOIN charges AS c ON l.charge_id = c.charge_id
WHERE
    (l.month, l.quantity, l.amount, l.term, l.journal_no)
    IS DISTINCT FROM (c.month, c.quantity, c.amount, c.term, c.journal_no)
UNION ALL
SELECT c.charge_id, 'is not kept' AS problem
FROM charges AS c
INNER JOIN issued_months AS m
    ON c.account_id = m.account_id AND c.month = m.month AND c.journal_no > m.journal_no
ANTI JOIN late_charges AS l ON c.charge_id = l.charge_id;
