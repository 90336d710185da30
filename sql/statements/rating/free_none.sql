-- Answers: nothing yet; where the free part of each slice goes.
-- Grain: account × lane × seq. Temporary.
-- Reads: nothing.
CREATE OR REPLACE TEMP TABLE rating_free (
    account_key BIGINT, lane INTEGER, seq BIGINT, quantity HUGEINT
);
