-- Answers: stores what a rating run came to.
-- Grain: one row per run.
-- Reads: nothing but its parameters.
INSERT INTO runs BY NAME
SELECT
    $run_id AS run_id,
    $kind AS kind,
    CAST($ran_at AS TIMESTAMP) AS ran_at,
    $state AS state,
    CAST($through_hour AS TIMESTAMP) AS through_hour,
    CAST($import_no AS BIGINT) AS import_no,
    CAST($charges AS BIGINT) AS charges,
    CAST($hours AS BIGINT) AS hours,
    $totals AS totals,
    $reason AS reason,
    CAST($journal_no AS BIGINT) AS journal_no;
