-- Answers: imported usage of one day, with the account that owns the domain.
-- Grain: one row per bucket × domain × region × class × imported file of the imports in ($after, $through].
-- Reads: usage.
SELECT
    bucket,
    account_id,
    domain,
    region,
    class,
    requests,
    bytes_sent,
    hour,
    partition,
    revision,
    import_no
FROM usage
WHERE
    hour >= CAST($day AS DATE)
    AND hour < CAST($day AS DATE) + INTERVAL 1 DAY
    AND import_no > $after
    AND import_no <= $through;
