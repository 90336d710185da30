-- How each domain's HTTPS was served by each edge, from when: what the edges told, each change once.
-- Grain: one row per edge × domain × change.
-- Reads: https_facts.
-- Read by: sql/views/https_domains.sql.
SELECT
    edge_id,
    domain,
    changed_at,
    min(live_at) AS live_at,
    any_value(https) AS https,
    any_value(redirect) AS redirect,
    any_value(http2) AS http2,
    any_value(http3) AS http3,
    any_value(tls_min) AS tls_min,
    any_value(hsts_seconds) AS hsts_seconds,
    any_value(certificate_sha256) AS certificate_sha256,
    any_value(not_after) AS not_after
FROM https_facts
GROUP BY edge_id, domain, changed_at
ORDER BY edge_id, domain, changed_at;
