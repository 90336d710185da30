"""The notebook in examples/: each of its cells runs, and its sums are those of the lake."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

import edgetoll


@pytest.mark.usefixtures("process_of_an_analyst")
def test_the_months_story_runs_and_adds_up(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGETOLL_HOME", str(home))
    story = importlib.import_module("examples.month_story")
    outputs, made = story.app.run()
    assert made["month"] == "2026-11"
    total = "SELECT sum(amount) AS amount FROM charges WHERE month = $month"
    amount = edgetoll.query(total, {"month": "2026-11"}, home=home)["amount"].iloc[0]
    assert made["charged"] == {"USD": amount}
    assert made["complete"]["hours_closed"] == 2
    shown = " ".join(str(one.text) for one in outputs if hasattr(one, "text"))
    assert str(amount) in shown
    assert len([one for one in outputs if hasattr(one, "to_dict")]) >= 3, "three pictures"
