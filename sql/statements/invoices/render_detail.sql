-- Answers: each chosen document's appendix as JSON and as CSV, joined in order.
-- Grain: one row per document that has one.
-- Reads: $detail, $heads, invoice_chosen, the text macros.
CREATE OR REPLACE TEMP TABLE rendered_detail AS
SELECT
    d.invoice_no,
    string_agg(
        concat(
            '    {', chr(10), '      "day": "', d.day, '",', chr(10), '      "domain": ', json_text(d.domain), ',',
            chr(10), '      "class": "', d.class, '",', chr(10), '      "region": ', json_text(d.region), ',', chr(10),
            '      "requests": ', d.requests, ',', chr(10), '      "bytes_sent": ', d.bytes_sent, chr(10), '    }'
        ),
        ',' || chr(10) ORDER BY d.day, d.domain, d.class, d.region
    ) AS json_detail,
    string_agg(
        concat_ws(
            ',', csv_text(d.invoice_no), csv_text(h.account_id), CAST(d.day AS VARCHAR), csv_text(d.domain), d.class,
            csv_text(d.region), d.requests, d.bytes_sent
        ) || chr(13) || chr(10),
        '' ORDER BY d.day, d.domain, d.class, d.region
    ) AS csv_detail
FROM query_table($detail) AS d
INNER JOIN invoice_chosen AS c ON d.invoice_no = c.invoice_no
INNER JOIN query_table($heads) AS h ON d.invoice_no = h.invoice_no
WHERE c.chunk = $chunk
GROUP BY d.invoice_no;
