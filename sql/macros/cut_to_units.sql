-- A numerator cut to whole 10^-10 units, toward zero: the one place where it happens (DOMAIN §10.11). A HUGEINT
-- division takes a hundred times as long as a BIGINT one, which nearly always holds it; what is larger is divided as on
-- paper, in two digits of 31 bits, where the denominator has no more: the remainder of the first and the second one fit.
-- Grain: one value per call.
-- Reads: its parameters.
-- Read by: sql/macros/card_units.sql, sql/macros/tiered_price.sql, sql/statements/rating/amounts.sql,
-- sql/statements/invoices/usage.sql, sql/statements/invoices/rounding.sql.
CREATE MACRO cut_to_units(numerator, denominator) AS
    CASE
        WHEN greatest(abs(numerator), denominator) < 4611686018427387904
            THEN CAST(CAST(numerator AS BIGINT) // CAST(denominator AS BIGINT) AS HUGEINT)
        WHEN abs(CAST(numerator AS HUGEINT)) < 9903520314283042199192993792 AND denominator < 2147483648
            THEN sign(numerator) * (
                CAST(
                    CAST(abs(CAST(numerator AS HUGEINT)) >> 31 AS BIGINT) // CAST(denominator AS BIGINT) AS HUGEINT
                ) * 2147483648
                + (
                    CAST(abs(CAST(numerator AS HUGEINT)) >> 31 AS BIGINT) % CAST(denominator AS BIGINT) * 2147483648
                    + CAST(abs(CAST(numerator AS HUGEINT)) & 2147483647 AS BIGINT)
                ) // CAST(denominator AS BIGINT)
            )
        ELSE CAST(numerator AS HUGEINT) // CAST(denominator AS HUGEINT)
    END
