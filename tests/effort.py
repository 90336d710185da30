"""How much the tests do, and how long they wait for what always comes."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("EDGETOLL_THOROUGH", "") not in ("", "0")
"""Usual runs take a sample; EDGETOLL_THOROUGH=1 takes all."""
PATIENCE_S = 600
"""A hang must end some day. No machine is so slow that it is taken for one."""
