-- Free, plan and billable quantity of every charge add up to its quantity (DOMAIN §9.7).
-- Grain: one row per charge where they do not.
-- Reads: filed_charges.
-- Read by: billing/checks/invariants.py.
SELECT account_id, item, period_start, quantity, free_quantity, plan_quantity, billable_quantity
FROM filed_charges
WHERE
    journal_no > $after
    AND free_quantity + plan_quantity + billable_quantity <> quantity;
