-- Answers: makes the session's working tables: payables in windows, figures.
-- Grain: burn and burn_day: one row per account; account_figures: one row per account.
-- Reads: nothing.
CREATE OR REPLACE TEMP TABLE day_bounds (timezone VARCHAR, day_start TIMESTAMP, day_end TIMESTAMP);
CREATE OR REPLACE TEMP TABLE burn (
    account_id VARCHAR,
    payable_hour HUGEINT,
    payable_7_hours HUGEINT,
    payable_24_hours HUGEINT,
    payable_168_hours HUGEINT
);
CREATE OR REPLACE TEMP TABLE burn_day (account_id VARCHAR, payable_day HUGEINT);
CREATE OR REPLACE TEMP TABLE account_figures (
    account_id VARCHAR,
    currency VARCHAR,
    available HUGEINT,
    open_amount HUGEINT,
    projected HUGEINT,
    payable_hour HUGEINT,
    payable_7_hours HUGEINT,
    payable_24_hours HUGEINT,
    payable_168_hours HUGEINT,
    payable_day HUGEINT,
    hours_known BIGINT
);
