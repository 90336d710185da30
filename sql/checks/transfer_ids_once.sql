-- No transfer id stands twice: one event of the outside world is one transfer (FAULTS L4).
-- Grain: one row per id that does.
-- Reads: posted_transfers, charges (charge_revisions_once proves that no charge's own stands twice).
-- Read by: billing/checks/invariants.py.
SELECT transfer_id, count(*) AS times
FROM posted_transfers
GROUP BY transfer_id
HAVING count(*) > 1 AND max(journal_no) > $after
UNION ALL
SELECT p.transfer_id, 2 AS times
FROM posted_transfers AS p
INNER JOIN charges AS c ON p.transfer_id = c.charge_id
WHERE p.transfer_id LIKE 'charge:%' AND p.journal_no > $after;
