-- What does a month with that quantity of an item cost, when no plan pays?
-- Grain: one row; an error where nobody has a price for it.
-- Reads: the macro price_of, accounts.
-- Parameter item (text, https_requests): the item
-- Parameter region (text, all): the region, as edges say it
-- Parameter quantity (number, 1000000): requests, bytes, or bits per second
-- Parameter account (text, all): by the prices of this account; all: of the book
-- Parameter book (text, all): by this price book; all: the account's own, without an account that of most accounts
-- Read by: people (edgetoll query).
WITH asked AS (
    SELECT CASE
        WHEN $book <> 'all' THEN $book
        WHEN $account <> 'all' THEN (SELECT any_value(price_book) FROM accounts WHERE account_id = $account)
        ELSE (SELECT price_book FROM accounts GROUP BY price_book ORDER BY count(*) DESC, price_book LIMIT 1)
    END AS price_book
)

SELECT
    $item AS item,
    $region AS region,
    CAST($quantity AS BIGINT) AS quantity,
    price_of(
        $item, $region, CAST($quantity AS HUGEINT), account := nullif($account, 'all'), book := a.price_book
    ) AS amount,
    a.price_book AS book
FROM asked AS a

-- Sample:
-- edgetoll query what_a_quantity_costs --param account=acme --param book=plain
-- | item | region | quantity | amount | book |
-- | --- | --- | ---: | ---: | --- |
-- | https_requests | all | 1000000 | 0.8000000000 | plain |
