-- Publishing the lake: which part of each table a file holds. Run by billing/lake/publish.py on the
-- billing store, before the SELECT of each file of sql/lake that it writes.

-- name: set_lake_range
-- One session: which journal records, and which day of usage, the next file holds. A variable, since
-- a query with parameters is held in memory whole before it is written.
SET VARIABLE lake_range = {
    'after': CAST($after AS BIGINT), 'through': CAST($through AS BIGINT), 'day': CAST($day AS DATE)
};

-- name: changed_days
-- One row per day of usage to write since a journal record; moved: rows already published changed
-- their owner, so that the whole day is written again.
SELECT day, bool_or(moved) AS moved
FROM (
    SELECT DISTINCT CAST(hour AS DATE) AS day, false AS moved FROM usage WHERE import_no > $after
    UNION ALL
    SELECT day, true AS moved FROM moved_days WHERE journal_no > $after
    UNION ALL
    -- An account whose time zone was changed has other days.
    SELECT DISTINCT CAST(u.hour AS DATE) AS day, true AS moved
    FROM usage AS u
    SEMI JOIN (
        SELECT n.account_id
        FROM account_versions AS n
        INNER JOIN account_versions AS o ON n.account_id = o.account_id AND n.timezone <> o.timezone
        WHERE n.journal_no > $after
    ) AS z ON u.account_id = z.account_id
)
GROUP BY day
ORDER BY day;

-- name: pruned_day
-- One row: the day before which usage is gone, NULL: all is there.
SELECT CAST(max(hours_before) AS DATE) AS day
FROM pruned_usage;

-- name: merged_hours
-- One row per hour × account × domain × region × class of the rows at hand, which are files of usage_hourly.
SELECT
    hour,
    account_id,
    domain,
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent,
    CAST(sum(status_0xx) AS BIGINT) AS status_0xx,
    CAST(sum(status_1xx) AS BIGINT) AS status_1xx,
    CAST(sum(status_2xx) AS BIGINT) AS status_2xx,
    CAST(sum(status_3xx) AS BIGINT) AS status_3xx,
    CAST(sum(status_4xx) AS BIGINT) AS status_4xx,
    CAST(sum(status_5xx) AS BIGINT) AS status_5xx,
    CAST(sum(status_other) AS BIGINT) AS status_other,
    CAST(sum(cache_hits) AS BIGINT) AS cache_hits
FROM lake_rows
GROUP BY ALL
ORDER BY account_id, domain, hour, region, class;

-- name: merged_days
-- One row per day × account × domain × region × class of the rows at hand, which are files of usage_daily.
SELECT
    day,
    account_id,
    domain,
    region,
    class,
    CAST(sum(requests) AS BIGINT) AS requests,
    CAST(sum(bytes_sent) AS BIGINT) AS bytes_sent
FROM lake_rows
GROUP BY ALL
ORDER BY account_id, domain, day, region, class;

-- name: merged_bandwidth
-- One row per hour × account of the rows at hand, which are all files of a day of bandwidth_hourly.
WITH added_up AS (
    SELECT
        hour,
        account_id,
        CAST(sum(from_00) AS BIGINT) AS from_00,
        CAST(sum(from_05) AS BIGINT) AS from_05,
        CAST(sum(from_10) AS BIGINT) AS from_10,
        CAST(sum(from_15) AS BIGINT) AS from_15,
        CAST(sum(from_20) AS BIGINT) AS from_20,
        CAST(sum(from_25) AS BIGINT) AS from_25,
        CAST(sum(from_30) AS BIGINT) AS from_30,
        CAST(sum(from_35) AS BIGINT) AS from_35,
        CAST(sum(from_40) AS BIGINT) AS from_40,
        CAST(sum(from_45) AS BIGINT) AS from_45,
        CAST(sum(from_50) AS BIGINT) AS from_50,
        CAST(sum(from_55) AS BIGINT) AS from_55
    FROM lake_rows
    GROUP BY hour, account_id
)

SELECT
    *,
    false AS is_more,
    greatest(
        from_00, from_05, from_10, from_15, from_20, from_25,
        from_30, from_35, from_40, from_45, from_50, from_55
    ) AS most,
    least(
        from_00, from_05, from_10, from_15, from_20, from_25,
        from_30, from_35, from_40, from_45, from_50, from_55
    ) AS fewest
FROM added_up
ORDER BY account_id, hour;

-- name: joined_charges
-- One row per charge of the records in the session's lake_range, as the journal's files have them. By account, so that who
-- asks for one reads a part of the file; then by what repeats, so that it takes a quarter of the room.
SELECT *
FROM present_charges
WHERE journal_no > getvariable('lake_range').after AND journal_no <= getvariable('lake_range').through
ORDER BY account_id, item, region, period_start, revision;

-- name: account_zones
-- One row per time zone in which an account is billed, and UTC: the lake holds the rules of no other.
SELECT timezone AS zone FROM accounts
UNION
SELECT 'UTC' AS zone
ORDER BY zone;

-- name: content
-- One row: what the rows of a query are, whatever their order. Two sums over them and their number: rows that swap places
-- are the same rows.
SELECT concat_ws(' ', count(*), bit_xor(hash(lake_rows)), sum(hash(lake_rows, 1))) AS content
FROM query($select) AS lake_rows;

-- name: rows_of_accounts
-- One row per row at hand of some accounts, few: a condition goes down to the tables, where a join would have the rows
-- of all accounts made first (of 100,000 one: 5 against 48 ms).
SELECT r.*
FROM lake_rows AS r
WHERE list_contains($accounts::VARCHAR[], r.account_id)
ORDER BY r.account_id;
