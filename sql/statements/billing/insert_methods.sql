-- Answers: stores the method changes of one journal record.
-- Grain: one row per change.
-- Reads: effect_methods.
INSERT INTO account_methods BY NAME
SELECT account_id, method, effective_from FROM effect_methods;
