-- Answers: which account-hours cannot be priced, and what to do about it. They stay unrated.
-- Grain: account × hour. Temporary.
-- Reads: rating_input, rating_accounts, rating_sold, rating_sold_bandwidth, rating_too_large,
-- price_items, price_lanes.
CREATE OR REPLACE TEMP TABLE rating_held_now AS
WITH unpriced AS (
    SELECT account_key, hour, item_no, book, label, lane, region, epoch FROM rating_sold
    WHERE card IS NULL
    UNION ALL
    SELECT account_key, hour, item_no, book, label, lane, region, starts_at
    FROM rating_sold_bandwidth
    WHERE card IS NULL
), problems AS (
    SELECT DISTINCT
        u.account_key, u.hour,
        CASE
            WHEN u.lane IS NULL AND u.region = '?'
            THEN 'region ' || u.label || ' is in no billing region of price book ' || u.book
            WHEN u.lane IS NULL
            THEN 'price book ' || u.book || ' has no card of ' || i.item || ' for region ' || u.label
            ELSE 'price book ' || u.book || ' has no card of ' || i.item || ' in force for region '
                || u.label || ' at ' || strftime(u.hour, '%Y-%m-%dT%H:00Z')
        END AS problem,
        CASE
            WHEN u.lane IS NULL AND u.region = '?' THEN 'add the label to [regions] of the book'
            ELSE 'add a card to the price book; the hour is rated at the next run'
        END AS hint
    FROM unpriced AS u
    JOIN price_items AS i ON i.item_no = u.item_no
    UNION ALL
    SELECT DISTINCT
        i.account_key, i.hour,
        CASE
            WHEN NOT a.has_book THEN 'there is no price book ' || a.book
            WHEN NOT a.currency_fits
            THEN 'the account pays in ' || a.currency || ', price book ' || a.book || ' does not'
            ELSE 'the account has no known billing method'
        END,
        CASE
            WHEN NOT a.has_book THEN 'put the book into prices/ or give the account another'
            WHEN NOT a.currency_fits THEN 'give the account a price book in its currency'
            ELSE 'use data_transfer, peak_bandwidth or percentile95_bandwidth'
        END
    FROM rating_input AS i
    JOIN rating_accounts AS a ON a.account_key = i.account_key
    WHERE NOT a.has_book OR NOT a.currency_fits OR i.basic_item_no NOT IN (4, 5, 6)
    UNION ALL
    SELECT
        t.account_key, t.hour,
        CASE
            WHEN t.quantity IS NULL
            THEN l.item || ' of the month so far is too much for the prices that price book '
                || l.book || ' has now'
            ELSE t.quantity || CASE WHEN l.item_no <= 3 THEN ' requests' ELSE ' bytes' END || ' of '
                || l.item || ' are too many to be priced exactly by price book ' || l.book || ': '
                || t.hour_most || ' in one hour at most'
        END,
        'look for what produced them; if they are true, lower the price or write the item''s prices '
            || 'in one unit, and percentages with fewer decimals'
    FROM rating_too_large AS t
    JOIN price_lanes AS l ON l.lane = t.lane
)
SELECT account_key, hour, min(problem) AS problem, arg_min(hint, problem) AS hint
FROM problems
GROUP BY account_key, hour;
