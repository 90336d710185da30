-- Answers: nothing; lets both cores write. No statement relies on the order of insertion, each that needs
-- an order says ORDER BY.
-- Grain: the session.
-- Reads: nothing.
SET preserve_insertion_order = false;
