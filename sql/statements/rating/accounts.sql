-- Answers: every account with what rating needs; replay_from is NULL where only new hours are added.
-- Grain: account. Temporary.
-- Reads: rating_subjects, price_books, price_items, rating_replays, rating_months.
CREATE OR REPLACE TEMP TABLE rating_accounts AS
SELECT
    a.account_key, a.account_id,
    coalesce(nullif(a.timezone, ''), b.timezone, 'UTC') AS timezone,
    a.price_book AS book, b.book IS NOT NULL AS has_book, a.currency,
    a.currency = b.currency AS currency_fits,
    coalesce(i.item_no, 0) AS basic_item_no, a.opened_at,
    m.starts_at AS replay_from, m.number AS replay_month, c.reason
FROM rating_subjects AS a
LEFT JOIN price_books AS b ON b.book = a.price_book
LEFT JOIN price_items AS i ON i.item = a.billing_method
LEFT JOIN rating_replays AS c ON c.account_id = a.account_id
LEFT JOIN rating_months AS m
    ON m.timezone = coalesce(nullif(a.timezone, ''), b.timezone, 'UTC')
    AND c.from_bucket >= m.starts_at AND c.from_bucket < m.ends_at;
