"""The syntax tree of a source file, parsed once for all tests about the code."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path


@cache
def syntax_of(path: Path) -> ast.Module:
    """What the file says; nobody changes it."""
    return ast.parse(path.read_text(encoding="utf-8"), str(path))
