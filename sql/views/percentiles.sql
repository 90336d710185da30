-- Which bandwidth an account's month comes to: its peak and percentiles of 5-minute samples, all regions together.
-- Grain: one row per month (in the account's time zone) × account. slots: 5-minute samples of the month so far, empty too.
-- Owner: billing/rating.
-- Reads: percentiles_between, for all months; of one month that is asked by itself: percentiles_between('2026-10', '2026-10').
-- Read by: people (edgetoll sql).
CREATE VIEW percentiles AS
SELECT
    month,
    account_id,
    slots,
    peak_bits_per_second,
    p99_bits_per_second,
    p95_bits_per_second,
    p50_bits_per_second,
    p95_bytes
FROM percentiles_between('2000-01', '9990-12', with_middle := true)
