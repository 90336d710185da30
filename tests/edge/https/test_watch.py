"""`apply --watch`: live soon, through kills, and nobody else notices."""

from __future__ import annotations

import pytest

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
