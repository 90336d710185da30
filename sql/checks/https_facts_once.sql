-- Each file of facts that edges told is taken in once, whole and in order.
-- Grain: one row per edge with a hole, or file whose facts are fewer or more than it has.
-- Reads: https_fact_files, https_facts.
-- Read by: billing/checks/invariants.py.
SELECT edge_id AS what, 'its files of facts have a hole, or one is in twice' AS problem
FROM https_fact_files
GROUP BY edge_id
HAVING count(*) <> max(number) OR count(DISTINCT number) <> count(*)
UNION ALL
SELECT f.edge_id || ' ' || f.number AS what, 'its facts are not those of the file' AS problem
FROM https_fact_files AS f
LEFT JOIN https_facts AS x ON x.edge_id = f.edge_id AND x.number = f.number
GROUP BY f.edge_id, f.number, f.facts
HAVING count(x.domain) <> f.facts;
