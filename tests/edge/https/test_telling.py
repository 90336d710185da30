"""What was proven is told to billing once; and the stop list, from topic and file."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import edgetoll
from edge.crash_point import VARIABLE
from edge.errors import Corrupt
from edge.https.facts import FactFile, fact_files, read_fact_file
from edge.https.stop_list import KEPT, read_stop_list
from edge.https.stop_topic import TopicList
from tests.edge.https.world import Edge

WWW = "www.shop.example"
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


def told(edge: Edge) -> list[FactFile]:
    """Every file that this edge wrote."""
    return [read_fact_file(path)[0] for path in fact_files(edge.home / "https-facts" / "edge")]


@pytest.mark.needs_nginx
def test_each_proven_change_is_a_fact_and_a_stop_is_none(edge: Edge) -> None:
    edge.upload("enable", WWW)
    assert edge.run("apply") == 1
    assert told(edge) == [], "nothing is proven yet"
    edge.start()
    edge.done("apply")
    edge.stop_domains(WWW)
    edge.done("apply")
    edge.stop_domains()
    edge.done("apply")
    edge.done("set", WWW, "--redirect", "to-https")
    edge.done("apply")
    edge.done("disable", WWW)
    edge.done("apply")
    edge.done("apply")
    facts = [fact for file in told(edge) for fact in file.facts]
    assert [(one.domain, one.https, one.redirect) for one in facts] == [
        (WWW, True, "off"), (WWW, True, "to-https"), (WWW, False, "off"),
    ]  # fmt: skip
    assert all(one.live_at > one.changed_at for one in facts)
    assert facts[0].certificate_sha256 == facts[1].certificate_sha256 != ""
    assert facts[2].certificate_sha256 == ""
    line = edge.status()["domains"][WWW]
    assert 0 <= line["seconds_to_live"] < 60


@pytest.mark.needs_nginx
def test_a_kill_before_the_status_tells_again_and_loses_nothing(edge: Edge) -> None:
    import os
    import subprocess
    import sys

    edge.upload("enable", WWW)
    assert edge.run("apply") == 1
    edge.start()
    command = [sys.executable, "edgetoll.py", "edge", "https", "apply", "--home", str(edge.home)]
    killed = subprocess.run(
        command, env={**os.environ, VARIABLE: "https-told"}, cwd=Path(__file__).parents[3],
        check=False, capture_output=True,
    )  # fmt: skip
    assert killed.returncode not in (0, 1)
    edge.done("apply")
    first, second = (fact for file in told(edge) for fact in file.facts)
    assert first.changed_at == second.changed_at
    assert first.live_at <= second.live_at


@pytest.mark.needs_nginx
def test_requests_under_another_name_are_told_as_a_count(edge: Edge) -> None:
    """From nginx's log over the agent's refusals to the fact."""
    edge.upload("enable", WWW)
    assert edge.run("apply") == 1
    for more in (2, 1):
        edge.start()
        edge.done("apply")
        for _ in range(more):
            assert edge.curl(f"https://{WWW}/", "-H", "Host: other.example")["status"] == 421
        assert edge.curl(f"https://{WWW}/")["status"] == 200
        edge.stop()
        log = str(edge.home / "access.log")
        assert edgetoll.main(["edge", "import", log, "--format", "nginx", "--edge", "edge",
                              "--region", "DE", "--home", str(edge.home)]) == 0  # fmt: skip
    edge.start()
    edge.done("apply")
    edge.done("apply")
    assert [(one.number, one.sni_mismatches, len(one.facts)) for one in told(edge)] == [
        (1, 0, 1), (2, 2, 0), (3, 3, 0),
    ]  # fmt: skip


def row(name: str, *, excepted: tuple[str, ...] = ()) -> bytes:
    """A message's value as billing writes it."""
    return json.dumps({"domain": name, "cause": "arrears", "except": list(excepted)}).encode()


def test_the_topics_rows_are_the_list_and_what_nobody_can_read_changes_nothing(
    tmp_path: Path,
) -> None:
    found = TopicList()
    for second, (name, value) in enumerate(
        [
            ("a.example", row("a.example")),
            ("*.b.example", row("*.b.example", excepted=("x.b.example",))),
            ("c.example", row("c.example")),
            ("a.example", b"by hand"),
            ("z.example", row("other.example")),
            ("y.example", row("y.example", excepted=("no name!",))),
            ("c.example", None),
        ]
    ):
        found.take(name, value, NOW + timedelta(seconds=second))
    assert found.odd == {"a.example", "y.example", "z.example"}
    path = tmp_path / "domains.json"
    path.write_bytes(found.document())
    read = read_stop_list(path, tmp_path)
    assert [(one.domain, one.except_names) for one in read.names] == [
        ("*.b.example", ("x.b.example",)), ("a.example", ()),
    ]  # fmt: skip
    assert (read.as_of, read.trouble) == ("2026-11-30T12:00:06Z", "")
    found.take("a.example", None, NOW)
    assert found.odd == {"y.example", "z.example"}


def test_a_list_without_a_time_is_not_whole_and_two_damaged_ones_change_nothing(
    tmp_path: Path,
) -> None:
    published, kept = tmp_path / "domains.json", tmp_path / KEPT
    whole = TopicList()
    whole.take("a.example", row("a.example"), NOW)
    published.write_bytes(whole.document())
    assert read_stop_list(published, tmp_path).trouble == ""
    published.write_bytes(whole.document().replace(b"2026-11-30T12", b"noon"))
    found = read_stop_list(published, tmp_path)
    assert [one.domain for one in found.names] == ["a.example"]
    assert "the last is kept" in found.trouble
    kept.write_bytes(b"{")
    for _ in range(2):
        with pytest.raises(Corrupt, match="the last that was whole, is damaged"):
            read_stop_list(published, tmp_path)
        published.unlink(missing_ok=True)
