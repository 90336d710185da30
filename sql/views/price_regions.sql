-- Which billing region of each price book a label means that edges send with their usage.
-- Grain: one row per price book × label.
-- Owner: billing/prices.
-- Reads: lake_price_labels.
-- Read by: people (edgetoll sql).
CREATE VIEW price_regions AS
SELECT
    book,
    label,
    region
FROM lake_price_labels
