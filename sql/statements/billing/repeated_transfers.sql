-- Answers: which ids of new transfers are taken already, by an earlier record or inside this one.
-- Grain: one row per repeated id, the first ten.
-- Reads: new_transfers, posted_ids; charges, nearly all of a ledger, are searched only for ids in their form.
SELECT n.transfer_id
FROM new_transfers AS n
INNER JOIN posted_ids AS p ON n.transfer_id = p.transfer_id
UNION ALL
SELECT n.transfer_id
FROM new_transfers AS n
INNER JOIN transfers AS t ON n.transfer_id = t.transfer_id
WHERE n.transfer_id LIKE 'charge:%' AND t.code IN ('charge', 'correction')
UNION ALL
SELECT transfer_id
FROM new_transfers
GROUP BY transfer_id
HAVING count(*) > 1
LIMIT 10;
