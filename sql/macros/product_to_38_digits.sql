-- The product of two amounts from zero on; 10^38 - 1, the most that a column holds, where it would be more.
-- Grain: one value per call.
-- Reads: its parameters.
-- Read by: sql/macros/parts_of_curve.sql.
CREATE MACRO product_to_38_digits(one, other) AS
    CASE
        WHEN one > 0 AND other > CAST('99999999999999999999999999999999999999' AS HUGEINT) // one
            THEN CAST('99999999999999999999999999999999999999' AS HUGEINT)
        ELSE one * other
    END
