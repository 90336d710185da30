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
)
GROUP BY day
ORDER BY day;

-- name: account_zones
-- One row per time zone in which an account is billed, and UTC: the lake holds the rules of no other.
SELECT timezone AS zone FROM accounts
UNION
SELECT 'UTC' AS zone
ORDER BY zone;

-- name: content
-- One row: what the rows at hand are, whatever their order. Two sums over them and their number: rows that swap places
-- are the same rows.
SELECT concat_ws(' ', count(*), bit_xor(hash(lake_rows)), sum(hash(lake_rows, 1))) AS content
FROM lake_rows;

-- name: rows_of_accounts
-- One row per row at hand of some accounts.
SELECT r.*
FROM lake_rows AS r
SEMI JOIN (SELECT unnest($accounts::VARCHAR[]) AS account_id) AS a ON r.account_id = a.account_id
ORDER BY r.account_id;
