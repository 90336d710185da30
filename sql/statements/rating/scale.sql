-- Answers: how many price changes and places of regions there are, for the order of slices.
-- Grain: one row.
-- Reads: price_force, price_places.
SELECT
    (SELECT coalesce(max(force_no), 0) + 1 FROM price_force),
    (SELECT max(place_no) + 1 FROM price_places);
