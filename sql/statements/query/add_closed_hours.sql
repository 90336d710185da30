-- Adds closed hours to the reader's list, all at once.
-- One row per partition and hour.
-- Reads its two parameters, texts of equally many words: DuckDB takes a list value by value, slowly.
INSERT INTO closed_hour_list (partition, hour)
SELECT
    unnest(string_split($partitions, ' ')),
    unnest(string_split($hours, ' '))::TIMESTAMP
