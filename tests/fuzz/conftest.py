"""The fuzz pass as a whole: its time is shared out, and its seed is printed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.edge.conftest import walk_everything
from tests.fuzz.budget import LONG, SECONDS, SEED, SHARE, TOTAL

__all__ = ["walk_everything"]

HERE = Path(__file__).parent


def pytest_collection_finish(session: pytest.Session) -> None:
    """Only properties ask for time; a test of one example costs none of it."""
    SHARE.begin(sum(item.path.parent == HERE and is_property(item) for item in session.items))


def is_property(item: pytest.Item) -> bool:
    """Whether a test is a property of hypothesis."""
    return hasattr(getattr(item, "obj", None), "hypothesis")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say the seed, so that a run can be repeated."""
    if LONG:
        time = f"{TOTAL:.0f} s in all" if TOTAL else f"{SECONDS:.0f} s each"
        terminalreporter.write_line(f"fuzz pass, {time}: EDGETOLL_SEED={SEED} repeats it")
