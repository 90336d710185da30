-- Answers: makes the session's tables for judging alert rules: the rules, and the periods they run over.
-- Grain: rules_now: one row per rule; period_bounds: one row per time zone and period.
-- Reads: nothing.
CREATE OR REPLACE TEMP TABLE rules_now (
    rule_id VARCHAR, account_id VARCHAR, kind VARCHAR, domain VARCHAR, quantity HUGEINT, period VARCHAR,
    release_hours INTEGER
);
CREATE OR REPLACE TEMP TABLE period_bounds (
    timezone VARCHAR, period VARCHAR, period_start TIMESTAMP, period_end TIMESTAMP
);
