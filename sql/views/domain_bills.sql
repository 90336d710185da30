-- What each domain costs its account: the lines of a document shared out by what its appendix says each name used.
-- Grain: one row per document × line × domain. amount + tax over all rows of a document are its total, to the last unit.
-- domain is null for what no name has used: fees, minimums, corrections of earlier months, credits.
-- Owner: billing/invoices. The only rounding: shares are cut down, the units left over go to the largest remainders.
-- Reads: invoices, invoice_lines, lake_invoice_usage, price_cards, price_regions, lake_tags, units_of_money, money_of_units.
-- Read by: people (edgetoll sql), sql/queries/bill_by_domain.sql, sql/queries/bill_by_tag.sql.
CREATE VIEW domain_bills AS
WITH lines AS (
    SELECT
        l.invoice_no, l.line_no, l.item, l.region, l.kind, k.book,
        units_of_money(l.settled_amount) AS net, units_of_money(l.tax) AS tax
    FROM invoice_lines AS l
    LEFT JOIN price_cards AS k ON l.rate_card = k.card_id
),

-- What each name used of a line's item: in the line's region and, where that holds none of it, anywhere.
used AS (
    SELECT
        l.invoice_no, l.line_no, u.domain,
        CAST(sum(m.amount) AS HUGEINT) AS anywhere,
        CAST(coalesce(sum(m.amount) FILTER (WHERE l.region = 'all' OR r.region = l.region), 0) AS HUGEINT) AS there
    FROM lines AS l
    INNER JOIN lake_invoice_usage AS u ON l.invoice_no = u.invoice_no
    LEFT JOIN price_regions AS r ON l.book = r.book AND u.region = r.label
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN l.item IN ('data_transfer', 'peak_bandwidth', 'percentile95_bandwidth') THEN u.bytes_sent
            WHEN l.item = u.class || '_requests' THEN u.requests
            ELSE 0
        END AS amount
    ) AS m
    WHERE m.amount > 0 AND l.kind = 'usage'
    GROUP BY l.invoice_no, l.line_no, u.domain
),

weighed AS (
    SELECT
        invoice_no, line_no, domain,
        CASE WHEN sum(there) OVER line > 0 THEN there ELSE anywhere END AS weight
    FROM used
    WINDOW line AS (PARTITION BY invoice_no, line_no)
),

cut AS (
    SELECT
        l.invoice_no, l.line_no, l.item, l.region, w.domain, l.net, l.tax,
        coalesce(w.weight, 1::HUGEINT) AS weight,
        coalesce(CAST(sum(w.weight) OVER (PARTITION BY l.invoice_no, l.line_no) AS HUGEINT), 1::HUGEINT) AS whole
    FROM lines AS l
    LEFT JOIN weighed AS w ON l.invoice_no = w.invoice_no AND l.line_no = w.line_no AND w.weight > 0
),

ranked AS (
    SELECT
        c.*,
        c.net * c.weight // c.whole AS net_share,
        c.tax * c.weight // c.whole AS tax_share,
        row_number() OVER (line ORDER BY abs(c.net * c.weight) % c.whole DESC, c.domain) AS net_place,
        row_number() OVER (line ORDER BY abs(c.tax * c.weight) % c.whole DESC, c.domain) AS tax_place
    FROM cut AS c
    WINDOW line AS (PARTITION BY c.invoice_no, c.line_no)
),

shared AS (
    SELECT
        r.*,
        r.net - CAST(sum(r.net_share) OVER line AS HUGEINT) AS net_left,
        r.tax - CAST(sum(r.tax_share) OVER line AS HUGEINT) AS tax_left
    FROM ranked AS r
    WINDOW line AS (PARTITION BY r.invoice_no, r.line_no)
)

SELECT
    s.invoice_no, i.account_id, i.month, s.domain, s.item, s.region,
    money_of_units(s.net_share + CASE WHEN s.net_place <= abs(s.net_left) THEN sign(s.net_left) ELSE 0 END) AS amount,
    money_of_units(s.tax_share + CASE WHEN s.tax_place <= abs(s.tax_left) THEN sign(s.tax_left) ELSE 0 END) AS tax,
    i.currency, s.line_no,
    CASE WHEN s.whole > 1 OR s.domain IS NOT NULL THEN CAST(s.weight AS DECIMAL(38, 0)) END AS used,
    coalesce(exact.tags, wildcard.tags, CAST(MAP {} AS MAP(VARCHAR, VARCHAR))) AS tags,
    i.status, i.kind AS document
FROM shared AS s
INNER JOIN invoices AS i ON s.invoice_no = i.invoice_no
LEFT JOIN lake_tags AS exact
    ON exact.kind = 'domain' AND exact.subject = s.domain AND exact.account_id = i.account_id
LEFT JOIN lake_tags AS wildcard
    ON wildcard.kind = 'domain' AND wildcard.account_id = i.account_id
    AND wildcard.subject = '*' || substr(s.domain, instr(s.domain, '.'))
