-- Answers: how many JSON events of a flush were accepted, duplicate or in conflict, by source.
-- Grain: one row per verdict and source.
-- Reads: json_judged.
SELECT verdict, source, count(*) AS events
FROM json_judged
GROUP BY verdict, source
ORDER BY verdict, source
