-- Price books: the books at hand as tables of whole numbers, and what earlier runs knew of them.
-- billing.prices.compiled makes the rows, billing.prices.tables brings them in (given_*); billing.prices.edited_cards and moved_usage ask.
-- Reads: given_*, price_versions, price_labels, price_cards, usage, accounts, account_methods, rating_held.

-- name: price_tables
-- Books, items and regions are small names; a tally is an item in a scope of a book with its denominator, and the
-- room that prorated cards leave a month's numerator; terms are
-- a card's fixed terms as numerators; the curve says that quantity q in (lower, upper] costs
-- base + ceil((q - origin) / step) * price; force says which card prices a tally when (account_id: for it alone),
-- force_no in order of time; largest_hours how much of a tally one hour may hold; scopes number every region.
CREATE OR REPLACE TEMP TABLE price_books AS SELECT book, currency, timezone FROM given_books;
CREATE OR REPLACE TEMP TABLE price_items AS SELECT item_no, item FROM given_items;
CREATE OR REPLACE TEMP TABLE price_regions AS SELECT book, label, region FROM given_regions;
CREATE OR REPLACE TEMP TABLE price_tallies AS
SELECT
    tally, book, item_no, item, scope, denominator::HUGEINT AS denominator, factor,
    has_terms, has_free, by_period,
    50000000000000000000000000000000000000 // buckets::HUGEINT AS numerator_most
FROM given_tallies;
CREATE OR REPLACE TEMP TABLE price_terms AS
SELECT
    card, card_id, account_id, tally, currency, period,
    flat_fee::HUGEINT AS flat_fee, minimum::HUGEINT AS minimum, maximum::HUGEINT AS maximum,
    free_quantity::HUGEINT AS free_quantity, at_zero::HUGEINT AS at_zero, has_terms, prorated
FROM given_terms;
CREATE OR REPLACE TEMP TABLE price_curve AS
WITH cards AS (
    SELECT
        card, any_value(model) AS model, any_value(unit_quantity) AS unit_quantity,
        any_value(discount_millionths) AS discount_millionths,
        any_value(common)::HUGEINT AS common,
        list({
            'above': above::HUGEINT, 'up_to': up_to::HUGEINT, 'price': price::HUGEINT,
            'flat_fee': flat_fee::HUGEINT, 'at_zero': at_zero
        } ORDER BY tier_no) AS tiers
    FROM given_tiers
    GROUP BY card
)
SELECT
    card,
    unnest(tier_parts(tiers, model, unit_quantity, discount_millionths, common), recursive := true)
FROM cards;
CREATE OR REPLACE TEMP TABLE price_force AS
SELECT
    account_id, tally, card, force_from, force_until,
    dense_rank() OVER (ORDER BY force_from) AS force_no
FROM given_force;
CREATE OR REPLACE TEMP TABLE price_largest_hours AS
SELECT account_id, tally, hour_most::HUGEINT AS hour_most FROM given_largest_hours;
CREATE OR REPLACE TEMP TABLE price_scopes AS
SELECT scope, row_number() OVER (ORDER BY scope) AS scope_no
FROM (
    SELECT '?' AS scope UNION SELECT 'OverSeas' UNION SELECT 'all'
    UNION SELECT region FROM price_regions
);

-- name: cards_seen
-- One row per rate card that earlier runs have seen.
SELECT card_id, book, fingerprint, effective_from, effective_until, used FROM price_versions;

-- name: known_labels
-- One row per book × label: the billing region it meant when the last run was posted.
SELECT book, label, region FROM price_labels;

-- name: known_scopes
-- One row per book × item × scope that had cards of everybody's when the last run was posted.
SELECT DISTINCT book, item, region AS scope FROM price_cards WHERE account_id IS NULL;

-- name: rated_labels
-- One row per book × label × item that was used in hours which are rated and not held.
WITH rated AS (
    SELECT a.price_book AS book, a.account_id, a.billing_method, u.region AS label, u.class,
        u.requests, u.bytes_sent
    FROM usage AS u
    JOIN accounts AS a ON a.account_id = u.account_id
    ANTI JOIN rating_held AS h ON h.account_id = u.account_id AND h.hour = u.hour
    WHERE u.hour < $last_through
)
SELECT DISTINCT book, label, class || '_requests' AS item FROM rated WHERE requests > 0
UNION
SELECT DISTINCT r.book, r.label, coalesce(m.method, r.billing_method)
FROM rated AS r
LEFT JOIN account_methods AS m ON m.account_id = r.account_id
WHERE r.bytes_sent > 0
ORDER BY ALL;
