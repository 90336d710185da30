-- Answers: which files of facts are in, which TLS certificates are served, and who was told of their end.
-- Grain: see the line above each statement; times are UTC without zone.
-- Reads: https_facts, https_fact_files, domain_ownership, outbox.

-- name: last_files
-- One row per edge: the last of its files that is in.
SELECT edge_id, max(number) AS number, arg_max(sha256, number) AS sha256
FROM https_fact_files
GROUP BY edge_id;

-- name: put_files
-- One row per file that one journal record takes in.
INSERT INTO https_fact_files BY NAME
SELECT
    edge_id,
    CAST(number AS BIGINT) AS number,
    sha256,
    CAST(written_at AS TIMESTAMP) AS written_at,
    CAST(sni_mismatches AS BIGINT) AS sni_mismatches,
    CAST(facts AS BIGINT) AS facts,
    CAST($journal_no AS BIGINT) AS journal_no
FROM effect_files;

-- name: put_facts
-- One row per fact of these files.
INSERT INTO https_facts BY NAME
SELECT
    edge_id,
    CAST(number AS BIGINT) AS number,
    domain,
    CAST(changed_at AS TIMESTAMP) AS changed_at,
    CAST(live_at AS TIMESTAMP) AS live_at,
    CAST(https AS BOOLEAN) AS https,
    redirect,
    CAST(http2 AS BOOLEAN) AS http2,
    CAST(http3 AS BOOLEAN) AS http3,
    tls_min,
    CAST(hsts_seconds AS BIGINT) AS hsts_seconds,
    certificate_sha256,
    issuer,
    CAST(not_before AS TIMESTAMP) AS not_before,
    CAST(not_after AS TIMESTAMP) AS not_after
FROM effect_facts;

-- name: served_certificates
-- One row per domain and TLS certificate that some edge serves now, and the account that owns the domain at $now.
WITH newest AS (
    SELECT *
    FROM https_facts
    QUALIFY row_number() OVER (PARTITION BY edge_id, domain ORDER BY changed_at DESC, number DESC) = 1
),

owned AS (
    SELECT domain, account_id
    FROM domain_ownership
    WHERE effective_from <= $now AND (effective_to IS NULL OR effective_to > $now)
)

SELECT
    n.domain,
    any_value(coalesce(exact.account_id, wildcard.account_id, '')) AS account_id,
    n.certificate_sha256 AS sha256,
    any_value(n.issuer) AS issuer,
    any_value(n.not_before) AS not_before,
    any_value(n.not_after) AS not_after,
    list(n.edge_id ORDER BY n.edge_id) AS edges
FROM newest AS n
LEFT JOIN owned AS exact ON exact.domain = n.domain
LEFT JOIN owned AS wildcard ON wildcard.domain = '*' || substr(n.domain, instr(n.domain, '.'))
WHERE n.https AND n.not_after IS NOT NULL
GROUP BY n.domain, n.certificate_sha256
ORDER BY n.domain, n.certificate_sha256;

-- name: told_certificates
-- One row per domain, TLS certificate and kind of message: the least number of days before its end that was told of.
SELECT
    json_extract_string(body, '$.data.domain') AS domain,
    json_extract_string(body, '$.data.certificate_sha256') AS sha256,
    min(CASE WHEN kind = 'alert.tls_expiry' THEN CAST(json_extract_string(body, '$.data.days') AS INTEGER) END) AS days,
    bool_or(kind = 'alert.tls_renewed') AS is_over,
    any_value(account_id) AS account_id
FROM outbox
WHERE kind IN ('alert.tls_expiry', 'alert.tls_renewed')
GROUP BY 1, 2
ORDER BY 1, 2;
