-- The FOCUS view keeps the rules of the FinOps Open Cost and Usage Specification 1.2 and 1.3 that rows can break.
-- Grain: one row per rule that is broken, and by how many rows.
-- Reads: the lake: focus_1_3, whose rows are those of focus.
-- Read by: billing/commands/compare.py.
WITH counted AS (
    SELECT
        count(*) FILTER (
            "BilledCost" IS NULL OR "EffectiveCost" IS NULL OR "ListCost" IS NULL OR "ContractedCost" IS NULL
        ) AS "a cost is null",
        count(*) FILTER (NOT regexp_full_match(coalesce("BillingCurrency", ''), '[A-Z]{3}'))
            AS "BillingCurrency is no ISO 4217 code",
        count(*) FILTER ("PricingCurrency" IS DISTINCT FROM "BillingCurrency" AND "PricingCategory" IS NOT NULL)
            AS "PricingCurrency differs, though nothing is converted",
        count(*) FILTER ("BillingAccountId" IS NULL OR "BillingAccountName" IS NULL OR "BillingAccountType" IS NULL)
            AS "the billing account is null",
        count(*) FILTER (
            "InvoiceIssuerName" IS NULL OR "ProviderName" IS NULL OR "PublisherName" IS NULL
            OR "ServiceProviderName" IS NULL OR "HostProviderName" IS NULL
        ) AS "who provides, hosts, publishes or issues is null",
        count(*) FILTER ("ServiceName" IS NULL OR "ServiceCategory" IS NULL OR "ServiceSubcategory" IS NULL)
            AS "the service is null",
        count(*) FILTER (
            coalesce("ChargeCategory", '') NOT IN ('Usage', 'Purchase', 'Tax', 'Credit', 'Adjustment')
        ) AS "ChargeCategory is none of the five",
        count(*) FILTER ("ChargeClass" <> 'Correction') AS "ChargeClass is neither null nor Correction",
        count(*) FILTER (coalesce("ChargeFrequency", '') NOT IN ('One-Time', 'Recurring', 'Usage-Based'))
            AS "ChargeFrequency is none of the three",
        count(*) FILTER ("ChargeDescription" IS NULL) AS "ChargeDescription is null",
        count(*) FILTER ("ChargePeriodStart" IS NULL OR "ChargePeriodEnd" IS NULL
            OR "ChargePeriodStart" >= "ChargePeriodEnd") AS "the charge period does not end after its start",
        count(*) FILTER ("BillingPeriodStart" IS NULL OR "BillingPeriodEnd" IS NULL
            OR "BillingPeriodStart" >= "BillingPeriodEnd") AS "the billing period does not end after its start",
        count(*) FILTER (
            "ChargeClass" IS NULL AND "ChargeCategory" = 'Usage'
            AND ("ChargePeriodStart" < "BillingPeriodStart" OR "ChargePeriodEnd" > "BillingPeriodEnd")
        ) AS "usage that corrects nothing lies outside its billing period",
        count(*) FILTER ("PricingCategory" NOT IN ('Standard', 'Dynamic', 'Committed', 'Other'))
            AS "PricingCategory is none of the four",
        count(*) FILTER ("ChargeCategory" = 'Tax' AND "PricingCategory" IS NOT NULL) AS "tax has a PricingCategory",
        count(*) FILTER ("ChargeCategory" = 'Usage' AND "ChargeClass" IS NULL AND (
            "PricingCategory" IS NULL OR "SkuId" IS NULL OR "SkuPriceId" IS NULL OR "ConsumedQuantity" IS NULL
            OR "PricingQuantity" IS NULL
        )) AS "usage lacks its SKU, price or quantity",
        count(*) FILTER ("ChargeCategory" = 'Purchase' AND "ChargeClass" IS NULL AND (
            "PricingCategory" IS NULL OR "SkuId" IS NULL OR "SkuPriceId" IS NULL OR "PricingQuantity" IS NULL
        )) AS "a purchase lacks its SKU, price or quantity",
        count(*) FILTER ("ChargeCategory" = 'Tax' AND (
            "SkuId" IS NOT NULL OR "SkuPriceId" IS NOT NULL OR "ListUnitPrice" IS NOT NULL OR "PricingQuantity" IS NOT NULL
        )) AS "tax has a SKU, price or quantity",
        count(*) FILTER ("ChargeCategory" <> 'Usage' AND ("ConsumedQuantity" IS NOT NULL OR "ConsumedUnit" IS NOT NULL))
            AS "what is no usage has a ConsumedQuantity",
        count(*) FILTER (("ConsumedQuantity" IS NULL) <> ("ConsumedUnit" IS NULL))
            AS "ConsumedQuantity and ConsumedUnit do not go together",
        count(*) FILTER (("PricingQuantity" IS NULL) <> ("PricingUnit" IS NULL))
            AS "PricingQuantity and PricingUnit do not go together",
        count(*) FILTER ("ListUnitPrice" < 0 OR "ContractedUnitPrice" < 0) AS "a unit price is negative",
        count(*) FILTER (("CommitmentDiscountId" IS NULL) <> ("CommitmentDiscountStatus" IS NULL)
            OR ("CommitmentDiscountId" IS NULL) <> ("CommitmentDiscountType" IS NULL)
            OR ("CommitmentDiscountId" IS NULL) <> ("CommitmentDiscountQuantity" IS NULL)
            OR ("CommitmentDiscountQuantity" IS NULL) <> ("CommitmentDiscountUnit" IS NULL))
            AS "what is said of a commitment does not go together",
        count(*) FILTER ("CommitmentDiscountStatus" NOT IN ('Used', 'Unused')
            OR "CommitmentDiscountCategory" NOT IN ('Spend', 'Usage')) AS "a commitment's status or category is no such word",
        count(*) FILTER ("PricingCategory" = 'Committed' AND "CommitmentDiscountId" IS NULL)
            AS "Committed without a commitment",
        count(*) FILTER (("CommitmentDiscountId" IS NULL) <> ("ContractApplied" IS NULL))
            AS "ContractApplied and the commitment do not go together",
        count(*) FILTER ("RegionId" IS NULL AND "RegionName" IS NOT NULL) AS "RegionName without RegionId",
        count(*) FILTER ("ResourceId" IS NULL AND "ResourceName" IS NOT NULL) AS "ResourceName without ResourceId",
        count(*) FILTER ("SubAccountId" IS NULL AND "SubAccountName" IS NOT NULL) AS "SubAccountName without SubAccountId",
        count(*) FILTER ("AllocatedMethodId" IS NULL AND "AllocatedResourceId" IS NOT NULL)
            AS "AllocatedResourceId without AllocatedMethodId"
    FROM focus_1_3
)

SELECT rule, found
FROM (UNPIVOT counted ON COLUMNS(*) INTO NAME rule VALUE found) AS broken
WHERE found <> 0
ORDER BY rule
