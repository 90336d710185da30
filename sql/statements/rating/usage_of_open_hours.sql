-- Answers: the usage to price ahead: hours that are still open.
-- Grain: as open_usage. Temporary view.
-- Reads: open_usage (made by the caller).
CREATE OR REPLACE TEMP VIEW rating_usage AS
SELECT
    account_id, date_trunc('hour', bucket) AS hour, bucket, region, class, requests, bytes_sent,
    0::BIGINT AS import_no
FROM open_usage
WHERE account_id IS NOT NULL;
