-- Every run posted as many charges as it says.
-- Grain: one row per run that did not.
-- Reads: runs, filed_charges.
-- Read by: billing/checks/invariants.py.
SELECT r.run_id, r.charges AS said, count(c.journal_no) AS posted
FROM runs AS r
LEFT JOIN filed_charges AS c ON r.journal_no = c.journal_no
WHERE r.journal_no > $after AND r.state IN ('done', 'released')
GROUP BY r.run_id, r.charges
HAVING count(c.journal_no) <> r.charges;
