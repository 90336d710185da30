-- Answers: whose each domain is, how that account stands and what HTTPS costs it: what edges are told before a domain's
-- HTTPS is switched on.
-- Grain: one row; `lines` has a JSON line per name that is owned now, by name.
-- Reads: domain_ownership, accounts, account_state, balances, price_cards, price_tiers, price_periods, usage,
-- imported_files.

-- name: owned_names
-- One row: how many names are owned at $now.
SELECT count(DISTINCT domain) AS names
FROM domain_ownership
WHERE effective_from <= $now AND (effective_to IS NULL OR effective_to > $now);

-- name: lines
-- Usage is that of the last imported hours: a week of them, or as many as have $rows_most rows at most, so that a million
-- names cost no more than an hour's import; the last one always. The price is the highest that a tier or a region has
-- today, percentage off: free quotas and plans can make it less, nothing makes it more.
WITH owned AS (
    SELECT domain, account_id
    FROM domain_ownership
    WHERE effective_from <= $now AND (effective_to IS NULL OR effective_to > $now)
),

files AS (
    SELECT hour, sum(rows) AS rows
    FROM imported_files
    WHERE NOT too_old
    GROUP BY hour
),

weighed AS (
    SELECT
        hour,
        sum(rows) OVER (ORDER BY hour DESC) > $rows_most AND hour < (SELECT max(hour) FROM files) AS is_too_far
    FROM files
),

spent AS (
    SELECT
        greatest(
            min(hour), max(hour) - INTERVAL 167 HOUR, max(hour) FILTER (is_too_far) + INTERVAL 1 HOUR
        ) AS first_hour,
        date_diff('hour', first_hour, max(hour)) + 1 AS hours
    FROM weighed
),

asked AS (
    SELECT coalesce(exact.domain, wildcard.domain) AS domain, sum(u.requests) AS requests
    FROM usage AS u
    LEFT JOIN owned AS exact ON exact.domain = u.domain
    LEFT JOIN owned AS wildcard ON wildcard.domain = '*' || substr(u.domain, instr(u.domain, '.'))
    WHERE u.hour >= (SELECT first_hour FROM spent) AND u.account_id IS NOT NULL
    GROUP BY 1
),

cards AS (
    SELECT
        c.book,
        c.account_id,
        c.currency,
        c.unit_quantity,
        max(CAST(t.unit_price AS HUGEINT) * (1000000 - c.discount_millionths)) AS price
    FROM price_cards AS c
    INNER JOIN price_tiers AS t ON t.card_id = c.card_id
    INNER JOIN price_periods AS p ON p.card_id = c.card_id
    WHERE c.item = 'https_requests' AND p.in_force_from <= $now AND p.in_force_until > $now
    GROUP BY ALL
),

-- The account's own card before the general one; of several regions the dearest.
priced AS (
    SELECT a.account_id, c.price, c.unit_quantity
    FROM accounts AS a
    INNER JOIN cards AS c
        ON c.book = a.price_book
        AND c.currency = a.currency
        AND (c.account_id = a.account_id OR c.account_id IS NULL)
    QUALIFY row_number() OVER (
        PARTITION BY a.account_id
        ORDER BY c.account_id NULLS LAST, c.price * (1000000000000 // c.unit_quantity) DESC
    ) = 1
),

told AS (
    SELECT
        o.domain,
        o.account_id,
        coalesce(s.state, 'ok') AS state,
        a.currency,
        CAST(CAST(a.credit_limit + coalesce(b.cash + b.vouchers - b.charged, 0) AS DECIMAL(38, 0))
            * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10))::VARCHAR AS available,
        CAST(CAST(p.price AS DECIMAL(38, 0)) * 0.0000000000000001::DECIMAL(16, 16) AS DECIMAL(38, 16))::VARCHAR
            AS price,
        p.unit_quantity AS per,
        CAST(coalesce(u.requests, 0) AS BIGINT) AS requests,
        coalesce((SELECT hours FROM spent), 0) AS hours
    FROM owned AS o
    INNER JOIN accounts AS a ON a.account_id = o.account_id
    LEFT JOIN balances AS b ON b.account_id = a.account_id AND b.currency = a.currency
    LEFT JOIN account_state AS s ON s.account_id = o.account_id
    LEFT JOIN priced AS p ON p.account_id = o.account_id
    LEFT JOIN asked AS u ON u.domain = o.domain
)

SELECT
    count(*) AS names,
    coalesce(string_agg(CAST(to_json(told) AS VARCHAR), chr(10) ORDER BY domain), '') AS lines
FROM told;
