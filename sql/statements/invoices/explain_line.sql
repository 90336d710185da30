-- Answers: one invoice line with what its head says of account, month and record.
-- Grain: one row, none if there is no such line.
-- Reads: invoice_lines, invoices, accounts.
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
    l.reason
FROM invoice_lines AS l
INNER JOIN invoices AS i ON l.invoice_no = i.invoice_no
INNER JOIN accounts AS a ON i.account_id = a.account_id
WHERE l.invoice_no = $invoice_no AND l.line_no = $line_no;
