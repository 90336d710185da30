-- The percentile of bandwidth as rating has it (DOMAIN §1.8): of all slots, empty ones too, the largest (100 - percent) in a
-- hundred are dropped, rounded down, and the next one counts. samples: the slots that are not empty, in any order.
-- Grain: one value.
-- Reads: nothing.
-- Read by: people (edgetoll sql), sql/views/percentiles.sql.
CREATE MACRO percentile_of(samples, slots, percent) AS
    coalesce(list_reverse_sort(samples)[slots * (100 - percent) // 100 + 1], 0)
