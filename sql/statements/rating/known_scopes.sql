-- Answers: which scopes of an item had cards when the last run was posted.
-- Grain: book × item × scope.
-- Reads: price_cards.
SELECT DISTINCT book, item, region FROM price_cards WHERE account_id IS NULL;
