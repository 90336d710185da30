-- Adds closed hours to the reader's list, all at once.
-- One row per partition and hour.
-- Reads its two parameters, lists of equal length.
INSERT INTO closed_hour_list (partition, hour)
SELECT unnest($partitions::VARCHAR[]), unnest($hours::TIMESTAMP[])
