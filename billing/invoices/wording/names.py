"""How people call what is sold, and where."""

from __future__ import annotations

ITEM_NAMES = {
    "https_requests": "HTTPS requests",
    "quic_requests": "QUIC requests",
    "http_requests": "HTTP requests",
    "data_transfer": "Data transfer",
    "peak_bandwidth": "Daily peak bandwidth",
    "percentile95_bandwidth": "95th percentile bandwidth",
    "plan": "Plan",
    "commitment": "Commitment",
}
REGION_NAMES = {
    "all": "all regions",
    "OverSeas": "all regions but mainland China",
    "CN": "mainland China",
    "NA": "North America",
    "EU": "Europe",
    "AP1": "Asia Pacific 1",
    "AP2": "Asia Pacific 2",
    "AP3": "Asia Pacific 3",
    "MEAA": "Middle East and Africa",
    "SA": "South America",
}


def item_name(item: str) -> str:
    """How people call a billable item; an unknown one keeps its own name."""
    return ITEM_NAMES.get(item, item.replace("_", " "))


def region_name(region: str) -> str:
    """How people call a billing region; an operator's own label stays as it is."""
    return REGION_NAMES.get(region, region)
