-- What each domain costs its account: the lines of a document shared out by what its appendix says each name used.
-- Grain: one row per document × line × domain. amount + tax over all rows of a document are its total, to the last unit.
-- domain is null for what no name has used: fees, minimums, corrections of earlier months, credits.
-- Owner: billing/invoices. The only rounding is that of sql/macros/shared_out.sql.
-- Reads: invoices, invoice_lines, lake_invoice_usage, price_cards, price_regions, lake_tags, shared_out, units_of_money,
-- money_of_units.
-- Read by: people (edgetoll sql), sql/queries/bill_by_domain.sql, sql/queries/bill_by_tag.sql.
CREATE VIEW domain_bills AS
WITH lines AS (
    SELECT
        l.invoice_no, l.line_no, l.item, l.region, l.kind, k.book,
        units_of_money(l.settled_amount) AS net, units_of_money(l.tax) AS tax
    FROM invoice_lines AS l
    LEFT JOIN price_cards AS k ON l.rate_card = k.card_id
),

usage AS (FROM lake_invoice_usage),

labels AS (FROM price_regions)

SELECT
    s.invoice_no, i.account_id, i.month, s.domain, s.item, s.region,
    money_of_units(s.net_share) AS amount,
    money_of_units(s.tax_share) AS tax,
    i.currency, s.line_no,
    CASE WHEN s.whole > 1 OR s.domain IS NOT NULL THEN CAST(s.weight AS DECIMAL(38, 0)) END AS used,
    coalesce(exact.tags, wildcard.tags, CAST(MAP {} AS MAP(VARCHAR, VARCHAR))) AS tags,
    i.status, i.kind AS document
FROM shared_out('lines', 'usage', 'labels') AS s
INNER JOIN invoices AS i ON s.invoice_no = i.invoice_no
LEFT JOIN lake_tags AS exact
    ON exact.kind = 'domain' AND exact.subject = s.domain AND exact.account_id = i.account_id
LEFT JOIN lake_tags AS wildcard
    ON wildcard.kind = 'domain' AND wildcard.account_id = i.account_id
    AND wildcard.subject = '*' || substr(s.domain, instr(s.domain, '.'))
