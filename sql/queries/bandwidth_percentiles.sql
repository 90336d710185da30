-- Which bandwidth does each account's month come to, at its peak and at percentiles?
-- Grain: one row per account.
-- Reads: percentiles_between.
-- Parameter month (month): the month asked about, in each account's time zone
-- Parameter account (text, all): one account, or all of them
-- Chart: bar, account_id, p95_bits_per_second
-- Read by: people (edgetoll query).
SELECT
    account_id,
    slots,
    peak_bits_per_second,
    p99_bits_per_second,
    p95_bits_per_second
FROM percentiles_between($month, $month, of_account := $account)
ORDER BY p95_bits_per_second DESC, account_id

-- Sample:
-- edgetoll query bandwidth_percentiles --param month=2026-11 --param account=acme
-- | account_id | slots | peak_bits_per_second | p99_bits_per_second | p95_bits_per_second |
-- | --- | ---: | ---: | ---: | ---: |
-- | acme | 708 | 117225794 | 0 | 0 |
