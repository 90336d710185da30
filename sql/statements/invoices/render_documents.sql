-- Answers: the chosen documents as finished JSON and CSV, byte for byte what the Python renderers make.
-- Grain: one row per document.
-- Reads: $heads, invoice_chosen, rendered_lines, rendered_detail, rendered_sellers, the text macros.
SELECT
    h.invoice_no,
    h.account_id,
    encode(concat(
        '{', chr(10), '  "schema": "', $schema, '",', chr(10), '  "invoice_no": ', json_text(h.invoice_no), ',',
        chr(10), '  "kind": "', h.kind, '",', chr(10), '  "account_id": ', json_text(h.account_id), ',', chr(10),
        '  "month": "', h.month, '",', chr(10), '  "currency": "', h.currency, '",', chr(10), '  "issued_at": "',
        stamp_text(h.issued_at), '",', chr(10), '  "due_on": "', h.due_on, '",', chr(10), '  "period": {', chr(10),
        '    "start": "', stamp_text(h.period_start), '",', chr(10), '    "end": "', stamp_text(h.period_end), '",',
        chr(10), '    "timezone": ', json_text(h.timezone), chr(10), '  },', chr(10), '  "corrects": ',
        json_text(h.corrects), ',', chr(10), '  "reason": ', json_text(h.reason), ',', chr(10), '  "seller": ',
        s.seller_json, ',', chr(10), '  "customer": {', chr(10), '    "name": ', json_text(h.customer_name), ',',
        chr(10), '    "address": ', json_lines(address_lines(h.customer_address, h.customer_country), '    '), ',',
        chr(10), '    "tax_id": ', json_text(h.customer_tax_id), ',', chr(10), '    "email": ',
        json_text(h.customer_email), ',', chr(10), '    "account_id": ', json_text(h.account_id), chr(10), '  },',
        chr(10), '  "lines": [', chr(10), l.json_lines, chr(10), '  ],', chr(10), '  "subtotal": "',
        exact_text(h.subtotal), '",', chr(10), '  "cut": "', exact_text(h.cut), '",', chr(10), '  "net": "',
        minor_text(h.subtotal - h.cut, h.digits), '",', chr(10), '  "tax_rate_percent": "',
        percent_text(h.tax_rate_bp), '",', chr(10), '  "tax": "', minor_text(h.tax, h.digits), '",', chr(10),
        '  "total": "', minor_text(h.total, h.digits), '",', chr(10), '  "rounding": ', json_text($rounding), ',',
        chr(10), '  "notes": ', CASE h.kind WHEN 'invoice' THEN s.notes_json ELSE '[]' END, ',', chr(10),
        '  "evidence": ',
        CASE h.kind
            WHEN 'invoice' THEN concat(
                '{', chr(10), '    "hours": ', h.hours, ',', chr(10), '    "incomplete_hours": ', h.incomplete_hours,
                ',', chr(10), '    "certificates": ', h.certificates, ',', chr(10), '    "usage_sha256": "',
                h.usage_sha256, '"', chr(10), '  }'
            )
            ELSE 'null'
        END,
        ',', chr(10), '  "detail": ',
        CASE
            WHEN d.json_detail IS NULL THEN '[]'
            ELSE concat('[', chr(10), d.json_detail, chr(10), '  ]')
        END,
        ',', chr(10), '  "content_sha256": "', h.content_sha256, '"', chr(10), '}', chr(10)
    )) AS json,
    encode(concat($line_columns, chr(13), chr(10), l.csv_lines)) AS csv,
    encode(concat($detail_columns, chr(13), chr(10), d.csv_detail)) AS detail_csv,
    d.csv_detail IS NOT NULL AS has_detail
FROM query_table($heads) AS h
INNER JOIN invoice_chosen AS c ON h.invoice_no = c.invoice_no
INNER JOIN rendered_lines AS l ON h.invoice_no = l.invoice_no
INNER JOIN rendered_sellers AS s ON h.seller = s.seller
LEFT JOIN rendered_detail AS d ON h.invoice_no = d.invoice_no
WHERE c.chunk = $chunk
ORDER BY h.invoice_no;
