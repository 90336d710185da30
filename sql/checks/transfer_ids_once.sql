-- No transfer id stands twice: one event of the outside world is one transfer (FAULTS L4).
-- Grain: one row per id that does.
-- Reads: transfers (a repeated charge has the time of its first).
-- Read by: billing/checks/invariants.py.
SELECT transfer_id, count(*) AS times
FROM transfers
WHERE
    effective_at >= (SELECT min(effective_at) FROM transfers WHERE journal_no > $after)
GROUP BY transfer_id
HAVING count(*) > 1;
