-- No transfer id stands twice: one event of the outside world is one transfer (FAULTS L4).
-- Grain: one row per id that does.
-- Reads: transfers.
SELECT transfer_id, count(*) AS times
FROM transfers
WHERE $after = 0 OR transfer_id IN (SELECT transfer_id FROM transfers WHERE journal_no > $after)
GROUP BY transfer_id
HAVING count(*) > 1;
