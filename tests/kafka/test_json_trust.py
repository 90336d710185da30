"""Who may report JSON events where edges sign what they send (M5). No broker here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.batch.signature import create_key, read_registry
from edge.errors import ConfigError
from metering.counting.json_check import Bounds, check
from metering.counting.json_parse import Unreadable, events_of
from metering.counting.json_trust import EVERYBODY, JsonTrust, trust_of
from metering.settings import MeteringSettings
from tests.kafka.test_json_events import DAY, NOW, changed, message


def trusted(folder: Path, *, keys: bool = True, **settings: Any) -> JsonTrust:
    """What these settings say, with one signed edge `edge-1` where there are keys."""
    registry = None
    if keys:
        key = create_key(folder / "edge.key")
        text = (
            f'[{{"edge_id": "edge-1", "public_key": "{key.public_key.hex()}",'
            f' "valid_from_ms": 0, "valid_to_ms": {1 << 50}}}]'
        )
        (folder / "keys.json").write_text(text)
        registry = read_registry(folder / "keys.json")
    return trust_of(MeteringSettings(json_events=settings), registry)


def verdicts(trust: JsonTrust, *events: dict[str, Any]) -> list[str]:
    """What becomes of these events, each sent under its source as key, checked together."""
    bounds = Bounds(window_start_ms=NOW - 7 * DAY, now_ms=NOW, trust=trust)
    raw, keys = [], []
    for event in events:
        found = events_of(message(event))
        assert not isinstance(found, Unreadable)
        raw += found
        keys.append(str(event["source"]).encode())
    checked = check(raw, keys, bounds)
    refused = {place: str(reason) for place, reason, _ in checked.refused}
    return [refused.get(place, "counted") for place in range(len(events))]


@pytest.mark.parametrize("source", ["edge-1", "cdn-a", "EDGE-1", "edge-1 ", "*"])
def test_m5_with_keys_no_source_that_is_not_listed_is_counted(source: str, tmp_path: Path) -> None:
    assert verdicts(trusted(tmp_path), changed(source=source)) == ["untrusted"]


def test_m5_with_keys_a_listed_source_is_counted_and_its_neighbour_is_not(tmp_path: Path) -> None:
    trust = trusted(tmp_path, sources=[{"source": "cdn-a"}])
    events = [changed(id="1"), changed(id="2", source="cdn-b"), changed(id="3")]
    assert verdicts(trust, *events) == ["counted", "untrusted", "counted"]


def test_m5_no_json_source_may_be_listed_under_the_name_of_an_edge(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="edge-1, which is an edge"):
        trusted(tmp_path, sources=[{"source": "edge-1"}])
    expected = [{"edge": "edge-2", "since": "2026-11-01"}]
    settings = MeteringSettings(
        expected_edges=expected, json_events={"sources": [{"source": "edge-2"}]}
    )
    with pytest.raises(ConfigError, match="edge-2, which is an edge"):
        trust_of(settings, None)


@pytest.mark.parametrize("source", ["EDGE-1", "edge-1 ", "edge-1.", "ｅdge-1", "edge-1\u200b"])
def test_m5_nor_under_one_that_looks_like_it(source: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="which is an edge but for its spelling"):
        trusted(tmp_path, sources=[{"source": source}])


def test_m5_a_list_that_says_two_things_or_nothing_is_refused(tmp_path: Path) -> None:
    for sources, said in (
        ([], "lists none"),
        ([{"source": "cdn-a", "domains": []}], "domains = \\[\\] lists none"),
        ([{"source": "cdn-a"}, {"source": "cdn-a", "domains": ["a.example"]}], "which is listed"),
        ([{"source": "cdn-a"}, {"source": "CDN-A"}], "which is listed but for its spelling"),
    ):
        with pytest.raises(ConfigError, match=said):
            trusted(tmp_path, keys=False, sources=sources)


def test_m5_an_expected_edge_lends_its_name_to_no_json_event_even_without_keys() -> None:
    settings = MeteringSettings(expected_edges=[{"edge": "edge-2", "since": "2026-11-01"}])
    trust = trust_of(settings, None)
    events = [changed(source="edge-2"), changed(source="cdn-a")]
    assert verdicts(trust, *events) == ["untrusted", "counted"]


@pytest.mark.parametrize("keys", [True, False])
def test_m5_a_switch_turns_json_off_whoever_is_listed(keys: bool, tmp_path: Path) -> None:
    trust = trusted(tmp_path, keys=keys, enabled=False, sources=[{"source": "cdn-a"}])
    assert verdicts(trust, changed()) == ["untrusted"]


NAMES = [
    ("shop.example.com", "counted"),
    ("SHOP.example.com.:443", "counted"),
    ("a.img.example.org", "counted"),
    ("img.example.org", "domain"),
    ("example.com", "domain"),
    ("evilshop.example.com", "domain"),
    ("shop.example.com.evil.example", "domain"),
    ("*", "domain"),
    ("", "domain"),
]


@pytest.mark.parametrize(("name", "expected"), NAMES)
def test_m5_a_source_reports_only_the_names_listed_for_it(
    name: str, expected: str, tmp_path: Path
) -> None:
    listed = {"source": "cdn-a", "domains": ["shop.example.com", "*.img.example.org"]}
    trust = trusted(tmp_path, sources=[listed, {"source": "cdn-b"}])
    assert verdicts(trust, changed(domain=name)) == [expected]
    assert verdicts(trust, changed(domain=name, source="cdn-b")) == ["counted"]


def test_m5_a_listed_name_that_is_none_is_a_setting_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no domain"):
        trusted(tmp_path, sources=[{"source": "cdn-a", "domains": ["not a name"]}])


def test_m5_without_keys_and_without_a_list_every_source_may_report(tmp_path: Path) -> None:
    assert trusted(tmp_path, keys=False) == EVERYBODY
    assert verdicts(EVERYBODY, changed(source="anybody")) == ["counted"]
