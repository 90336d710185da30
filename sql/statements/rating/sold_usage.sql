-- Answers: the new quantities of every item an account buys, with the card that prices each.
-- An account pays traffic by its basic item alone; requests are sold beside it (DOMAIN §1.1).
-- Grain: account × hour × month × epoch × item × region label. Temporary.
-- Reads: rating_input, rating_routes, rating_account_routes.
CREATE OR REPLACE TEMP TABLE rating_sold AS
WITH quantities AS (
    SELECT account_key, book, hour, placed, late, month, epoch, label, piece_from, piece_until,
        1 AS item_no, https_requests AS quantity
    FROM rating_input WHERE https_requests <> 0
    UNION ALL
    SELECT account_key, book, hour, placed, late, month, epoch, label, piece_from, piece_until,
        2, quic_requests
    FROM rating_input WHERE quic_requests <> 0
    UNION ALL
    SELECT account_key, book, hour, placed, late, month, epoch, label, piece_from, piece_until,
        3, http_requests
    FROM rating_input WHERE http_requests <> 0
    UNION ALL
    SELECT account_key, book, hour, placed, late, month, epoch, label, piece_from, piece_until,
        4, bytes_sent
    FROM rating_input WHERE bytes_sent <> 0 AND basic_item_no = 4
)
SELECT
    q.account_key, q.book, q.hour, q.placed, q.late, q.month, q.epoch, q.label, q.item_no, r.lane,
    r.region, r.place_no, coalesce(o.card, r.card) AS card,
    coalesce(o.force_no, r.force_no) AS force_no,
    greatest(q.piece_from, coalesce(o.force_from, r.force_from)) AS period_start,
    least(q.piece_until, coalesce(o.force_until, r.force_until)) AS period_end, q.quantity
FROM quantities AS q
JOIN rating_routes AS r
    ON r.book = q.book AND r.label = q.label AND r.item_no = q.item_no AND r.epoch = q.epoch
LEFT JOIN rating_account_routes AS o
    ON o.account_key = q.account_key AND o.lane = r.lane AND o.epoch = q.epoch;
