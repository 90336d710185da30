-- Which rate card prices an item from a region's label at a time: that of the narrowest scope which has any
-- card for it; there the account's own card before the general one. NULL where none is in force.
-- Grain: one card_id per call.
-- Reads: price_cards, under names that no argument can mean. moment: UTC; default now.
-- Read by: people (edgetoll sql), sql/macros/price_of.sql, sql/macros/what_if.sql.
CREATE MACRO card_of(item, region, book, account := NULL, moment := NULL) AS
    (
        SELECT
            arg_min_null(
                CASE WHEN _c._in_force THEN _c._card_id END,
                _c._scope_rank * 4 + CASE WHEN _c._in_force THEN 0 ELSE 2 END
                + CASE WHEN _c._account_id IS NULL THEN 1 ELSE 0 END
            )
        FROM (
            SELECT
                _p._card_id,
                _p._account_id,
                _p._scope_rank,
                coalesce(
                    coalesce(CAST(moment AS TIMESTAMP), CAST(now() AS TIMESTAMP)) >= _p._from
                    AND coalesce(CAST(moment AS TIMESTAMP), CAST(now() AS TIMESTAMP)) < _p._until,
                    FALSE
                ) AS _in_force
            FROM (
                SELECT
                    _q.card_id AS _card_id,
                    _q.book AS _book,
                    _q.account_id AS _account_id,
                    _q.item AS _item,
                    _q.labels AS _labels,
                    _q.in_force_from AS _from,
                    _q.in_force_until AS _until,
                    CASE _q.region WHEN 'all' THEN 3 WHEN 'OverSeas' THEN 2 ELSE 1 END AS _scope_rank
                FROM price_cards AS _q
            ) AS _p
            WHERE _p._book = book
                AND _p._item = item
                AND (_p._account_id IS NULL OR _p._account_id = account)
                AND (_p._labels IS NULL OR list_contains(_p._labels, region))
        ) AS _c
    )
