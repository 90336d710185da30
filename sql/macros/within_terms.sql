-- An amount within a card's fixed terms: no more than the maximum (the cap), then no less than the minimum (the
-- floor), so that a floor above the cap wins (DOMAIN §10.7). NULL: there is no such term.
-- Grain: one value per call.
-- Reads: its parameters.
-- Read by: sql/macros/card_units.sql, sql/statements/rating/amounts.sql.
CREATE MACRO within_terms(amount, most, least_due) AS
    greatest(least(amount, most), least_due)
