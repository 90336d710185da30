"""`apply --watch`: live soon, through kills, and nobody else notices."""

from __future__ import annotations

import re

import pytest

import edgetoll
from edge.https.probe import REFUSED
from tests.billing.daemon.process import SETTINGS, ask, service
from tests.edge.https.chaos import CALM, Chaos, billed
from tests.edge.https.world import Edge

pytestmark = pytest.mark.needs_nginx


def test_random_changes_and_kills_end_in_what_is_wished_and_the_calm_domain_never_fails(
    edge: Edge, seed: int
) -> None:
    chaos = Chaos(edge, seed, domains=3)
    client = chaos.run(12)
    assert client.failures == []
    assert client.asked > 20
    edge.stop()
    made = chaos.answered + client.answered()
    assert billed(edge, [CALM, *chaos.book]) == dict(made), "every request is on the bill, by class"
    for status in edge.status()["domains"].values():
        assert status["state"] == "live"


def test_edgetoll_run_serves_what_is_wished_and_its_metrics_say_so(edge: Edge) -> None:
    with open(edge.home / "edgetoll.toml", "a", encoding="utf-8") as settings:
        settings.write(SETTINGS)
    assert edgetoll.main(["init", str(edge.home)]) == 0
    with service("run", "--no-tail", "--home", str(edge.home)) as one:
        port = one.wait_for("started")["metrics_port"]
        edge.upload("enable", CALM)
        trouble = one.wait_for("said")["text"]
        assert trouble.startswith("no nginx runs with it: start it with")
        edge.start()
        one.wait_for("said", text=f"{CALM}: live")
        before = edge.leaf(CALM)
        edge.upload("renew", CALM)
        one.wait_for("said", text=f"{CALM}: live")
        assert edge.leaf(CALM) not in (before, REFUSED)
        _status, text = ask(port, "/metrics")
        assert one.end() == 0
    assert 'edgetoll_https_domains{state="live"} 1.0' in text
    assert f'edgetoll_tls_days_to_expiry{{domain="{CALM}"}} 88.0' in text
    assert "edgetoll_https_refused_applies_total 0.0" in text
    (took,) = re.findall(r"^edgetoll_https_seconds_to_live (\d+)", text, re.MULTILINE)
    assert int(took) <= 60
