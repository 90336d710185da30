-- Answers: the rate cards earlier runs have seen.
-- Grain: card.
-- Reads: price_versions.
SELECT card_id, book, fingerprint, effective_from, effective_until, used FROM price_versions;
