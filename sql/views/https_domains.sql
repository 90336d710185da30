-- Which domains have HTTPS on, at which edge, from when until when, with what certificate: as the edges proved it.
-- Grain: one row per edge × domain × period with HTTPS on; settings and certificate are the last of the period.
-- Owner: edge/https.
-- Reads: lake_https_facts, lake_domains.
-- Read by: people (edgetoll sql), sql/views/https_anomalies.sql.
CREATE VIEW https_domains AS
WITH runs AS (
    SELECT
        domain,
        edge_id,
        changed_at,
        live_at,
        https,
        redirect,
        tls_min,
        http2,
        http3,
        hsts_seconds,
        certificate_sha256,
        not_after,
        count(*) FILTER (NOT https) OVER (
            PARTITION BY edge_id, domain ORDER BY changed_at ROWS UNBOUNDED PRECEDING
        ) AS run,
        lead(live_at) OVER (PARTITION BY edge_id, domain ORDER BY changed_at) AS next_at
    FROM lake_https_facts
),

periods AS (
    SELECT
        domain,
        edge_id,
        min(live_at) AS enabled_from,
        arg_max_null(next_at, changed_at) AS enabled_until,
        arg_max(redirect, changed_at) AS redirect,
        arg_max(tls_min, changed_at) AS tls_min,
        arg_max(http2, changed_at) AS http2,
        arg_max(http3, changed_at) AS http3,
        arg_max(hsts_seconds, changed_at) AS hsts_seconds,
        arg_max(certificate_sha256, changed_at) AS certificate_sha256,
        arg_max(not_after, changed_at) AS expires,
        max(live_at) AS changed_at
    FROM runs
    WHERE https
    GROUP BY edge_id, domain, run
)

SELECT
    p.domain,
    coalesce(exact.account_id, wildcard.account_id) AS account_id,
    p.enabled_from,
    p.enabled_until,
    p.redirect,
    p.tls_min,
    p.certificate_sha256,
    p.expires,
    p.http2,
    p.http3,
    p.hsts_seconds,
    p.edge_id,
    p.changed_at
FROM periods AS p
LEFT JOIN lake_domains AS exact
    ON exact.domain = p.domain
    AND p.changed_at >= exact.effective_from
    AND p.changed_at < coalesce(exact.effective_to, TIMESTAMP '9999-12-31')
LEFT JOIN lake_domains AS wildcard
    ON wildcard.domain = '*' || substr(p.domain, instr(p.domain, '.'))
    AND p.changed_at >= wildcard.effective_from
    AND p.changed_at < coalesce(wildcard.effective_to, TIMESTAMP '9999-12-31')
