-- What did things cost on a day, by which price book?
-- Grain: one row per rate card and tier in force on that day, UTC.
-- Reads: prices.
-- Parameter day (day): the day asked about
-- Parameter book (text, all): one price book, or all of them
-- Read by: people (edgetoll query).
SELECT
    book,
    item,
    region,
    account_id,
    model,
    tier_no,
    tier_from,
    tier_to,
    unit_price,
    per,
    unit,
    currency,
    free_quantity,
    discount_millionths,
    flat_fee,
    minimum,
    maximum,
    in_force_from,
    in_force_until,
    card_id
FROM prices
WHERE
    $book IN ('all', book)
    AND (in_force_from IS NULL OR in_force_from < CAST($day AS DATE) + INTERVAL 1 DAY)
    AND (in_force_until IS NULL OR in_force_until > $day)
ORDER BY book, item, region, account_id NULLS FIRST, card_id, tier_no

-- Sample:
-- edgetoll query prices_on_a_day --param day=2026-11-03 --param book=plain
-- | book | item | region | account_id | model | tier_no | tier_from | tier_to | unit_price | per | unit | currency | free_quantity | discount_millionths | flat_fee | minimum | maximum | in_force_from | in_force_until | card_id |
-- | --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- | ---: | ---: | ---: | ---: | ---: | --- | --- | --- |
-- | plain | data_transfer | EU |  | graduated | 1 | 0 | 10737418240 | 0.0700000000 | 1 | GB | USD | 0 | 0 | 0.0000000000 |  |  | 2020-01-01 00:00 | 9999-01-01 00:00 | data-eu-1 |
-- | plain | data_transfer | EU |  | graduated | 2 | 10737418240 | 107374182400 | 0.0600000000 | 1 | GB | USD | 0 | 0 | 0.0000000000 |  |  | 2020-01-01 00:00 | 9999-01-01 00:00 | data-eu-1 |
-- | plain | data_transfer | EU |  | graduated | 3 | 107374182400 |  | 0.0300000000 | 1 | GB | USD | 0 | 0 | 0.0000000000 |  |  | 2020-01-01 00:00 | 9999-01-01 00:00 | data-eu-1 |
-- | plain | https_requests | all |  | per_unit | 1 | 0 |  | 0.0080000000 | 10000 | request | USD | 0 | 0 | 0.0000000000 |  |  | 2020-01-01 00:00 | 9999-01-01 00:00 | https-1 |
