-- What should not be: HTTPS requests of a domain whose HTTPS is off at every edge that told of it (`https_off`: counted and
-- billed all the same), and requests for another name than the handshake's (`sni_mismatch`: refused, on no bill).
-- Grain: one row per kind × domain × account (`https_off`), or kind × edge (`sni_mismatch`).
-- Owner: edge/https.
-- Reads: lake_https_facts, lake_https_mismatches, https_domains, usage_5min.
-- Read by: people (edgetoll sql).
CREATE VIEW https_anomalies AS
WITH managed AS (
    SELECT domain, min(live_at) AS known_from
    FROM lake_https_facts
    GROUP BY domain
),

asked AS (
    SELECT
        u.bucket,
        u.account_id,
        u.domain,
        u.requests,
        coalesce(exact.domain, wildcard.domain) AS managed_domain
    FROM usage_5min AS u
    LEFT JOIN managed AS exact ON exact.domain = u.domain
    LEFT JOIN managed AS wildcard ON wildcard.domain = '*' || substr(u.domain, instr(u.domain, '.'))
    WHERE u.class IN ('https', 'quic')
        AND u.bucket >= coalesce(exact.known_from, wildcard.known_from)
),

-- A change takes up to a minute, and an open connection is served to its end: 5 minutes after HTTPS went off count as on.
off AS (
    SELECT a.bucket, a.account_id, a.domain, a.requests
    FROM asked AS a
    WHERE NOT EXISTS (
        SELECT 1
        FROM https_domains AS d
        WHERE d.domain = a.managed_domain
            AND a.bucket + INTERVAL 5 MINUTE > d.enabled_from
            AND a.bucket < coalesce(d.enabled_until, TIMESTAMP '9999-12-31') + INTERVAL 5 MINUTE
    )
)

SELECT
    'https_off' AS kind,
    domain,
    account_id,
    CAST(NULL AS VARCHAR) AS edge_id,
    CAST(sum(requests) AS BIGINT) AS requests,
    min(bucket) AS first_seen,
    max(bucket) + INTERVAL 5 MINUTE AS last_seen
FROM off
GROUP BY domain, account_id
UNION ALL
SELECT
    'sni_mismatch' AS kind,
    CAST(NULL AS VARCHAR) AS domain,
    CAST(NULL AS VARCHAR) AS account_id,
    edge_id,
    CAST(sum(requests) AS BIGINT) AS requests,
    min(written_at) AS first_seen,
    max(written_at) AS last_seen
FROM lake_https_mismatches
GROUP BY edge_id
