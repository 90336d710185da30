-- Where one invoice line comes from: charges, hours, domains, certificates and the rate card.
-- billing/reports/explain.py runs them in this order.
-- Money is HUGEINT, 10^-10 currency units.

-- name: explain_line
-- One row, none if there is no such line. One invoice line with what its head says of account, month and record.
SELECT
    i.account_id,
    i.month,
    i.currency,
    i.kind AS document_kind,
    i.journal_no,
    a.price_book,
    l.kind,
    l.item,
    l.region,
    l.rate_card,
    l.tier,
    l.quantity,
    l.free_quantity,
    l.plan_quantity,
    l.billable_quantity,
    l.unit,
    l.unit_quantity,
    l.unit_price,
    l.amount,
    l.settled_amount,
    l.corrects_invoice,
    l.corrects_hour,
    l.reason,
    l.corrects_until
FROM invoice_lines AS l
INNER JOIN invoices AS i ON l.invoice_no = i.invoice_no
INNER JOIN accounts AS a ON i.account_id = a.account_id
WHERE l.invoice_no = $invoice_no AND l.line_no = $line_no;

-- name: explain_charges
-- One row per charge. The charges behind one invoice line: of a correction its own, else those of its item, region
-- and card.
CREATE OR REPLACE TEMP TABLE explained_charges AS
WITH void AS (
    SELECT DISTINCT invoice_no
    FROM invoice_events
    WHERE status = 'void'
),

own AS (
    SELECT charge_id
    FROM invoice_corrections
    WHERE invoice_no = $invoice_no AND line_no = $line_no
),

elsewhere AS (
    SELECT carried.charge_id
    FROM invoice_corrections AS carried
    LEFT JOIN void ON carried.invoice_no = void.invoice_no
    WHERE void.invoice_no IS NULL
)

SELECT charges.*
FROM charges
WHERE
    charges.account_id = $account_id
    AND (
        ($kind = 'correction' AND charges.charge_id IN (SELECT charge_id FROM own))
        OR (
            $kind = 'usage'
            AND charges.month = $month
            AND charges.item = $item
            AND charges.region = $region
            AND charges.rate_card = $rate_card
            AND charges.journal_no < $journal_no
            AND charges.charge_id NOT IN (SELECT charge_id FROM elsewhere)
        )
    );

-- name: explain_siblings
-- One row per line, in order; of a correction the line itself. The lines of an invoice on which the charges behind
-- one line stand.
SELECT
    l.line_no,
    l.tier,
    l.billable_quantity,
    l.amount
FROM invoice_lines AS l
INNER JOIN invoice_lines AS own
    ON l.invoice_no = own.invoice_no
    AND l.kind = own.kind
    AND l.item = own.item
    AND l.region = own.region
    AND l.rate_card = own.rate_card
WHERE
    own.invoice_no = $invoice_no
    AND own.line_no = $line_no
    AND (l.line_no = own.line_no OR own.kind = 'usage')
ORDER BY l.line_no;

-- name: explain_place
-- One row. Of a correction: after all that was charged before its own charges. Where in the month's cumulative
-- billable quantity the charges of a line begin.
WITH own AS (
    SELECT charge_id, journal_no, month
    FROM explained_charges
),

part AS (
    SELECT coalesce(max(place_from), 0) AS place_from
    FROM month_state
    WHERE
        account_id = $account_id
        AND month = (SELECT min(month) FROM own)
        AND item = $item
        AND region = $region
        AND rate_card = $rate_card
),

before AS (
    SELECT coalesce(sum(billable_quantity), 0) AS quantity
    FROM charges
    WHERE
        $kind = 'correction'
        AND account_id = $account_id
        AND month = (SELECT min(month) FROM own)
        AND item = $item
        AND region = $region
        AND rate_card = $rate_card
        AND journal_no <= (SELECT min(journal_no) FROM own)
        AND charge_id NOT IN (SELECT charge_id FROM own)
)

SELECT CAST(part.place_from + before.quantity AS HUGEINT) AS place
FROM part
CROSS JOIN before;

-- name: explain_hours
-- One row per period (hour, day or month, by item), all its revisions together. The periods behind one invoice line,
-- and where each stands in the month.
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

-- name: explain_periods
-- One row per period. The stretches of time behind one invoice line; with $only, what lies in that hour.
CREATE OR REPLACE TEMP TABLE explained_periods AS
SELECT DISTINCT
    CASE WHEN $only IS NULL THEN period_start ELSE greatest(period_start, $only::TIMESTAMP) END AS period_start,
    CASE
        WHEN $only IS NULL THEN period_end
        ELSE least(period_end, $only::TIMESTAMP + INTERVAL 1 HOUR)
    END AS period_end
FROM explained_charges
WHERE $only IS NULL OR (period_start < $only::TIMESTAMP + INTERVAL 1 HOUR AND period_end > $only::TIMESTAMP);

-- name: explain_card
-- One row per tier. The rate card of one invoice line, tier by tier.
SELECT
    cards.model,
    cards.unit,
    cards.per,
    cards.unit_quantity,
    cards.effective_from,
    cards.effective_until,
    cards.flat_fee AS card_fee,
    cards.minimum,
    cards.maximum,
    cards.discount_millionths,
    tiers.tier_no,
    tiers.lower,
    tiers.upper,
    tiers.unit_price,
    tiers.flat_fee,
    cards.free_quantity,
    cards.period
FROM price_cards AS cards
INNER JOIN price_tiers AS tiers ON cards.card_id = tiers.card_id
WHERE cards.card_id = $rate_card
ORDER BY tiers.tier_no;

-- name: explain_agreement
-- One row where the line is of a credit, a commitment or a plan that was sold; none of a rate card. used: what the credit
-- has paid in all by now, what was missing to the commitment, what the plan has paid. charged: what counted towards a commitment
-- in the line's month, and was_missing what was missing to it then.
SELECT
    g.kind,
    g.agreement_id,
    g.amount,
    g.items,
    g.regions,
    g.priority,
    g.settles,
    g.starts_at,
    g.ends_at,
    CAST(abs(coalesce((
        SELECT sum(t.amount) FROM month_state AS t
        WHERE t.account_id = g.account_id AND t.rate_card = g.kind || '/' || g.agreement_id
    ), 0)) AS HUGEINT) AS used,
    CAST(coalesce((
        SELECT sum(t.amount) FROM month_state AS t
        WHERE t.account_id = g.account_id AND t.month = $month AND split_part(t.rate_card, '/', 1) NOT IN ('credit', 'commitment')
    ), 0) AS HUGEINT) AS charged,
    CAST(coalesce((
        SELECT sum(t.amount) FROM month_state AS t
        WHERE t.account_id = g.account_id AND t.month = $month AND t.rate_card = 'commitment/' || g.agreement_id
    ), 0) AS HUGEINT) AS was_missing
FROM agreements AS g
WHERE g.kind || '/' || g.agreement_id = $rate_card AND g.account_id = $account_id
UNION ALL
SELECT 'plan', p.plan_id, p.price, p.kind, p.region, 0, '', p.starts_at, p.ends_at, CAST(coalesce(s.used, 0) AS HUGEINT), 0, 0
FROM plans AS p
LEFT JOIN plan_state AS s ON p.plan_id = s.plan_id
WHERE 'plan/' || p.plan_id = $rate_card AND p.account_id = $account_id;

-- name: scopes_of_item
-- One row per region. The billing regions an item has cards for in a price book.
SELECT DISTINCT region
FROM price_cards
WHERE book = $book AND item = $item
ORDER BY region;

-- name: explain_domains
-- One row per domain × class × edge region. Which domains made the quantity behind one invoice line. $labels: the
-- edge regions the line's billing region stands for, NULL for all.
SELECT
    usage.domain,
    usage.class AS traffic_class,
    usage.region,
    CAST(sum(usage.requests) AS BIGINT) AS requests,
    CAST(sum(usage.bytes_sent) AS BIGINT) AS bytes_sent,
    count(DISTINCT usage.hour) AS hours
FROM usage
INNER JOIN explained_periods AS periods
    ON usage.bucket >= periods.period_start
    AND usage.bucket < periods.period_end
WHERE
    usage.account_id = $account_id
    AND usage.class IN (SELECT unnest($classes::VARCHAR[]))
    AND ($labels IS NULL OR usage.region IN (SELECT unnest($labels::VARCHAR[])))
GROUP BY usage.domain, usage.class, usage.region
ORDER BY requests DESC, usage.domain, usage.class, usage.region;

-- name: explain_certificates
-- One row per closed file (hour × partition × revision). The certificates of the hours behind one invoice line, as
-- metering wrote them.
WITH hours AS (
    SELECT DISTINCT unnest(generate_series(
        date_trunc('hour', period_start), period_end - INTERVAL 1 MICROSECOND, INTERVAL 1 HOUR
    )) AS hour
    FROM explained_periods
)

SELECT
    files.hour,
    files.partition,
    files.revision,
    files.state,
    files.certificate_sha256,
    files.certificate
FROM imported_files AS files
INNER JOIN hours ON files.hour = hours.hour
ORDER BY files.hour, files.partition, files.revision;
