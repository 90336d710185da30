-- Answers: nothing; no account's past changed (pricing ahead of time touches no past).
-- Grain: account, none. Temporary.
-- Reads: nothing.
CREATE OR REPLACE TEMP TABLE rating_replays (
    account_id VARCHAR, from_bucket TIMESTAMP, reason VARCHAR
);
