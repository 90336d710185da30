-- Routes: which tally and which rate card price each quantity; what has none is found in the next chapter.
-- A tally is what accumulates together: one item in one scope of one price book (billing.prices.compiled).
-- Reads: rating_input, rating_samples, rating_buckets, rating_accounts, price_tallies, price_regions, price_scopes, price_force, rating_plan_buyers.

-- name: routes
-- One row per book × region label × item × stretch: the narrowest scope that has any card (DOMAIN §10.13), then
-- the card in force; tally or card is NULL where there is none. Accounts with prices of their own: one row per
-- account × tally × stretch. by_sum: nothing but quantity, quota and curve makes its cost: neither fixed terms nor
-- periods of their own. route_no: its number.
CREATE OR REPLACE TEMP TABLE rating_routes AS
WITH labels AS (
    SELECT DISTINCT book, label FROM rating_input
    UNION
    SELECT DISTINCT book, label FROM rating_samples
), stretches AS (
    SELECT DISTINCT stretch FROM rating_buckets
), sold AS (
    SELECT DISTINCT book, item_no, item FROM price_tallies
), regions AS (
    SELECT
        l.book, l.label, s.item_no, s.item,
        CASE
            WHEN s.item = 'percentile95_bandwidth' AND r.region <> 'CN' THEN 'OverSeas'
            ELSE r.region
        END AS region
    FROM labels AS l
    JOIN sold AS s ON s.book = l.book
    LEFT JOIN price_regions AS r ON r.book = l.book AND r.label = l.label
), tallies AS (
    SELECT
        p.book, p.label, p.item_no, p.item, p.region,
        arg_min(n.tally, CASE n.scope WHEN 'all' THEN 3 WHEN 'OverSeas' THEN 2 ELSE 1 END) AS tally
    FROM regions AS p
    LEFT JOIN price_tallies AS n
        ON n.book = p.book AND n.item_no = p.item_no
        AND (
            n.scope = 'all' OR n.scope = p.region
            OR (n.scope = 'OverSeas' AND p.region IS NOT NULL AND p.region <> 'CN')
        )
    GROUP BY ALL
)
SELECT
    row_number() OVER () AS route_no, l.book, l.label, l.item_no, l.tally, e.stretch,
    CASE WHEN l.item_no <= 3 THEN n.scope ELSE coalesce(l.region, '?') END AS region,
    p.scope_no, f.card, f.force_no, f.force_from, f.force_until,
    NOT (n.has_terms OR n.by_period) AS by_sum
FROM tallies AS l
CROSS JOIN stretches AS e
LEFT JOIN price_tallies AS n ON n.tally = l.tally
LEFT JOIN price_scopes AS p
    ON p.scope = CASE WHEN l.item_no <= 3 THEN n.scope ELSE coalesce(l.region, '?') END
LEFT JOIN price_force AS f
    ON f.tally = l.tally AND f.account_id IS NULL
    AND e.stretch >= f.force_from AND e.stretch < f.force_until;
CREATE OR REPLACE TEMP TABLE rating_account_routes AS
SELECT a.account_key, f.tally, e.stretch, f.card, f.force_no, f.force_from, f.force_until
FROM price_force AS f
JOIN rating_accounts AS a ON a.account_id = f.account_id
JOIN (SELECT DISTINCT stretch FROM rating_buckets) AS e
    ON e.stretch >= f.force_from AND e.stretch < f.force_until;

-- name: sold_usage
-- One row per account × hour × month × stretch × item × region label. An account pays traffic by its basic item
-- alone; requests are sold beside it (DOMAIN §1.1). plain: the only usage of its tally that is rated, with one card and no
-- plan that might pay; what it costs needs no order (amounts/plain).
CREATE OR REPLACE TEMP TABLE rating_sold AS
WITH quantities AS (
    SELECT account_key, book, hour, turn, late, month, stretch, label, piece_from, piece_until, alone,
        1 AS item_no, https_requests AS quantity
    FROM rating_input WHERE https_requests <> 0
    UNION ALL
    SELECT account_key, book, hour, turn, late, month, stretch, label, piece_from, piece_until, alone,
        2, quic_requests
    FROM rating_input WHERE quic_requests <> 0
    UNION ALL
    SELECT account_key, book, hour, turn, late, month, stretch, label, piece_from, piece_until, alone,
        3, http_requests
    FROM rating_input WHERE http_requests <> 0
    UNION ALL
    SELECT account_key, book, hour, turn, late, month, stretch, label, piece_from, piece_until, alone,
        4, bytes_sent
    FROM rating_input WHERE bytes_sent <> 0 AND basic_item_no = 4
)
SELECT
    q.account_key, r.route_no::INTEGER AS route_no, q.hour, q.turn, q.late, q.month, r.tally, r.scope_no, coalesce(o.card, r.card) AS card,
    coalesce(o.force_no, r.force_no) AS force_no,
    greatest(q.piece_from, coalesce(o.force_from, r.force_from)) AS period_start,
    least(q.piece_until, coalesce(o.force_until, r.force_until)) AS period_end, q.quantity,
    coalesce(q.alone AND r.by_sum AND b.account_key IS NULL, FALSE) AS plain
FROM quantities AS q
JOIN rating_routes AS r
    ON r.book = q.book AND r.label = q.label AND r.item_no = q.item_no AND r.stretch = q.stretch
LEFT JOIN rating_account_routes AS o
    ON o.account_key = q.account_key AND o.tally = r.tally AND o.stretch = q.stretch
LEFT JOIN rating_plan_buyers AS b ON b.account_key = q.account_key AND b.item_no = q.item_no;

-- name: sold_bandwidth
-- One row per account × item × period × region: the billed sample, with the card in force at the start of the
-- period (DOMAIN §10.10).
CREATE OR REPLACE TEMP TABLE rating_sold_bandwidth AS
WITH routed AS (
    SELECT
        s.account_key, s.item_no, s.month, s.starts_at, s.ends_at, s.rank, s.weight, s.bucket,
        r.tally, r.region, r.scope_no, coalesce(o.card, r.card) AS card,
        coalesce(o.force_no, r.force_no) AS force_no,
        any_value(s.label) AS label, any_value(s.book) AS book, sum(s.bytes_sent) AS bytes_sent
    FROM rating_samples AS s
    JOIN rating_accounts AS a ON a.account_key = s.account_key
    JOIN rating_buckets AS b ON b.timezone = a.timezone AND b.bucket = s.starts_at
    JOIN rating_routes AS r
        ON r.book = s.book AND r.label = s.label AND r.item_no = s.item_no AND r.stretch = b.stretch
    LEFT JOIN rating_account_routes AS o
        ON o.account_key = s.account_key AND o.tally = r.tally AND o.stretch = b.stretch
    GROUP BY ALL
)
SELECT
    account_key, item_no, month, starts_at, ends_at, weight, tally, region, scope_no, card, force_no,
    label, book, date_trunc('hour', ends_at - INTERVAL 5 MINUTE) AS hour, bytes_sent AS quantity
FROM routed
QUALIFY row_number() OVER (
    PARTITION BY account_key, item_no, starts_at, tally, region ORDER BY bytes_sent DESC, bucket
) = rank;
