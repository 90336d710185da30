-- Requests whose Host was another name than the handshake's: how many an edge refused since it told of them before.
-- Grain: one row per edge × file of facts that has new ones.
-- Reads: https_fact_files.
-- Read by: sql/views/https_anomalies.sql.
WITH told AS (
    SELECT
        edge_id,
        written_at,
        sni_mismatches,
        lag(sni_mismatches, 1, 0) OVER (PARTITION BY edge_id ORDER BY number) AS before
    FROM https_fact_files
)

-- An edge that lost its counts begins at nothing again.
SELECT
    edge_id,
    written_at,
    CASE WHEN sni_mismatches >= before THEN sni_mismatches - before ELSE sni_mismatches END AS requests
FROM told
WHERE sni_mismatches <> before
ORDER BY edge_id, written_at;
