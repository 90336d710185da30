-- Answers: remembers which live files the open hours of this session were made from, and up to when they know usage.
-- Grain: one row.
-- Reads: open_names.
INSERT INTO open_made_from
SELECT
    $live_files,
    (SELECT LEAST($now, MAX(bucket) + INTERVAL 5 MINUTE) FROM open_names WHERE bucket <= $now);
