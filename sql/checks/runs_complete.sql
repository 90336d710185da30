-- Every run posted as many charges as it says.
-- Grain: one row per run that did not.
-- Reads: runs, charges.
-- Read by: billing/checks/invariants.py.
SELECT r.run_id, r.charges AS said, count(c.charge_id) AS posted
FROM runs AS r
LEFT JOIN charges AS c ON r.journal_no = c.journal_no
WHERE r.journal_no > $after AND r.state IN ('done', 'released')
GROUP BY r.run_id, r.charges
HAVING count(c.charge_id) <> r.charges;
