-- Answers: the periods behind one invoice line, and where each stands in the month.
-- Grain: one row per period (hour, day or month, by item), all its revisions together.
-- Reads: explained_charges.
SELECT
    period_start,
    period_end,
    CAST(sum(quantity) AS HUGEINT) AS quantity,
    CAST(sum(free_quantity) AS HUGEINT) AS free_quantity,
    CAST(sum(plan_quantity) AS HUGEINT) AS plan_quantity,
    CAST(sum(billable_quantity) AS HUGEINT) AS billable_quantity,
    CAST(sum(amount) AS HUGEINT) AS amount,
    max(revision) AS last_revision,
    string_agg(DISTINCT reason, ', ' ORDER BY reason) AS reasons,
    string_agg(DISTINCT run_id, ', ' ORDER BY run_id) AS runs,
    CAST(
        sum(sum(billable_quantity)) OVER (ORDER BY period_start, period_end) AS HUGEINT
    ) AS month_place
FROM explained_charges
GROUP BY period_start, period_end
ORDER BY period_start, period_end;
