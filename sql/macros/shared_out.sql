-- Lines of documents shared out to domains by what their appendix says each name used: in the line's region and, where that
-- holds none of it, anywhere. Shares are cut down, the units left over go to the largest remainders (decision 2005).
-- Grain: one row per document × line × domain; NULL for what no name has used. net_share and tax_share over all rows of a
-- line are its net and its tax, in 10^-10 units; weight of whole: what the domain used of it.
-- Reads: relations by their names: lines (invoice_no, line_no, item, region, kind, book, net, tax), usage (invoice_no, domain,
-- class, region, requests, bytes_sent), labels (book, label, region).
-- Read by: sql/views/domain_bills.sql, sql/statements/invoices/costs.sql.
CREATE MACRO shared_out(lines, usage, labels) AS TABLE
WITH used AS (
    SELECT
        l.invoice_no, l.line_no, u.domain,
        CAST(sum(m.amount) AS HUGEINT) AS anywhere,
        CAST(coalesce(sum(m.amount) FILTER (WHERE l.region = 'all' OR r.region = l.region), 0) AS HUGEINT) AS there
    FROM query_table(lines) AS l
    INNER JOIN query_table(usage) AS u ON l.invoice_no = u.invoice_no
    LEFT JOIN query_table(labels) AS r ON l.book = r.book AND u.region = r.label
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
    FROM query_table(lines) AS l
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
    invoice_no, line_no, item, region, domain, weight, whole,
    CAST(net_share + CASE WHEN net_place <= abs(net_left) THEN sign(net_left) ELSE 0 END AS HUGEINT) AS net_share,
    CAST(tax_share + CASE WHEN tax_place <= abs(tax_left) THEN sign(tax_left) ELSE 0 END AS HUGEINT) AS tax_share
FROM shared
