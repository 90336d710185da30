-- Answers: the version of each account in force at $now, or its first if that begins later.
-- Grain: one row per account.
-- Reads: account_versions.
INSERT INTO accounts BY NAME
SELECT * EXCLUDE (journal_no)
FROM account_versions
QUALIFY row_number() OVER (
    PARTITION BY account_id
    ORDER BY
        (effective_from <= CAST($now AS TIMESTAMP)) DESC,
        CASE WHEN effective_from <= CAST($now AS TIMESTAMP) THEN effective_from END DESC,
        effective_from,
        journal_no DESC
) = 1;
