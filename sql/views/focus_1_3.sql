-- The same rows in the columns of FOCUS 1.3: who serves and who hosts, what a plan is applied to, and how a cost was shared out.
-- Grain: one row per row of focus; ProviderName and PublisherName are deprecated by 1.3 and still required.
-- Owner: billing/invoices.
-- Reads: focus. Costs are not shared out here (domain_bills does that): the Allocated columns are null.
-- Read by: people (edgetoll sql).
CREATE VIEW focus_1_3 AS
SELECT
    NULL::VARCHAR AS "AllocatedMethodDetails",
    NULL::VARCHAR AS "AllocatedMethodId",
    NULL::VARCHAR AS "AllocatedResourceId",
    NULL::VARCHAR AS "AllocatedResourceName",
    NULL::MAP(VARCHAR, VARCHAR) AS "AllocatedTags",
    f.* EXCLUDE ("x_ChargeId", "x_Revision"),
    CASE
        WHEN f."CommitmentDiscountId" IS NOT NULL THEN CAST(to_json({'ContractApplied': list_transform(
            string_split(f."CommitmentDiscountId", '+'),
            lambda plan: {
                'ContractId': plan,
                'ContractCommitmentId': plan,
                'ContractCommitmentAppliedCost': f."BilledCost",
                'ContractCommitmentAppliedQuantity': CASE
                    WHEN contains(f."CommitmentDiscountId", '+') THEN NULL ELSE f."CommitmentDiscountQuantity"
                END,
                'ContractCommitmentAppliedUnit': CASE
                    WHEN contains(f."CommitmentDiscountId", '+') THEN NULL ELSE f."CommitmentDiscountUnit"
                END
            }
        )}) AS VARCHAR)
    END AS "ContractApplied",
    f."ProviderName" AS "HostProviderName",
    f."ProviderName" AS "ServiceProviderName",
    f."x_ChargeId",
    f."x_Revision"
FROM focus AS f
