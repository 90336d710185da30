-- Answers: whether a receiver has taken any message that was first sent at or after a moment.
-- Grain: one row.
-- Reads: deliveries (the answer of a message that was really sent is its HTTP status).
SELECT COUNT(*) > 0 AS took
FROM deliveries
WHERE endpoint = $endpoint AND status = 'delivered' AND first_at >= $since AND answer SIMILAR TO '2[0-9][0-9]';
