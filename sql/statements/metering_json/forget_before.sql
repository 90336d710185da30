-- Answers: forgets ids of hours before the window: such events are uncheckable from now on.
-- Grain: all rows of $partition before $hour_ms.
-- Reads: json_ids.
DELETE FROM json_ids WHERE partition = $partition AND hour_ms < $hour_ms
