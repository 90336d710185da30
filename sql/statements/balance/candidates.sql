-- Answers: which accounts the rules would move to another state, or those named, with all the decision needs to know.
-- Grain: one row per such account. The judge is billing/balance/state_rules.py; a test holds both equal.
-- Reads: account_figures, accounts, account_state.
WITH judged AS (
    SELECT
        f.*,
        a.grace_hours,
        a.suspension_policy,
        a.billing_method,
        a.low_balance_threshold,
        a.opened_at,
        COALESCE(s.version, 0) AS version,
        COALESCE(s.state, 'ok') AS state,
        s.since,
        COALESCE(s.reason, '') AS reason,
        s.overdue_since,
        s.overdue_clock,
        s.cause,
        CASE WHEN s.state IN ('low_balance', 'projected_overdue') THEN 100 + $margin ELSE 100 END AS scale,
        CASE
            WHEN s.cause = 'administrative' AND s.state IN ('suspended', 'released') THEN s.state
            WHEN f.available < 0 THEN CASE
                WHEN s.state = 'suspended' AND NOT $unverified
                    AND date_diff('second', s.since, $now) >= $release_seconds THEN 'released'
                WHEN s.state IN ('suspended', 'released') THEN s.state
                WHEN $unverified THEN CASE WHEN s.state = 'suspend_due' THEN s.state ELSE 'overdue' END
                WHEN COALESCE($verified_seconds - s.overdue_clock, 0) < a.grace_hours * 3600::BIGINT THEN 'overdue'
                WHEN a.suspension_policy = 'auto' THEN 'suspended'
                ELSE 'suspend_due'
            END
            WHEN f.projected < 0 THEN 'projected_overdue'
            WHEN s.state = 'projected_overdue' AND 700 * f.projected < $margin * 3 * f.payable_7_hours THEN s.state
            WHEN 700 * f.available < scale * 3 * f.payable_7_hours THEN 'low_balance'
            WHEN a.billing_method = $daily_method AND 100 * f.available < scale * f.payable_day THEN 'low_balance'
            WHEN 100 * f.available < scale * a.low_balance_threshold THEN 'low_balance'
            ELSE 'ok'
        END AS target
    FROM account_figures AS f
    INNER JOIN accounts AS a ON a.account_id = f.account_id
    LEFT JOIN account_state AS s ON s.account_id = f.account_id
)
SELECT * EXCLUDE (scale, target)
FROM judged
WHERE
    CASE
        WHEN $accounts::VARCHAR[] IS NOT NULL THEN account_id IN (SELECT unnest($accounts::VARCHAR[]))
        ELSE target <> state OR $everyone
    END
ORDER BY account_id;
