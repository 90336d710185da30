-- Answers: the new usage of accounts whose past stands, added up as far as nothing changes its price.
-- Grain: account × hour × local month × epoch × basic item × region label. Temporary.
-- Reads: rating_usage, rating_accounts, rating_buckets, rating_method_periods.
CREATE OR REPLACE TEMP TABLE rating_input AS
SELECT
    a.account_key, a.book, u.hour, u.hour AS placed, FALSE AS late, b.month, b.epoch,
    coalesce(p.item_no, a.basic_item_no) AS basic_item_no, u.region AS label,
    sum(CASE WHEN u.class = 'https' THEN u.requests ELSE 0 END) AS https_requests,
    sum(CASE WHEN u.class = 'quic' THEN u.requests ELSE 0 END) AS quic_requests,
    sum(CASE WHEN u.class = 'http' THEN u.requests ELSE 0 END) AS http_requests,
    sum(u.bytes_sent) AS bytes_sent,
    any_value(b.piece_from) AS piece_from, any_value(b.piece_until) AS piece_until
FROM rating_usage AS u
JOIN rating_accounts AS a ON a.account_id = u.account_id
JOIN rating_buckets AS b ON b.timezone = a.timezone AND b.bucket = u.bucket
LEFT JOIN rating_method_periods AS p
    ON p.account_key = a.account_key AND u.bucket >= p.starts_at AND u.bucket < p.ends_at
WHERE a.replay_from IS NULL AND u.hour >= $last_through AND u.hour < $through
GROUP BY ALL;
