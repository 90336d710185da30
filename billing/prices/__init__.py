"""billing.prices: dated, immutable price books (TOML) and what their rate cards cost.

Decided here: what a price book may say, which card prices what when, how its curve stands in whole
numbers, and that no used price is ever edited. The nouns are Tier, RateCard, PriceBook and
PriceBooks (records).
"""

from billing.prices.book import load_books, read_book
from billing.prices.records import PriceBook, PriceBooks, RateCard, Tier

__all__ = ["PriceBook", "PriceBooks", "RateCard", "Tier", "load_books", "read_book"]
