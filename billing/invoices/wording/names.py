"""How people call what is sold, and where."""

from __future__ import annotations

from billing.invoices.wording.texts import catalogue


def item_name(item: str, language: str = "en") -> str:
    """How people call a billable item; an unknown one keeps its own name."""
    return catalogue(language).get(f"item_{item}") or item.replace("_", " ")


def region_name(region: str, language: str = "en") -> str:
    """How people call a billing region; an operator's own label stays as it is."""
    return catalogue(language).get(f"region_{region}", region)
