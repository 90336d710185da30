-- Answers: all usage of accounts whose past changed, from their first changed month on. Usage that came
-- after its month was issued is late: it stands where it was first rated (DOMAIN §10.12).
-- Grain: as rating_input.
-- Reads: rating_usage, rating_accounts, rating_buckets, rating_method_periods, issued_months,
-- rating_months, rating_marks.
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
        a.account_key, a.book, u.hour, b.month, b.epoch, u.region AS label, u.class, u.requests,
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
    CASE WHEN c.late THEN coalesce(s.through, $through::TIMESTAMP) ELSE c.hour END AS placed,
    c.late, c.month, c.epoch, c.basic_item_no, c.label,
    sum(CASE WHEN c.class = 'https' THEN c.requests ELSE 0 END),
    sum(CASE WHEN c.class = 'quic' THEN c.requests ELSE 0 END),
    sum(CASE WHEN c.class = 'http' THEN c.requests ELSE 0 END),
    sum(c.bytes_sent), any_value(c.piece_from), any_value(c.piece_until)
FROM chosen AS c
LEFT JOIN seen AS s ON c.late_no > s.after_no AND c.late_no <= s.import_no
GROUP BY ALL;
