-- Answers: the number of every region and scope, in order of name.
-- Grain: name. Temporary.
-- Reads: price_lanes, price_regions.
CREATE OR REPLACE TEMP TABLE price_places AS
SELECT place, row_number() OVER (ORDER BY place) AS place_no
FROM (
    SELECT '?' AS place UNION SELECT 'OverSeas' UNION SELECT 'all'
    UNION SELECT region FROM price_regions
);
