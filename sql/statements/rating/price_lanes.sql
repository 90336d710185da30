-- Answers: what accumulates together (an item in a scope of a book) and over which denominator.
-- Grain: lane. Temporary.
-- Reads: given_lanes (from the TOML files).
CREATE OR REPLACE TEMP TABLE price_lanes AS
SELECT
    lane, book, item_no, item, scope, denominator::HUGEINT AS denominator, factor,
    has_terms, has_free, by_period
FROM given_lanes;
