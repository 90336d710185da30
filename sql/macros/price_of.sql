-- From usage to money: what a month with that quantity of an item costs in a region, when no plan pays.
-- Grain: one value per call.
-- Reads: accounts, price_cards, under names that no argument can mean.
-- Say for whom or by which book: account := 'acme' (its own prices too), or book := 'alibaba-china'.
-- Read by: people (edgetoll sql).
CREATE MACRO price_of(item, region, quantity, account := NULL, book := NULL, moment := NULL) AS
    card_price(
        coalesce(
            card_of(
                item, region,
                coalesce(book, (
                    SELECT any_value(_a._price_book)
                    FROM (
                        SELECT account_id AS _account_id, price_book AS _price_book FROM accounts
                    ) AS _a
                    WHERE _a._account_id = account
                )),
                account := account, moment := moment
            ),
            error('no price of ' || item || ' for ' || region || ': name a book or an account that has one')
        ),
        quantity
    )
