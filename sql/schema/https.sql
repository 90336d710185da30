-- Answers: what billing.duckdb knows of HTTPS at the edges: what each of them told (private to billing, one writer).
-- Grain: see the line above each table; times are UTC without zone. Nothing is counted or charged by them.
-- Reads: nothing. Written by journal records of kind `https_facts`.

-- One row per file of facts taken in. sni_mismatches: requests refused so far for another Host than the handshake's name.
CREATE TABLE IF NOT EXISTS https_fact_files (
    edge_id VARCHAR NOT NULL,
    number BIGINT NOT NULL CHECK (number >= 1),
    sha256 VARCHAR NOT NULL,
    written_at TIMESTAMP NOT NULL,
    sni_mismatches BIGINT NOT NULL,
    facts BIGINT NOT NULL,
    journal_no BIGINT NOT NULL
);

-- One row per fact told: how a domain is served by an edge from live_at on. An edge that was killed may tell one twice.
CREATE TABLE IF NOT EXISTS https_facts (
    edge_id VARCHAR NOT NULL,
    number BIGINT NOT NULL,
    domain VARCHAR NOT NULL,
    changed_at TIMESTAMP NOT NULL,
    live_at TIMESTAMP NOT NULL,
    https BOOLEAN NOT NULL,
    redirect VARCHAR NOT NULL,
    http2 BOOLEAN NOT NULL,
    http3 BOOLEAN NOT NULL,
    tls_min VARCHAR NOT NULL,
    hsts_seconds BIGINT NOT NULL,
    certificate_sha256 VARCHAR NOT NULL,
    issuer VARCHAR NOT NULL,
    not_before TIMESTAMP,
    not_after TIMESTAMP
);
