-- Answers: tells the lake's statements which journal records, and which day of usage, to write.
-- Grain: one session.
-- Reads: nothing.
SET VARIABLE after = CAST($after AS BIGINT);
SET VARIABLE through = CAST($through AS BIGINT);
SET VARIABLE day = CAST($day AS DATE);
