-- The rates of a run by the home's table of taxes (HOME/tax.toml), where it has one: each case that there is, once.
-- billing/vat/deciding.py runs them in this order, after the chapter due_and_late has left the accounts' own rates; between
-- tax_cases and tax_decisions Python decides. Rates are basis points.

-- name: tax_facts
-- One row per due account and month that a line may be about: what its tax is decided by, as it was at the end of that
-- month. Only where the home has a table of taxes.
CREATE OR REPLACE TEMP TABLE invoice_tax_facts AS
WITH facts AS (
    SELECT
        rates.account_no,
        rates.account_id,
        rates.month,
        due.seller_id,
        due.language,
        rates.tax_rate_bp,
        coalesce(
            max_by(versions, (versions.effective_from, versions.journal_no))
                FILTER (versions.effective_from < ends.ends_at),
            min_by(versions, (versions.effective_from, versions.journal_no))
        ) AS version
    FROM invoice_tax_rates AS rates
    INNER JOIN invoice_due AS due ON rates.account_id = due.account_id
    INNER JOIN invoice_month_ends AS ends ON due.timezone = ends.timezone AND rates.month = ends.month
    INNER JOIN account_versions AS versions ON rates.account_id = versions.account_id
    GROUP BY rates.account_no, rates.account_id, rates.month, due.seller_id, due.language, rates.tax_rate_bp
)

SELECT
    account_no,
    account_id,
    month,
    seller_id,
    language,
    tax_rate_bp,
    upper(trim(version.country)) AS country,
    trim(version.tax_id) AS tax_id,
    coalesce(version.details ->> '$.tax_exemption', '') AS exemption,
    coalesce(version.details ->> '$.tax_rule', '') AS rule_id
FROM facts;

-- name: tax_cases
-- One row per case: everything that a decision hangs on, and one account that it is about.
SELECT month, seller_id, language, tax_rate_bp, country, tax_id, exemption, rule_id
FROM invoice_tax_facts
GROUP BY ALL
ORDER BY ALL;

-- name: undecided_taxes
-- One row per account of which the table of taxes does not say what it pays, or says two reasons for no tax on one
-- document.
SELECT facts.account_id, min(cases.problem) AS problem, min_by(cases.hint, cases.problem) AS hint
FROM invoice_tax_facts AS facts
INNER JOIN invoice_tax_decisions AS cases USING (month, seller_id, language, tax_rate_bp, country, tax_id, exemption, rule_id)
WHERE cases.problem <> ''
GROUP BY facts.account_id
UNION ALL
SELECT
    account_id,
    'its document would have two reasons for no tax: ' || string_agg(DISTINCT category, ', ' ORDER BY category) AS problem,
    'late usage of a month when it stood otherwise: bill it alone, by a version of the account as it was then' AS hint
FROM invoice_tax_rates
WHERE tax_rate_bp = 0
GROUP BY account_id
HAVING count(DISTINCT (category, sentence)) > 1
ORDER BY account_id;

-- name: tax_decisions
-- One row per case, as Python decided it by the table of taxes; problem: why it could not.
CREATE OR REPLACE TEMP TABLE invoice_tax_decisions AS
SELECT
    unnest($months::VARCHAR[]) AS month,
    unnest($sellers::VARCHAR[]) AS seller_id,
    unnest($languages::VARCHAR[]) AS language,
    unnest($own_rates::DECIMAL(9, 2)[]) AS tax_rate_bp,
    unnest($countries::VARCHAR[]) AS country,
    unnest($tax_ids::VARCHAR[]) AS tax_id,
    unnest($exemptions::VARCHAR[]) AS exemption,
    unnest($rule_ids::VARCHAR[]) AS rule_id,
    unnest($rates::DECIMAL(9, 2)[]) AS decided_bp,
    unnest($categories::VARCHAR[]) AS category,
    unnest($sentences::VARCHAR[]) AS sentence,
    unnest($codes::VARCHAR[]) AS code,
    unnest($problems::VARCHAR[]) AS problem,
    unnest($hints::VARCHAR[]) AS hint;

-- name: decided_rates
-- One row per due account and month, as decided; where it could not be, the account's own rate, and nothing is issued.
CREATE OR REPLACE TEMP TABLE invoice_tax_rates AS
SELECT
    facts.account_no,
    facts.account_id,
    facts.month,
    coalesce(cases.decided_bp, facts.tax_rate_bp) AS tax_rate_bp,
    cases.category,
    cases.sentence,
    cases.code
FROM invoice_tax_facts AS facts
INNER JOIN invoice_tax_decisions AS cases USING (month, seller_id, language, tax_rate_bp, country, tax_id, exemption, rule_id);
