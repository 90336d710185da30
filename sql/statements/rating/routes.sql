-- Answers: which lane and card price an item of usage from a region label: the narrowest scope that
-- has any card (DOMAIN §10.13), then the card in force. lane or card is NULL where there is none.
-- Grain: book × region label × item × epoch. Temporary.
-- Reads: rating_labels, rating_epochs, price_lanes, price_regions, price_places, price_force.
CREATE OR REPLACE TEMP TABLE rating_routes AS
WITH sold AS (
    SELECT DISTINCT book, item_no, item FROM price_lanes
), places AS (
    SELECT
        l.book, l.label, s.item_no, s.item,
        CASE
            WHEN s.item = 'percentile95_bandwidth' AND r.region <> 'CN' THEN 'OverSeas'
            ELSE r.region
        END AS region
    FROM rating_labels AS l
    JOIN sold AS s ON s.book = l.book
    LEFT JOIN price_regions AS r ON r.book = l.book AND r.label = l.label
), lanes AS (
    SELECT
        p.book, p.label, p.item_no, p.item, p.region,
        arg_min(n.lane, CASE n.scope WHEN 'all' THEN 3 WHEN 'OverSeas' THEN 2 ELSE 1 END) AS lane
    FROM places AS p
    LEFT JOIN price_lanes AS n
        ON n.book = p.book AND n.item_no = p.item_no
        AND (
            n.scope = 'all' OR n.scope = p.region
            OR (n.scope = 'OverSeas' AND p.region IS NOT NULL AND p.region <> 'CN')
        )
    GROUP BY ALL
)
SELECT
    l.book, l.label, l.item_no, l.lane, e.epoch,
    CASE WHEN l.item_no <= 3 THEN n.scope ELSE coalesce(l.region, '?') END AS region,
    p.place_no, f.card, f.force_no, f.force_from, f.force_until
FROM lanes AS l
CROSS JOIN rating_epochs AS e
LEFT JOIN price_lanes AS n ON n.lane = l.lane
LEFT JOIN price_places AS p
    ON p.place = CASE WHEN l.item_no <= 3 THEN n.scope ELSE coalesce(l.region, '?') END
LEFT JOIN price_force AS f
    ON f.lane = l.lane AND f.account_id IS NULL
    AND e.epoch >= f.force_from AND e.epoch < f.force_until;
