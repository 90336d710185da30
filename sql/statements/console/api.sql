-- The lists of the read API. Each row has a `position` that is unique and orders them, so that the next page begins after
-- it, whatever was added meanwhile. A filter is 'all' where nobody says.

-- name: accounts
-- One row per account with its money and how it stands.
SELECT
    a.account_id AS position,
    a.account_id,
    a.name,
    a.currency,
    coalesce(s.state, 'ok') AS state,
    s.since,
    s.reason,
    coalesce(s.available, a.available) AS available,
    s.projected,
    s.burn_per_hour,
    s.projected_zero_at,
    coalesce(s.unverified, false) AS unverified,
    a.cash,
    a.vouchers,
    a.charged,
    a.credit_limit,
    a.timezone,
    a.price_book,
    a.billing_method,
    a.country,
    a.tags
FROM accounts AS a
LEFT JOIN account_states AS s ON a.account_id = s.account_id
WHERE a.account_id > $after AND $account IN ('all', a.account_id) AND $state IN ('all', coalesce(s.state, 'ok'))
ORDER BY position
LIMIT $limit

-- name: domains
-- One row per domain and period in which somebody owns it.
SELECT
    ownership_id AS position,
    domain,
    account_id,
    effective_from,
    effective_to,
    tags
FROM domains
WHERE ownership_id > $after AND $account IN ('all', account_id) AND $domain IN ('all', domain)
ORDER BY position
LIMIT $limit

-- name: usage
-- One row per hour, account, domain, region and class of a day (UTC); what is nobody's has no account.
WITH placed AS (
    SELECT
        concat(strftime(hour, '%H'), '|', domain, '|', region, '|', class, '|', account_id) AS position,
        hour,
        account_id,
        domain,
        region,
        class,
        requests,
        bytes_sent
    FROM usage_hourly
    WHERE
        hour >= $day
        AND hour < CAST($day AS DATE) + INTERVAL 1 DAY
        AND ($account = 'all' OR account_id = $account)
        AND $domain IN ('all', domain)
)

SELECT * FROM placed
WHERE position > $after
ORDER BY position
LIMIT $limit

-- name: charges
-- One row per charge of a month.
SELECT
    charge_id AS position,
    charge_id,
    account_id,
    item,
    region,
    month,
    period_start,
    period_end,
    quantity,
    free_quantity,
    plan_quantity,
    billable_quantity,
    amount,
    currency,
    revision,
    reason,
    rate_card
FROM charges
WHERE month = $month AND charge_id > $after AND $account IN ('all', account_id)
ORDER BY position
LIMIT $limit

-- name: invoices
-- One row per invoice or credit note, with what is open of it.
SELECT
    i.invoice_no AS position,
    i.invoice_no,
    i.account_id,
    i.month,
    i.kind,
    i.status,
    i.currency,
    i.subtotal,
    i.cut,
    i.tax,
    i.total,
    b.open_amount,
    i.issued_at,
    i.due_on,
    i.corrects
FROM invoices AS i
LEFT JOIN invoice_balances AS b ON i.invoice_no = b.invoice_no
WHERE
    i.invoice_no > $after
    AND $invoice IN ('all', i.invoice_no)
    AND $account IN ('all', i.account_id)
    AND $month IN ('all', i.month)
ORDER BY position
LIMIT $limit

-- name: invoice_lines
-- One row per line of an invoice.
WITH placed AS (
    SELECT
        lpad(CAST(line_no AS VARCHAR), 9, '0') AS position,
        line_no,
        item,
        region,
        quantity,
        free_quantity,
        plan_quantity,
        billable_quantity,
        unit,
        unit_price,
        amount,
        tax,
        corrects_invoice,
        reason
    FROM invoice_lines
    WHERE invoice_no = $invoice
)

SELECT * FROM placed
WHERE position > $after
ORDER BY position
LIMIT $limit

-- name: states
-- One row per change of an account's state, from the first.
WITH placed AS (
    SELECT
        concat(account_id, '|', lpad(CAST(version AS VARCHAR), 12, '0')) AS position,
        account_id,
        version,
        state,
        previous,
        since,
        until,
        reason,
        overdue_since,
        decided_by
    FROM account_state_history
    WHERE $account IN ('all', account_id)
)

SELECT * FROM placed
WHERE position > $after
ORDER BY position
LIMIT $limit

-- name: ledger
-- One row per transfer of a time: what moved from which ledger account to which.
WITH placed AS (
    SELECT
        concat(strftime(effective_at, '%Y-%m-%dT%H:%M:%S'), '|', transfer_id) AS position,
        transfer_id,
        account_id,
        code,
        debit_account,
        credit_account,
        amount,
        currency,
        effective_at,
        reference,
        journal_no
    FROM transfers
    WHERE $account IN ('all', account_id)
)

SELECT * FROM placed
WHERE position > $after
ORDER BY position
LIMIT $limit

-- name: plans
-- One row per prepaid plan, with what is left.
SELECT
    plan_id AS position,
    plan_id,
    account_id,
    kind,
    region,
    starts_at,
    ends_at,
    bought,
    used,
    left_over,
    has_ended
FROM plan_usage
WHERE plan_id > $after AND $account IN ('all', account_id)
ORDER BY position
LIMIT $limit

-- name: prices
-- One row per tier of a rate card in force on a day (UTC).
WITH placed AS (
    SELECT
        concat(card_id, '|', lpad(CAST(tier_no AS VARCHAR), 6, '0')) AS position,
        card_id,
        book,
        account_id,
        item,
        region,
        model,
        currency,
        unit,
        per,
        tier_from,
        tier_to,
        unit_price,
        free_quantity,
        in_force_from,
        in_force_until
    FROM prices
    WHERE
        $book IN ('all', book)
        AND (in_force_from IS NULL OR in_force_from < CAST($day AS DATE) + INTERVAL 1 DAY)
        AND (in_force_until IS NULL OR in_force_until > $day)
)

SELECT * FROM placed
WHERE position > $after
ORDER BY position
LIMIT $limit
