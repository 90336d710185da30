"""In which language somebody is written to, where nobody has said so: by the country."""

from __future__ import annotations

LANGUAGES = ("en", "de", "fr", "es", "zh", "ja", "ar")
"""English, German, French, Spanish, Simplified Chinese, Japanese, Arabic."""
LANGUAGE_OF_COUNTRY = {
    "AT": "de", "CH": "de", "DE": "de", "LI": "de", "BE": "fr", "FR": "fr", "LU": "fr", "MC": "fr",
    "AR": "es", "CL": "es", "CO": "es", "ES": "es", "MX": "es", "PE": "es", "UY": "es", "CN": "zh",
    "JP": "ja", "AE": "ar", "BH": "ar", "EG": "ar", "JO": "ar", "KW": "ar", "OM": "ar", "QA": "ar",
    "SA": "ar",
}  # fmt: skip
"""Other countries: English."""


def language_of(said: str, country: str, settled: str) -> str:
    """The language of an account: what it says itself, else the one that is `settled` for all, or
    its country's where that is `country`. The same in SQL: statements/invoices/due_and_late/due.
    """
    if said or settled != "country":
        return said or settled
    return LANGUAGE_OF_COUNTRY.get(country, "en")
