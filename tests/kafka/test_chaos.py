"""Processes killed at random over a real broker: totals to the unit, certificates complete.

The long run is `python bench/trials/chaos.py 200`; EDGETOLL_THOROUGH=1 makes this one longer.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.trials.chaos import Chaos
from tests.effort import THOROUGH

pytestmark = [pytest.mark.needs_kafka, pytest.mark.xdist_group("kafka")]
KILLS = 40 if THOROUGH else 5


def test_b1_b3_b4_c1_to_c8_kills_of_edge_worker_and_broker_change_no_total(
    tmp_path: Path, seed: int
) -> None:
    verdict = Chaos(tmp_path, seed).run(KILLS)
    assert verdict.counted == verdict.made
    assert verdict.wrong_keys == 0
    assert verdict.incomplete == 0
    assert verdict.certificates > 0
