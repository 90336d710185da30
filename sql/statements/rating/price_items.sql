-- Answers: the numbers the engine uses for items.
-- Grain: item. Temporary.
-- Reads: given_items (billing.prices.units).
CREATE OR REPLACE TEMP TABLE price_items AS
SELECT item_no, item FROM given_items;
