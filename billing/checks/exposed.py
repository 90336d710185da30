"""What other users of the machine can read of a home and should not (CASES G14)."""

from __future__ import annotations

from pathlib import Path

# What customers, their viewers, prices and secrets can be read from, by patterns in a home.
PRIVATE = (
    "*.toml", "prices/*", "accounts.*", "*.duckdb", "*.duckdb.wal", "journal/*.jsonl",
    "journal/effects/*", "*.key", "secrets/*", "suspended/accounts.jsonl", "invoices/*/*",
    "outbox/*", "quarantine/*", "spool/*/rejected/*",
)  # fmt: skip
READ, ENTER = 0o044, 0o011


def open_to_others(home: Path) -> list[str]:
    """One line on what other users of this machine can read of a home and should not; none when
    they cannot enter it, or find nothing there that is private.
    """
    mode = home.stat().st_mode
    if not mode & ENTER:
        return []
    found = [
        next((path for path in home.glob(pattern) if _is_open(home, path)), None)
        for pattern in PRIVATE
    ]
    names = [str(path.relative_to(home)) for path in found if path is not None]
    if not names:
        return []
    more = f", and others as {names[1]}," if len(names) > 1 else ""
    return [
        f"other users of this machine can read {names[0]}{more} in {home}"
        f" ({mode & 0o777:04o}): chmod -R go-rwx {home}"
    ]


def _is_open(home: Path, path: Path) -> bool:
    """Whether others may read a file, and enter each folder between."""
    between = path.relative_to(home).parents
    return (
        path.is_file()
        and bool(path.stat().st_mode & READ)
        and all(home.joinpath(folder).stat().st_mode & ENTER for folder in between)
    )
