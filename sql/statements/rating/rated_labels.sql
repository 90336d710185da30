-- Answers: from which region labels each item was used in hours that are rated and not held.
-- Grain: book × label × item.
-- Reads: usage, accounts, account_methods, rating_held.
WITH rated AS (
    SELECT a.price_book AS book, a.account_id, a.billing_method, u.region AS label, u.class,
        u.requests, u.bytes_sent
    FROM usage AS u
    JOIN accounts AS a ON a.account_id = u.account_id
    ANTI JOIN rating_held AS h ON h.account_id = u.account_id AND h.hour = u.hour
    WHERE u.hour < $last_through
)
SELECT DISTINCT book, label, class || '_requests' AS item FROM rated WHERE requests > 0
UNION
SELECT DISTINCT r.book, r.label, coalesce(m.method, r.billing_method)
FROM rated AS r
LEFT JOIN account_methods AS m ON m.account_id = r.account_id
WHERE r.bytes_sent > 0;
