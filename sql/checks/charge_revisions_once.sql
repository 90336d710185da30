-- Each account, item, region, month, period and rate card has each revision once (FAULTS P2).
-- Grain: one row per revision that stands twice.
-- Reads: filed_charges.
-- Read by: billing/checks/invariants.py.
SELECT account_id, item, region, month, period_start, rate_card, revision, count(*) AS times
FROM filed_charges
WHERE period_start >= (SELECT min(period_start) FROM filed_charges WHERE journal_no > $after)
GROUP BY account_id, item, region, month, period_start, rate_card, revision
HAVING count(*) > 1;
