-- How each account stands, with the money and the forecast it stands on, as last judged.
-- Grain: one row per account; an account that never left ok has version 0.
-- Reads: account_figures (session: all accounts or those touched, see billing/balance/states.py::prepare_lake), accounts, account_state, balance_clock, runs, open_made_from (session).
-- Read by: sql/views/account_states.sql.
WITH rated AS (
    SELECT MAX(through_hour) AS usage_through
    FROM runs
    WHERE kind = 'rating_run' AND state IN ('done', 'released')
),

known AS (
    SELECT
        f.*,
        a.opened_at,
        a.grace_hours,
        s.version,
        s.state,
        s.since,
        s.reason AS state_reason,
        s.cause,
        s.overdue_clock,
        s.ledger_version,
        c.unverified AS doubt,
        r.usage_through,
        GREATEST(r.usage_through, o.known_through) AS known_through
    FROM account_figures AS f
    INNER JOIN accounts AS a ON f.account_id = a.account_id
    LEFT JOIN account_state AS s ON f.account_id = s.account_id
    CROSS JOIN rated AS r
    LEFT JOIN balance_clock AS c ON true
    LEFT JOIN open_made_from AS o ON true
)

SELECT
    account_id,
    COALESCE(state, 'ok') AS state,
    COALESCE(since, opened_at) AS since,
    CAST(CAST(available AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS available,
    CAST(CAST(projected AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS projected,
    currency,
    CAST(known_through + to_seconds(zero_in) AS TIMESTAMP) AS projected_zero_at,
    doubt IS NOT NULL AS unverified,
    concat_ws('; unverified: ', COALESCE(NULLIF(state_reason, ''), 'enough balance'), doubt) AS reason,
    COALESCE(version, 0) AS version,
    cause,
    CAST(CAST(burn_per_hour AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS burn_per_hour,
    CAST(CAST(open_amount AS DECIMAL(38, 0)) * 0.0000000001::DECIMAL(10, 10) AS DECIMAL(38, 10)) AS open_amount,
    grace_hours,
    usage_through,
    COALESCE(ledger_version, 0) AS ledger_version,
    CAST(known_through + to_seconds(zero_in_earliest) AS TIMESTAMP) AS projected_zero_earliest,
    CAST(known_through + to_seconds(zero_in_latest) AS TIMESTAMP) AS projected_zero_latest
FROM known
ORDER BY account_id
