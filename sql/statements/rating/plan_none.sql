-- Answers: nothing yet; where what each plan pays of each slice goes.
-- Grain: plan × lane × seq. Temporary.
-- Reads: nothing.
CREATE OR REPLACE TEMP TABLE rating_plan_parts (
    plan_id VARCHAR, account_key BIGINT, lane INTEGER, seq BIGINT, month BIGINT, hour TIMESTAMP,
    quantity HUGEINT
);
