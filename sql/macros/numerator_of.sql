-- The whole number that top / bottom is when counted in parts of 1 / common; common holds the reduced bottom.
-- Grain: one value per call.
-- Reads: its parameters.
-- Read by: sql/macros/tier_numerators.sql.
CREATE MACRO numerator_of(top, bottom, common) AS
    (CAST(top AS HUGEINT) // gcd(CAST(top AS HUGEINT), CAST(bottom AS HUGEINT)))
    * (CAST(common AS HUGEINT)
        // (CAST(bottom AS HUGEINT) // gcd(CAST(top AS HUGEINT), CAST(bottom AS HUGEINT))))
