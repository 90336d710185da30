-- The percentile of bandwidth as rating has it (DOMAIN §1.8). samples: the slots that are not empty, in any order.
-- Grain: one value.
-- Reads: percentile_place.
-- Read by: people (edgetoll sql).
CREATE MACRO percentile_of(samples, slots, percent) AS
    coalesce(list_reverse_sort(samples)[percentile_place(slots, percent)], 0)
