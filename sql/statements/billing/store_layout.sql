-- Answers: what the tables of this store look like (billing.layout).
-- Grain: one row.
-- Reads: store_layout.
SELECT layout FROM store_layout;
