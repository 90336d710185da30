-- The charges and invoices in the columns of FOCUS 1.2 (FinOps Open Cost and Usage Specification).
-- Grain: one row per row of focus_rows: those with an x_ChargeId add up to charges, the rows of an InvoiceId to its total.
-- Reads: focus_rows, invoices, accounts, price_cards, plans, utc_of_local.
-- Owner: billing/invoices.
-- Read by: people (edgetoll sql), sql/views/focus_1_3.sql.
CREATE VIEW focus AS
WITH billed AS (
    SELECT
        r.*, a.name AS account_name, a.tags, k.unit, k.per, k.unit_quantity,
        i.period_start AS billing_start, i.period_end AS billing_end,
        coalesce(i.seller_name, (SELECT max_by(v.seller_name, v.journal_no) FROM invoices AS v), 'CDN') AS seller,
        r.billing_month || '-01' AS billing_day,
        coalesce(a.timezone, 'UTC') AS account_zone,
        CASE
            WHEN k.model = 'per_unit' AND k.flat_fee = 0 AND k.minimum IS NULL AND k.maximum IS NULL
                AND k.discount_millionths = 0 AND k.account_id IS NULL THEN k.tiers[1].price
        END AS unit_price,
        CASE
            WHEN r.charge_category <> 'Usage' THEN NULL
            WHEN r.item IN ('https_requests', 'quic_requests', 'http_requests') THEN 'Requests'
            WHEN r.item = 'data_transfer' THEN 'Bytes'
            WHEN r.item IS NOT NULL THEN 'Bytes per 5 Minutes'
        END AS base_unit,
        CASE WHEN r.category = 'Committed' THEN (
            SELECT string_agg(p.plan_id, '+' ORDER BY p.ends_at, p.starts_at, p.plan_id)
            FROM plans AS p
            WHERE p.account_id = r.account_id AND p.kind = r.item
                AND date_trunc('hour', p.starts_at) < r.period_end AND p.ends_at > r.period_start
                AND (p.region IN (r.region, 'all') OR r.region = 'all' OR (p.region = 'OverSeas' AND r.region <> 'CN'))
        ) END AS plan_ids
    FROM focus_rows AS r
    LEFT JOIN accounts AS a ON r.account_id = a.account_id
    LEFT JOIN invoices AS i ON r.invoice_no = i.invoice_no
    LEFT JOIN price_cards AS k ON r.rate_card = k.card_id
),

listed AS (
    SELECT
        b.*,
        CASE
            WHEN b.category = 'Committed' AND b.unit_price IS NOT NULL THEN money_of_units(
                CAST(b.part AS HUGEINT) * units_of_money(b.unit_price) // b.unit_quantity
            )
            ELSE b.cost
        END AS list_cost,
        coalesce(b.billing_start, utc_of_local(b.account_zone, CAST(b.billing_day AS TIMESTAMP))) AS starts_at,
        coalesce(
            b.billing_end, utc_of_local(b.account_zone, CAST(b.billing_day AS TIMESTAMP) + INTERVAL 1 MONTH)
        ) AS ends_at
    FROM billed AS b
)

SELECT
    NULL::VARCHAR AS "AvailabilityZone", l.cost AS "BilledCost", l.account_id AS "BillingAccountId",
    l.account_name AS "BillingAccountName", 'Account' AS "BillingAccountType", l.currency AS "BillingCurrency",
    l.ends_at AS "BillingPeriodEnd", l.starts_at AS "BillingPeriodStart",
    NULL::VARCHAR AS "CapacityReservationId", NULL::VARCHAR AS "CapacityReservationStatus",
    l.charge_category AS "ChargeCategory", CASE WHEN l.is_correction THEN 'Correction' END AS "ChargeClass",
    l.description AS "ChargeDescription", l.frequency AS "ChargeFrequency",
    l.period_end AS "ChargePeriodEnd", l.period_start AS "ChargePeriodStart",
    CASE WHEN l.plan_ids IS NOT NULL THEN 'Usage' END AS "CommitmentDiscountCategory",
    l.plan_ids AS "CommitmentDiscountId", l.plan_ids AS "CommitmentDiscountName",
    CASE WHEN l.plan_ids IS NOT NULL THEN CAST(l.part AS DECIMAL(38, 10)) END AS "CommitmentDiscountQuantity",
    CASE WHEN l.plan_ids IS NOT NULL THEN 'Used' END AS "CommitmentDiscountStatus",
    CASE WHEN l.plan_ids IS NOT NULL THEN l.item || ' plan' END AS "CommitmentDiscountType",
    CASE WHEN l.plan_ids IS NOT NULL THEN l.base_unit END AS "CommitmentDiscountUnit",
    CAST(l.part AS DECIMAL(38, 10)) AS "ConsumedQuantity", l.base_unit AS "ConsumedUnit",
    l.list_cost AS "ContractedCost", l.unit_price AS "ContractedUnitPrice", l.cost AS "EffectiveCost",
    l.invoice_no AS "InvoiceId", l.seller AS "InvoiceIssuerName", l.list_cost AS "ListCost",
    l.unit_price AS "ListUnitPrice", l.category AS "PricingCategory", l.currency AS "PricingCurrency",
    l.unit_price AS "PricingCurrencyContractedUnitPrice", l.cost AS "PricingCurrencyEffectiveCost",
    l.unit_price AS "PricingCurrencyListUnitPrice",
    CASE
        WHEN l.charge_category = 'Purchase' THEN CAST(1 AS DECIMAL(38, 10))
        ELSE money_of_units(CAST(l.part AS HUGEINT) * 10000000000 // l.unit_quantity)
    END AS "PricingQuantity",
    CASE WHEN l.charge_category = 'Purchase' THEN 'Units' WHEN l.unit IS NOT NULL THEN CASE l.unit WHEN 'request' THEN l.per || ' Requests' ELSE CASE WHEN l.per > 1 THEN l.per || ' ' ELSE '' END || l.unit END END
        AS "PricingUnit",
    l.seller AS "ProviderName", l.seller AS "PublisherName", nullif(l.region, 'all') AS "RegionId",
    nullif(l.region, 'all') AS "RegionName", NULL::VARCHAR AS "ResourceId", NULL::VARCHAR AS "ResourceName",
    NULL::VARCHAR AS "ResourceType", 'Networking' AS "ServiceCategory", 'CDN' AS "ServiceName",
    'Content Delivery' AS "ServiceSubcategory",
    CASE WHEN l.charge_category <> 'Credit' THEN l.item || ':' || l.region END AS "SkuId",
    CASE WHEN l.charge_category <> 'Credit' THEN l.item END AS "SkuMeter",
    NULL::VARCHAR AS "SkuPriceDetails", CASE WHEN l.charge_category <> 'Credit' THEN l.rate_card END AS "SkuPriceId", NULL::VARCHAR AS "SubAccountId",
    NULL::VARCHAR AS "SubAccountName", NULL::VARCHAR AS "SubAccountType", l.tags AS "Tags",
    l.charge_id AS "x_ChargeId", l.revision AS "x_Revision"
FROM listed AS l
