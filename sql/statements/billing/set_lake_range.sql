-- Answers: tells the lake's statements which journal records, and which day of usage, to write.
-- Grain: one session.
-- Reads: nothing.
SET VARIABLE lake_range = {
    'after': CAST($after AS BIGINT), 'through': CAST($through AS BIGINT), 'day': CAST($day AS DATE)
};
