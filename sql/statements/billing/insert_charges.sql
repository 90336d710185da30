-- Answers: stores the charges of one rating run with their ids, which name what they charge and never repeat.
-- Grain: one row per charge.
-- Reads: effect_charges.
INSERT INTO charges BY NAME
SELECT
    concat(
        'charge:', account_id, ':', item, ':', region, ':', month, ':',
        strftime(period_start, '%Y-%m-%dT%H:%M'), ':', rate_card, ':r', revision
    ) AS charge_id,
    account_id,
    item,
    region,
    month,
    period_start,
    period_end,
    CAST(quantity AS HUGEINT) AS quantity,
    CAST(free_quantity AS HUGEINT) AS free_quantity,
    CAST(plan_quantity AS HUGEINT) AS plan_quantity,
    CAST(billable_quantity AS HUGEINT) AS billable_quantity,
    CAST(amount AS HUGEINT) AS amount,
    currency,
    rate_card,
    CAST(revision AS INTEGER) AS revision,
    reason,
    coalesce(term, 'usage') AS term,
    $run_id AS run_id,
    CAST($journal_no AS BIGINT) AS journal_no
-- Records of before fixed terms were charged apart have no column term.
FROM (FROM effect_charges UNION ALL BY NAME SELECT 'usage' AS term WHERE FALSE);
