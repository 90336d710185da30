"""A fresh edge for each test; one origin and one CA for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.edge.https.making import Ca
from tests.edge.https.world import Edge, new_authorities, new_edge, running_origin


@pytest.fixture(scope="session")
def authorities() -> tuple[Ca, Ca]:
    """A root and an intermediate, valid now."""
    return new_authorities()


@pytest.fixture(scope="session")
def origin() -> Iterator[str]:
    """A running origin's URL."""
    with running_origin() as url:
        yield url


@pytest.fixture
def edge(tmp_path: Path, authorities: tuple[Ca, Ca], origin: str) -> Iterator[Edge]:
    """A home with its settings; nginx is started by the test, once apply has written something.

    After every test all that it wrote and printed is searched for the keys that it uploaded.
    """
    made = new_edge(tmp_path, authorities, origin)
    yield made
    made.stop()
    assert made.leaks() == []
