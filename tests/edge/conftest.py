"""Blocks of a few lines are walked in these tests: in use they are not worth a compiler."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge.logs.walking import walk


@pytest.fixture(scope="package", autouse=True)
def walk_everything() -> Iterator[None]:
    worth, walk.WORTH_BYTES = walk.WORTH_BYTES, 0
    yield
    walk.WORTH_BYTES = worth
