"""What other users of the machine can read of a home and should not (CASES G14)."""

from __future__ import annotations

from pathlib import Path

# What customers, prices and secrets can be read from, by patterns in a home.
PRIVATE = (
    "*.toml", "prices/*", "accounts.*", "*.duckdb", "*.duckdb.wal", "journal/*.jsonl",
    "journal/effects/*", "*.key", "suspended/accounts.jsonl",
)  # fmt: skip
READ, ENTER = 0o044, 0o011


def open_to_others(home: Path) -> list[str]:
    """One line on what other users of this machine can read of a home and should not; none when
    they cannot enter it, or find nothing there that is private.
    """
    mode = home.stat().st_mode
    if not mode & ENTER:
        return []
    found = sorted(
        str(path.relative_to(home))
        for pattern in PRIVATE
        for path in home.glob(pattern)
        if path.is_file() and path.stat().st_mode & READ
    )
    if not found:
        return []
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return [
        f"other users of this machine can read {found[0]}{more} in {home}"
        f" ({mode & 0o777:04o}): chmod -R go-rwx {home}"
    ]
