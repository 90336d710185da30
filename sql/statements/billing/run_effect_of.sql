-- Answers: counts and sums of what one journal record posted, to be held against what it should have.
-- Grain: one row.
-- Reads: charges, transfers, the file of the record's charges in the journal.
SELECT
    (SELECT count(*) FROM charges WHERE journal_no = $journal_no) AS charges,
    (SELECT CAST(coalesce(sum(amount), 0) AS HUGEINT) FROM charges WHERE journal_no = $journal_no)
        AS amount,
    (
        SELECT CAST(coalesce(sum(
            CASE WHEN split_part(credit_account, ':', 1) = 'revenue' THEN amount ELSE -amount END
        ), 0) AS HUGEINT)
        FROM transfers
        WHERE journal_no = $journal_no
    ) AS posted,
    (SELECT count(*) FROM read_parquet($file)) AS journaled_charges,
    (SELECT CAST(coalesce(sum(amount), 0) AS HUGEINT) FROM read_parquet($file)) AS journaled;
