-- Answers: the billing regions an item has cards for in a price book.
-- Grain: one row per region.
-- Reads: price_cards.
SELECT DISTINCT region
FROM price_cards
WHERE book = $book AND item = $item
ORDER BY region;
