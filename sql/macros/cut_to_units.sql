-- A numerator cut to whole 10^-10 units, toward zero: the one place where it happens (DOMAIN §10.11). A HUGEINT
-- division takes thirty times as long as a BIGINT one, which nearly always holds it.
-- Grain: one value per call.
-- Reads: its parameters.
-- Read by: sql/macros/card_units.sql, sql/macros/tiered_price.sql, sql/statements/rating/amounts_and_rounding.sql.
CREATE MACRO cut_to_units(numerator, denominator) AS
    CASE
        WHEN greatest(abs(numerator), denominator) < 4611686018427387904
            THEN CAST(CAST(numerator AS BIGINT) // CAST(denominator AS BIGINT) AS HUGEINT)
        ELSE CAST(numerator AS HUGEINT) // CAST(denominator AS HUGEINT)
    END
