-- Answers: nothing; empties price_versions before its present content is stored.
-- Grain: all rows.
-- Reads: price_versions.
DELETE FROM price_versions;
