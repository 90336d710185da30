-- Answers: each line rounded half up to the minor unit, the leftover on the largest one, taxes likewise.
-- Grain: one row per invoice × line; settled amounts add up to the net, taxes to the tax, exactly.
-- Reads: invoice_exact_lines, invoice_totals.
CREATE OR REPLACE TEMP TABLE invoice_settled_lines AS
WITH rounded AS (
    SELECT
        lines.invoice_no,
        lines.line_no,
        totals.net,
        totals.tax AS tax_of_invoice,
        totals.step,
        totals.tax_rate_bp,
        sign(lines.amount)::HUGEINT * ((abs(lines.amount) * 2 + totals.step) // (2 * totals.step)) * totals.step
            AS settled_amount,
        row_number() OVER (
            PARTITION BY lines.invoice_no ORDER BY abs(lines.amount) DESC, lines.line_no
        ) = 1 AS takes_leftover
    FROM invoice_exact_lines AS lines
    INNER JOIN invoice_totals AS totals ON lines.invoice_no = totals.invoice_no
),

levelled AS (
    SELECT
        *,
        CASE
            WHEN takes_leftover
                THEN net - CAST(sum(settled_amount) OVER (PARTITION BY invoice_no) AS HUGEINT)
            ELSE 0::HUGEINT
        END AS leftover
    FROM rounded
),

taxed AS (
    SELECT
        *,
        sign(settled_amount + leftover)::HUGEINT
        * ((abs(settled_amount + leftover) * tax_rate_bp * 2 + 10000 * step) // (20000 * step)) * step AS line_tax
    FROM levelled
)

SELECT
    invoice_no,
    line_no,
    CAST(settled_amount + leftover AS HUGEINT) AS settled_amount,
    CAST(leftover AS HUGEINT) AS leftover,
    CAST(
        line_tax + CASE
            WHEN takes_leftover THEN tax_of_invoice - CAST(sum(line_tax) OVER (PARTITION BY invoice_no) AS HUGEINT)
            ELSE 0::HUGEINT
        END AS HUGEINT
    ) AS tax
FROM taxed;
