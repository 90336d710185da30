"""How much the tests do: a sample in usual runs, all of it with EDGETOLL_THOROUGH=1."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("EDGETOLL_THOROUGH", "") not in ("", "0")
