-- What would the month have cost each account on another price book?
-- Grain: one row per account × item; null where the book has no price, and no change where it has another currency.
-- Reads: the macro what_if, price_cards.
-- Parameter book (text): the id of the price book to try, say alibaba-international
-- Parameter month (month): the month to price anew
-- Chart: bar, account_id, change, item
-- Read by: people (edgetoll query).
SELECT
    account_id,
    item,
    CAST(sum(charged) AS DECIMAL(38, 10)) AS charged,
    CAST(sum(tried) AS DECIMAL(38, 10)) AS tried,
    CASE WHEN currency = tried_currency THEN CAST(sum(tried) - sum(charged) AS DECIMAL(38, 10)) END AS change,
    currency,
    tried_currency
FROM what_if($book, $month)
WHERE CASE
    WHEN $book IN (SELECT book FROM price_cards) THEN true
    ELSE error('no price book ' || $book || ': there is ' || (SELECT string_agg(DISTINCT book, ', ' ORDER BY book) FROM price_cards))
END
GROUP BY account_id, item, currency, tried_currency
ORDER BY change DESC NULLS LAST, account_id, item

-- Sample:
-- edgetoll query what_another_book_would_charge --param book=plain --param month=2026-11
-- | account_id | item | charged | tried | change | currency | tried_currency |
-- | --- | --- | ---: | ---: | ---: | --- | --- |
-- | acme | data_transfer | 0.9512876303 | 0.9512876303 | 0.0000000000 | USD | USD |
-- | acme | https_requests | 0.1985048000 | 0.1985048000 | 0.0000000000 | USD | USD |
-- | beta | data_transfer | 0.1866666666 | 0.1866666666 | 0.0000000000 | USD | USD |
-- | beta | https_requests | 0.0448064000 | 0.0448064000 | 0.0000000000 | USD | USD |
