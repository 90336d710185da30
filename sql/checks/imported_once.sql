-- Each closed-hour file is imported once, and each partition's certificates are 1..n (DESIGN §3.7).
-- Grain: one row per file that stands twice, or partition with a hole.
-- Reads: imported_files.
-- Read by: billing/checks/invariants.py.
SELECT strftime(hour, '%Y-%m-%dT%H') || ' ' || partition AS what, 'imported twice' AS problem
FROM imported_files
GROUP BY hour, partition, revision
HAVING count(*) > 1
UNION ALL
SELECT partition AS what, 'its certificates have a hole' AS problem
FROM imported_files
GROUP BY partition
HAVING count(DISTINCT certificate_number) <> max(certificate_number);
