-- Answers: nothing; notes what the tables of a new store look like (billing.layout).
-- Grain: one row.
-- Reads: nothing.
INSERT INTO store_layout SELECT $layout WHERE NOT EXISTS (FROM store_layout);
