-- Each account, item, region, month, period and rate card has each revision once (FAULTS P2).
-- Grain: one row per revision that stands twice.
-- Reads: filed_charges. Rows are told apart by a hash first, and compared in full only where two have the same.
-- Read by: billing/checks/invariants.py.
WITH filed AS (
    SELECT
        account_id, item, region, month, period_start, rate_card, revision,
        hash(account_id, item, region, month, period_start, rate_card, revision) AS mark
    FROM filed_charges
    WHERE period_start >= (SELECT min(period_start) FROM filed_charges WHERE journal_no > $after)
)

SELECT account_id, item, region, month, period_start, rate_card, revision, count(*) AS times
FROM filed
WHERE mark IN (SELECT mark FROM filed GROUP BY mark HAVING count(*) > 1)
GROUP BY account_id, item, region, month, period_start, rate_card, revision
HAVING count(*) > 1;
