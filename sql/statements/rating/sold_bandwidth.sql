-- Answers: the billed sample of each account, period and region, with the card in force at the start of
-- the period (DOMAIN §10.10).
-- Grain: account × item × period × region. Temporary.
-- Reads: rating_samples, rating_accounts, rating_buckets, rating_routes, rating_account_routes.
CREATE OR REPLACE TEMP TABLE rating_sold_bandwidth AS
WITH routed AS (
    SELECT
        s.account_key, s.item_no, s.month, s.starts_at, s.ends_at, s.rank, s.weight, s.bucket,
        r.lane, r.region, r.place_no, coalesce(o.card, r.card) AS card,
        coalesce(o.force_no, r.force_no) AS force_no,
        any_value(s.label) AS label, any_value(s.book) AS book, sum(s.bytes_sent) AS bytes_sent
    FROM rating_samples AS s
    JOIN rating_accounts AS a ON a.account_key = s.account_key
    JOIN rating_buckets AS b ON b.timezone = a.timezone AND b.bucket = s.starts_at
    JOIN rating_routes AS r
        ON r.book = s.book AND r.label = s.label AND r.item_no = s.item_no AND r.epoch = b.epoch
    LEFT JOIN rating_account_routes AS o
        ON o.account_key = s.account_key AND o.lane = r.lane AND o.epoch = b.epoch
    GROUP BY ALL
)
SELECT
    account_key, item_no, month, starts_at, ends_at, weight, lane, region, place_no, card, force_no,
    label, book, date_trunc('hour', ends_at - INTERVAL 5 MINUTE) AS hour, bytes_sent AS quantity
FROM routed
QUALIFY row_number() OVER (
    PARTITION BY account_key, item_no, starts_at, lane, region ORDER BY bytes_sent DESC, bucket
) = rank;
