-- Adds one closed hour to the reader's list.
-- One row per call.
-- Reads its two parameters.
INSERT INTO closed_hour_list (partition, hour) VALUES (?, ?)
