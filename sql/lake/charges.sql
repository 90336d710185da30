-- What was charged, in files of an older form: the journal's present files are the lake's own, to the byte.
-- Grain: one row per charge in an older file, with the columns that views need; money in 10^-10 units.
-- Reads: older_charges.
-- Read by: sql/views/charges.sql.
SELECT * EXCLUDE (term)
FROM older_charges
ORDER BY account_id, journal_no;
