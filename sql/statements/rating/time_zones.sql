-- Answers: the time zones in which accounts' months roll.
-- Grain: time zone.
-- Reads: rating_subjects, price_books.
SELECT DISTINCT coalesce(nullif(a.timezone, ''), b.timezone, 'UTC')
FROM rating_subjects AS a LEFT JOIN price_books AS b ON b.book = a.price_book
ORDER BY 1;
