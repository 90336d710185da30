-- What each document costs by a tag of its domains, where its account asks for that (`cost_tag`). It is kept with the document,
-- since tags have no history. Run by billing/invoices/run.py after the lines and the appendix of the run.

-- name: costs_by_tag
-- One row per account that asks for it: what each value of the tag costs, as JSON, the dearest first; a blank value: domains
-- without it, and what no domain used. net and tax over all values are those of the document, in 10^-10 units.
CREATE OR REPLACE TEMP TABLE invoice_costs AS
WITH wanted AS (
    SELECT numbers.invoice_no, due.account_id, due.details ->> '$.cost_tag' AS tag
    FROM invoice_due AS due
    INNER JOIN invoice_numbers AS numbers ON due.account_no = numbers.account_no
    WHERE (due.details ->> '$.cost_tag') <> '' AND numbers.kind = 'invoice'
),

lines AS (
    SELECT l.invoice_no, l.line_no, l.item, l.region, l.kind, k.book, l.settled_amount AS net, l.tax
    FROM invoice_out_lines AS l
    INNER JOIN wanted AS w ON l.invoice_no = w.invoice_no
    LEFT JOIN price_cards AS k ON l.rate_card = k.card_id
),

usage AS (
    SELECT u.invoice_no, u.domain, u.class, u.region, u.requests, u.bytes_sent
    FROM invoice_out_detail AS u
    INNER JOIN wanted AS w ON u.invoice_no = w.invoice_no
),

labels AS (FROM price_labels),

tagged AS (
    SELECT subject, CAST(CAST(tags AS JSON) AS MAP(VARCHAR, VARCHAR)) AS tags
    FROM tags
    WHERE kind = 'domain'
),

shared AS (
    SELECT
        w.account_id,
        coalesce(coalesce(e.tags, s.tags)[w.tag], '') AS value,
        CAST(sum(o.net_share) AS HUGEINT) AS net,
        CAST(sum(o.tax_share) AS HUGEINT) AS tax
    FROM shared_out('lines', 'usage', 'labels') AS o
    INNER JOIN wanted AS w ON o.invoice_no = w.invoice_no
    LEFT JOIN tagged AS e ON o.domain = e.subject
    LEFT JOIN tagged AS s ON s.subject = '*' || substr(o.domain, instr(o.domain, '.'))
    GROUP BY w.account_id, value
)

SELECT
    account_id,
    CAST(to_json(list(
        {'value': value, 'net': CAST(net AS VARCHAR), 'tax': CAST(tax AS VARCHAR)}
        ORDER BY net + tax DESC, value
    )) AS VARCHAR) AS costs
FROM shared
GROUP BY account_id;
