-- Answers: which names of some hours are folded, and into what (DESIGN 3.5, FAULTS D7, D8).
-- Grain: hour x name that does not keep its name; wildcard NULL is unattributed.
-- Reads: usage, wanted_hours (Arrow: hour), owned_names (Arrow: name, exact or `*.parent`).
-- An owned name keeps its name. Of the names under one wildcard, and of those nobody owns, the
-- $names_kept with most requests (ties by name) keep theirs; the rest becomes the wildcard, or NULL.
CREATE OR REPLACE TEMP TABLE folded_names AS
WITH named AS (
    SELECT wanted.hour, u.domain, sum(u.requests) AS requests
    FROM usage AS u
    INNER JOIN wanted_hours AS wanted ON wanted.hour = date_trunc('hour', u.bucket)
    WHERE
        u.partition = $partition
        AND u.bucket >= $first_bucket AND u.bucket <= $last_bucket
        AND u.domain IS NOT NULL
    GROUP BY wanted.hour, u.domain
),

unowned AS (
    SELECT named.hour, named.domain, named.requests, wild.name AS wildcard
    FROM named
    ANTI JOIN owned_names AS exact ON exact.name = named.domain
    LEFT JOIN owned_names AS wild
        ON wild.name = '*.' || substr(named.domain, instr(named.domain, '.') + 1)
)

SELECT hour, domain, wildcard
FROM unowned
QUALIFY
    row_number() OVER (PARTITION BY hour, wildcard ORDER BY requests DESC, domain) > $names_kept
