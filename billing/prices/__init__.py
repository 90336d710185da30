"""billing.prices: dated, immutable price books (TOML) and the curves of their rate cards."""

from billing.prices.book import load_books, read_book
from billing.prices.records import PriceBook, PriceBooks, RateCard, Tier

__all__ = ["PriceBook", "PriceBooks", "RateCard", "Tier", "load_books", "read_book"]
