-- Answers: the usage of some hours as it is handed on, random names folded (DESIGN 3.5, FAULTS D7, D8).
-- Grain: hour x 5-minute bucket x domain x region x class; domain NULL is unattributed.
-- Reads: usage, wanted_hours (Arrow: hour), owned_names (Arrow: name, exact or `*.parent`).
-- An owned name keeps its name. Of the names under one wildcard, and of those nobody owns, the
-- $names_kept with most requests (ties by name) keep theirs; the rest becomes the wildcard, or NULL.
WITH summed AS (
    SELECT
        wanted.hour, u.bucket, u.domain, u.region, u.class,
        sum(u.requests) AS requests,
        sum(u.bytes_sent) AS bytes_sent,
        sum(u.status_0xx) AS status_0xx,
        sum(u.status_1xx) AS status_1xx,
        sum(u.status_2xx) AS status_2xx,
        sum(u.status_3xx) AS status_3xx,
        sum(u.status_4xx) AS status_4xx,
        sum(u.status_5xx) AS status_5xx,
        sum(u.cache_hits) AS cache_hits
    FROM usage AS u
    INNER JOIN wanted_hours AS wanted ON wanted.hour = date_trunc('hour', u.bucket)
    WHERE u.partition = $partition
    GROUP BY wanted.hour, u.bucket, u.domain, u.region, u.class
),

named AS (
    SELECT
        n.hour, n.domain, n.requests,
        exact.name IS NOT NULL AS is_owned,
        wild.name AS wildcard
    FROM (
        SELECT hour, domain, sum(requests) AS requests
        FROM summed
        WHERE domain IS NOT NULL
        GROUP BY hour, domain
    ) AS n
    LEFT JOIN owned_names AS exact ON exact.name = n.domain
    LEFT JOIN owned_names AS wild
        ON wild.name = '*.' || substr(n.domain, instr(n.domain, '.') + 1)
),

ranked AS (
    SELECT
        hour, domain, is_owned, wildcard,
        row_number() OVER (
            PARTITION BY hour, is_owned, wildcard ORDER BY requests DESC, domain
        ) AS place
    FROM named
),

folded AS (
    SELECT
        hour, domain,
        CASE WHEN is_owned OR place <= $names_kept THEN domain ELSE wildcard END AS kept
    FROM ranked
)

SELECT
    summed.hour, summed.bucket, folded.kept AS domain, summed.region, summed.class,
    sum(summed.requests)::BIGINT AS requests,
    sum(summed.bytes_sent)::BIGINT AS bytes_sent,
    sum(summed.status_0xx)::BIGINT AS status_0xx,
    sum(summed.status_1xx)::BIGINT AS status_1xx,
    sum(summed.status_2xx)::BIGINT AS status_2xx,
    sum(summed.status_3xx)::BIGINT AS status_3xx,
    sum(summed.status_4xx)::BIGINT AS status_4xx,
    sum(summed.status_5xx)::BIGINT AS status_5xx,
    sum(summed.cache_hits)::BIGINT AS cache_hits
FROM summed
LEFT JOIN folded ON folded.hour = summed.hour AND folded.domain = summed.domain
GROUP BY summed.hour, summed.bucket, folded.kept, summed.region, summed.class
ORDER BY summed.hour, summed.bucket, folded.kept NULLS LAST, summed.region, summed.class
