-- Answers: each seller's part of a JSON document, made once in Python.
-- Grain: one row per seller text.
-- Reads: $sellers, $seller_json, $notes_json.
CREATE OR REPLACE TEMP TABLE rendered_sellers AS
SELECT
    unnest($sellers::VARCHAR[]) AS seller,
    unnest($seller_json::VARCHAR[]) AS seller_json,
    unnest($notes_json::VARCHAR[]) AS notes_json;
