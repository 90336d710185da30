-- Answers: the usage to rate: what was imported from closed hours.
-- Grain: as usage. Temporary view.
-- Reads: usage.
CREATE OR REPLACE TEMP VIEW rating_usage AS
SELECT account_id, hour, bucket, region, class, requests, bytes_sent, import_no
FROM usage
WHERE account_id IS NOT NULL;
