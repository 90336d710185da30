-- Usage: what was used in the range to be rated, added up as far as nothing changes its price.
-- A stretch is a time without any price change, named by its beginning; usage of one stretch, month and label adds up.
-- Reads: rating_usage, rating_accounts, rating_method_periods, rating_months, rating_days, price_force, issued_months, rating_marks.

-- name: buckets
-- One row per time zone and 5-minute bucket: its local month, its stretch, and the piece of its hour that the
-- month leaves it (+5:45 cuts a month inside a UTC hour).
CREATE OR REPLACE TEMP TABLE rating_buckets AS
WITH changes AS (
    SELECT force_from AS edge FROM price_force
    UNION
    SELECT force_until FROM price_force
    UNION
    SELECT TIMESTAMP '1970-01-01'
), stretches AS (
    SELECT
        edge AS starts_at,
        lead(edge, 1, TIMESTAMP '9999-12-31') OVER (ORDER BY edge) AS ends_at
    FROM changes
), ticks AS (
    SELECT unnest(generate_series(
        $since::TIMESTAMP, $through::TIMESTAMP - INTERVAL 5 MINUTE, INTERVAL 5 MINUTE
    )) AS bucket
)
SELECT
    m.timezone, t.bucket, m.number AS month, s.starts_at AS stretch,
    greatest(date_trunc('hour', t.bucket), m.starts_at) AS piece_from,
    least(date_trunc('hour', t.bucket) + INTERVAL 1 HOUR, m.ends_at) AS piece_until,
    dense_rank() OVER (
        ORDER BY m.timezone, date_trunc('hour', t.bucket), m.number, s.starts_at
    )::INTEGER AS piece
FROM ticks AS t
JOIN stretches AS s ON t.bucket >= s.starts_at AND t.bucket < s.ends_at
JOIN rating_months AS m ON t.bucket >= m.starts_at AND t.bucket < m.ends_at;

-- name: pieces
-- One row per piece. alone: it is all that is new in its zone, as in the usual run of one hour.
CREATE OR REPLACE TEMP TABLE rating_pieces AS
WITH pieces AS (
    SELECT DISTINCT
        piece, timezone, date_trunc('hour', bucket) AS hour, month, stretch, piece_from, piece_until
    FROM rating_buckets
)
SELECT
    *, count(*) FILTER (hour >= $last_through) OVER (PARTITION BY timezone) = 1 AS alone
FROM pieces;

-- name: input_of_new_hours
-- One row per account × hour × local month × stretch × basic item × region label, of accounts whose past stands.
-- turn: the hour in whose order it uses quotas, plans and tiers. alone: nothing else of its account is rated.
CREATE OR REPLACE TEMP TABLE rating_input AS
WITH added AS (
    SELECT
        a.account_key, b.piece, coalesce(p.item_no, a.basic_item_no) AS basic_item_no,
        u.region AS label,
        sum(CASE WHEN u.class = 'https' THEN u.requests ELSE 0 END) AS https_requests,
        sum(CASE WHEN u.class = 'quic' THEN u.requests ELSE 0 END) AS quic_requests,
        sum(CASE WHEN u.class = 'http' THEN u.requests ELSE 0 END) AS http_requests,
        sum(u.bytes_sent) AS bytes_sent
    FROM rating_usage AS u
    JOIN rating_accounts AS a ON a.account_id = u.account_id
    JOIN rating_buckets AS b ON b.timezone = a.timezone AND b.bucket = u.bucket
    LEFT JOIN rating_method_periods AS p
        ON p.account_key = a.account_key AND u.bucket >= p.starts_at AND u.bucket < p.ends_at
    WHERE a.replay_from IS NULL AND u.hour >= $last_through AND u.hour < $through
    GROUP BY ALL
)
SELECT
    s.account_key, a.book, g.hour, g.hour AS turn, FALSE AS late, g.month, g.stretch,
    s.basic_item_no, s.label, rating_whole(s.https_requests) AS https_requests,
    rating_whole(s.quic_requests) AS quic_requests, rating_whole(s.http_requests) AS http_requests,
    rating_whole(s.bytes_sent) AS bytes_sent, g.piece_from, g.piece_until, g.alone
FROM added AS s
JOIN rating_pieces AS g ON g.piece = s.piece
JOIN rating_accounts AS a ON a.account_key = s.account_key;

-- name: input_of_replays
-- The same of all usage of replayed accounts, from their first changed month on. Usage that came after its month
-- was issued is late: its turn is when it was first rated (DOMAIN §10.12).
INSERT INTO rating_input
WITH seen AS (
    SELECT
        lag(import_no, 1, -1) OVER (ORDER BY import_no, through) AS after_no, import_no, through
    FROM (SELECT import_no, min(through) AS through FROM rating_marks GROUP BY import_no)
), issued AS (
    SELECT a.account_key, m.number AS month, max(i.import_no) AS import_no
    FROM issued_months AS i
    JOIN rating_accounts AS a ON a.account_id = i.account_id
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.month = i.month
    GROUP BY ALL
), chosen AS (
    SELECT
        a.account_key, a.book, u.hour, b.month, b.stretch, u.region AS label, u.class, u.requests,
        u.bytes_sent, coalesce(p.item_no, a.basic_item_no) AS basic_item_no,
        coalesce(u.import_no > i.import_no, FALSE) AS late,
        CASE WHEN u.import_no > i.import_no THEN u.import_no END AS late_no,
        b.piece_from, b.piece_until
    FROM rating_usage AS u
    JOIN rating_accounts AS a ON a.account_id = u.account_id AND a.replay_from IS NOT NULL
    JOIN rating_buckets AS b ON b.timezone = a.timezone AND b.bucket = u.bucket
    LEFT JOIN rating_method_periods AS p
        ON p.account_key = a.account_key AND u.bucket >= p.starts_at AND u.bucket < p.ends_at
    LEFT JOIN issued AS i ON i.account_key = a.account_key AND i.month = b.month
    WHERE u.bucket >= a.replay_from AND u.hour < $through
)
SELECT
    c.account_key, c.book, c.hour,
    CASE WHEN c.late THEN coalesce(s.through, $through::TIMESTAMP) ELSE c.hour END AS turn,
    c.late, c.month, c.stretch, c.basic_item_no, c.label,
    sum(CASE WHEN c.class = 'https' THEN c.requests ELSE 0 END),
    sum(CASE WHEN c.class = 'quic' THEN c.requests ELSE 0 END),
    sum(CASE WHEN c.class = 'http' THEN c.requests ELSE 0 END),
    sum(c.bytes_sent), any_value(c.piece_from), any_value(c.piece_until), FALSE
FROM chosen AS c
LEFT JOIN seen AS s ON c.late_no > s.after_no AND c.late_no <= s.import_no
GROUP BY ALL;

-- name: bandwidth_periods
-- One row per account and day (peak) or effective part of a month (95th percentile) that can now be billed.
-- rank: which sample, from the largest, is billed: the first of a day; for the 95th percentile the one after the
-- floor(5 %) that are dropped, zeros counted (DOMAIN §1.8, §10.10). weight: the part of the month that is
-- effective, in PERCENTILE_FACTOR-ths ($factor). Days count from the account's opening to its closing; what it used
-- before is not given away: then they count from its first usage.
CREATE OR REPLACE TEMP TABLE rating_bandwidth_periods AS
WITH methods AS (
    SELECT account_key, item_no, starts_at, ends_at FROM rating_method_periods
    UNION ALL
    SELECT a.account_key, a.basic_item_no, TIMESTAMP '1970-01-01', TIMESTAMP '9999-01-01'
    FROM rating_accounts AS a
    ANTI JOIN rating_method_periods AS p ON p.account_key = a.account_key
    WHERE a.basic_item_no IN (5, 6)
), spans AS (
    SELECT a.account_key, a.account_id, a.book, a.timezone, m.item_no, a.replay_from,
        m.starts_at, m.ends_at, a.opened_at, a.closes_at
    FROM methods AS m JOIN rating_accounts AS a ON a.account_key = m.account_key
    WHERE m.item_no IN (5, 6) AND a.has_book AND a.currency_fits
), used_early AS (
    SELECT s.account_key, min(u.bucket) AS bucket
    FROM (SELECT DISTINCT account_key, account_id, opened_at FROM spans) AS s
    JOIN rating_usage AS u ON u.account_id = s.account_id AND u.bucket < s.opened_at
    WHERE u.bucket >= $since
    GROUP BY s.account_key
), effective AS (
    SELECT
        s.account_key, s.account_id, s.book, s.item_no, s.replay_from, d.number AS month, d.day,
        d.starts_at, d.ends_at, s.closes_at
    FROM spans AS s
    LEFT JOIN used_early AS e ON e.account_key = s.account_key
    JOIN rating_days AS d
        ON d.timezone = s.timezone AND d.starts_at >= s.starts_at AND d.starts_at < s.ends_at
        AND d.ends_at > least(s.opened_at, e.bucket) AND d.starts_at < s.closes_at
), periods AS (
    SELECT account_key, account_id, book, item_no, replay_from, month, starts_at, ends_at,
        1::BIGINT AS rank, 1::HUGEINT AS weight
    FROM effective
    WHERE item_no = 5
    UNION ALL
    SELECT
        e.account_key, e.account_id, e.book, e.item_no, e.replay_from, e.month, min(e.starts_at),
        max(e.ends_at),
        epoch(max(e.ends_at) - min(e.starts_at))::BIGINT // 300 * 5 // 100 + 1,
        count(*)::HUGEINT * ($factor // any_value(m.days))
    FROM effective AS e
    JOIN rating_accounts AS a ON a.account_key = e.account_key
    JOIN rating_months AS m ON m.timezone = a.timezone AND m.number = e.month
    WHERE e.item_no = 6
    GROUP BY ALL
    HAVING max(e.ends_at) >= least(any_value(m.ends_at), any_value(e.closes_at))
)
SELECT account_key, account_id, book, item_no, month, starts_at, ends_at, rank, weight
FROM periods
WHERE ends_at <= $through
    AND CASE WHEN replay_from IS NULL THEN ends_at > $last_through ELSE starts_at >= replay_from END;

-- name: no_bandwidth
-- Where nobody buys or ever bought by bandwidth.
CREATE OR REPLACE TEMP TABLE rating_samples (book VARCHAR, label VARCHAR);
CREATE OR REPLACE TEMP TABLE rating_sold_bandwidth (
    account_key BIGINT, item_no INTEGER, month BIGINT, starts_at TIMESTAMP, ends_at TIMESTAMP, weight HUGEINT,
    tally INTEGER, region VARCHAR, scope_no BIGINT, card INTEGER, force_no BIGINT, label VARCHAR, book VARCHAR,
    hour TIMESTAMP, quantity HUGEINT
);

-- name: samples
-- One row per account × item × period × region label × 5-minute bucket: its bytes.
CREATE OR REPLACE TEMP TABLE rating_samples AS
SELECT
    p.account_key, p.book, p.item_no, p.month, p.starts_at, p.ends_at, p.rank, p.weight,
    u.region AS label, u.bucket, sum(u.bytes_sent) AS bytes_sent
FROM rating_usage AS u
JOIN rating_bandwidth_periods AS p
    ON p.account_id = u.account_id AND u.bucket >= p.starts_at AND u.bucket < p.ends_at
WHERE u.hour < $through
GROUP BY ALL
HAVING sum(u.bytes_sent) > 0;
