-- The ids kept apart are those of the transfers that are no charges, each once (FAULTS L4).
-- Grain: one row per id that is missing or too much.
-- Reads: transfers, posted_ids.
-- Read by: billing/checks/invariants.py.
SELECT
    coalesce(t.transfer_id, p.transfer_id) AS transfer_id,
    t.journal_no AS posted_by,
    p.journal_no AS kept_by
FROM (SELECT transfer_id, journal_no FROM transfers WHERE code NOT IN ('charge', 'correction')) AS t
FULL JOIN posted_ids AS p ON t.transfer_id = p.transfer_id AND t.journal_no = p.journal_no
WHERE t.transfer_id IS NULL OR p.transfer_id IS NULL;
