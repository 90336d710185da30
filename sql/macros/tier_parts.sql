-- Tiers as the parts of one curve: quantity q in (lower, upper] costs base + ceil((q - origin) / step) * price, in
-- 10^-10 units times `common`, in which every price is whole (DOMAIN §10.5). The first part is that of no usage.
-- A base beyond 38 digits stays at 10^38 - 1, where no quantity that may be rated comes (billing.prices.largest_hour).
-- Grain: one list per call. tiers: {above, up_to (NULL: no end), price, flat_fee, at_zero}, in order, in 10^-10
-- units; unit_quantity: how many base quantities (requests, bytes) a price is for.
-- Reads: its parameters.
-- Read by: sql/macros/card_curve.sql, sql/macros/tiered_price.sql, sql/statements/rating/price_books.sql.
CREATE MACRO tier_parts(tiers, model, unit_quantity, discount_millionths, common) AS
    parts_of_curve(
        tier_numerators(tiers, model, unit_quantity, discount_millionths, common),
        model IN ('volume', 'step_reached'),
        CASE model WHEN 'package' THEN unit_quantity ELSE 1 END
    )
