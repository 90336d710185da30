"""Ways in which a file goes wrong, each done to one file of a copied home."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from tests.damage.records import Damage, Homes, Kind
from tests.effort import THOROUGH


def deleted(home: Path, _homes: Homes, _kind: Kind, file: Path) -> bool:
    """The file is gone."""
    (home / file).unlink()
    return True


def truncated(home: Path, _homes: Homes, _kind: Kind, file: Path) -> bool:
    """Only the first half of the file is left."""
    os.truncate(home / file, (home / file).stat().st_size // 2)
    return True


def one_bit(home: Path, _homes: Homes, _kind: Kind, file: Path) -> bool:
    """One bit differs, in the middle of what is not padding at the end."""
    data = bytearray((home / file).read_bytes())
    used = len(bytes(data).rstrip(b"\0"))
    if not used:
        return False
    data[used // 2] ^= 1
    (home / file).write_bytes(bytes(data))
    return True


def zeros(home: Path, _homes: Homes, _kind: Kind, file: Path) -> bool:
    """The file has its length and holds nothing: a disk that lost a write."""
    (home / file).write_bytes(bytes((home / file).stat().st_size))
    return True


def of_yesterday(home: Path, homes: Homes, kind: Kind, file: Path) -> bool:
    """The file is what it was a day ago: restored from a backup by itself."""
    return _copied(homes.yesterday, kind, file, home)


def of_another_home(home: Path, homes: Homes, kind: Kind, file: Path) -> bool:
    """The file is that of another home under the same name."""
    return _copied(homes.other, kind, file, home)


def _copied(source: Path, kind: Kind, file: Path, home: Path) -> bool:
    """The file of the same name there, or else what there is of that kind."""
    same = file if (source / file).is_file() else kind.find(source)
    if same is None:
        return False
    shutil.copyfile(source / same, home / file)
    return True


DAMAGES: dict[str, Damage] = {
    "deleted": deleted,
    "truncated": truncated,
    "one bit": one_bit,
    "zeros": zeros,
    "yesterday's": of_yesterday,
    "another home's": of_another_home,
}


def some(number: int) -> dict[str, Damage]:
    """What a usual run does to the kind of file at place `number`: every second damage, so that
    two neighbours get all; each one with EDGETOLL_THOROUGH=1, or by bench/trials/damage.py.
    """
    return DAMAGES if THOROUGH else dict([*DAMAGES.items()][number % 2 :: 2])
