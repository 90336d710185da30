-- Answers: nothing; no price book has fixed terms.
-- Grain: account × lane × month × moment, none. Temporary.
-- Reads: nothing.
CREATE OR REPLACE TEMP TABLE rating_touches (
    account_key BIGINT, lane INTEGER, month BIGINT, hour TIMESTAMP, opens BOOLEAN, closes BOOLEAN,
    card INTEGER, force_no BIGINT, place_no BIGINT, period_start TIMESTAMP, period_end TIMESTAMP
);
