-- Answers: which of the rarer kinds of price the books have.
-- Grain: one row.
-- Reads: price_lanes.
SELECT
    coalesce(bool_or(has_terms), FALSE), coalesce(bool_or(has_free), FALSE),
    coalesce(bool_or(by_period), FALSE)
FROM price_lanes;
