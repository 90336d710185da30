-- Holds which hours are closed, so that views drop their live rows.
-- One row per partition and closed hour.
-- Reads nothing; filled by the reader from the names of the closed files.
CREATE TABLE closed_hour_list (partition VARCHAR, hour TIMESTAMP)
