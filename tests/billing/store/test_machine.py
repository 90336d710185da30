"""G11: when the machine is in the way the advice is about the machine; the store is moved away only
when it is damaged and the journal can give it back.
"""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from billing.store.session import StoreSession
from edge.errors import Busy, Corrupt, EdgetollError
from edge.trouble import remedy
from edgetoll import trouble_of_the_machine
from tests.billing.homes import NOW, copied, make_home
from tests.billing.runner import rate

WORDS = {
    errno.ENOSPC: "free space",
    errno.EDQUOT: "free space",
    errno.EROFS: "mount it writable",
    errno.EACCES: "user who owns the home",
    errno.EPERM: "user who owns the home",
    errno.EIO: "the disk fails",
    errno.EFBIG: "ulimit -f",
    errno.ENOMEM: "memory is short",
    errno.EEXIST: "put it elsewhere",
    errno.ENOTDIR: "put it elsewhere",
    errno.EISDIR: "put it elsewhere",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with a record."""
    home = make_home(tmp_path_factory.mktemp("machine"))
    rate(home, at=NOW)
    return home


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """A copy of it where other users may enter, whatever pytest's own folder allows: tests run as
    root too."""
    with TemporaryDirectory(prefix="edgetoll-machine-") as folder:
        Path(folder).chmod(0o755)
        yield copied(made, Path(folder) / "home")


@pytest.mark.parametrize("number", WORDS)
def test_g11_each_trouble_of_the_machine_has_its_own_advice_and_none_is_to_move_the_store(
    number: int,
) -> None:
    said = f'IO Error: Could not write file "/home/billing.duckdb": {os.strerror(number)}'
    advice = remedy(said)
    assert advice is not None
    assert WORDS[number] in advice
    assert "move it away" not in advice
    assert remedy("Catalog Error: Table with name t does not exist") is None


def test_g11_too_little_memory_for_python_is_a_line_too() -> None:
    said = trouble_of_the_machine(MemoryError())
    assert said is not None
    assert "memory is short" in str(remedy(said))


AS_NOBODY = """
import os, sys
from pathlib import Path
import sql
from billing.store.session import StoreSession
from edge.errors import EdgetollError
for name in ("be_small", "set_overflow", "attach"):  # nobody may not even look into root's Python
    sql.text("statements/store/session/" + name)
if os.getuid() == 0:
    os.setgid(65534), os.setuid(65534)
try:
    StoreSession(Path(sys.argv[1]) / "billing.duckdb", Path(sys.argv[1]))
except EdgetollError as error:
    print(type(error).__name__, error)
"""
TOO_LARGE = """
import resource, signal, sys
from pathlib import Path
from billing.store.session import StoreSession
from edge.errors import EdgetollError
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
try:
    StoreSession(Path(sys.argv[1]) / "new.duckdb", Path(sys.argv[1]))
except EdgetollError as error:
    print(type(error).__name__, error)
"""


def in_a_process(root: Path, program: str, home: Path) -> str:
    """What `program` prints."""
    command = [sys.executable, "-c", program, str(home)]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=True).stdout


def test_g11_a_store_that_this_user_may_not_write_is_not_called_damaged(
    home: Path, root: Path
) -> None:
    for path in (home, *home.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    for mode in (0o755, 0o700):  # and in a folder that it may not even enter
        home.parent.chmod(mode)
        said = in_a_process(root, AS_NOBODY, home)
        assert said.startswith("EdgetollError billing.duckdb cannot be opened")
        assert "user who owns the home" in said
        assert "move" not in said


def test_g11_a_file_that_may_not_grow_is_not_called_damaged(home: Path, root: Path) -> None:
    said = in_a_process(root, TOO_LARGE, home)
    assert said.startswith("EdgetollError billing.duckdb cannot be opened")
    assert "ulimit -f" in said
    assert not (home / "new.duckdb").exists(), "half a file would be taken for a damaged one"


def test_g11_a_store_that_another_program_holds_is_busy(home: Path, root: Path) -> None:
    with duckdb.connect(str(home / "billing.duckdb")):
        said = in_a_process(root, AS_NOBODY.replace("os.getuid() == 0", "False"), home)
    assert said.startswith("Busy billing.duckdb cannot be opened")
    assert "close it" in said


def garbage(path: Path) -> None:
    """Something else under its name."""
    path.write_bytes(b"not a database " * 1000)


def emptied(path: Path) -> None:
    """Nothing left."""
    path.write_bytes(b"")


def cut(path: Path) -> None:
    """The first page only."""
    os.truncate(path, 5000)


def flipped(path: Path) -> None:
    """A bit in the head of the file."""
    data = bytearray(path.read_bytes())
    data[8192 + 100] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("damage", [garbage, emptied, cut, flipped])
def test_g11_a_damaged_store_is_moved_away_only_if_the_journal_gives_it_back(
    home: Path, damage: Callable[[Path], None]
) -> None:
    damage(home / "billing.duckdb")
    path = home / "journal" / "journal.jsonl"
    whole = path.read_bytes()
    with pytest.raises(Corrupt, match=r"rebuilt from the journal, which is whole \(\d+ rec"):
        StoreSession(home / "billing.duckdb", home)
    path.write_bytes(whole.replace(b'"kind":"', b'"kind":"x', 1))
    with pytest.raises(Corrupt, match="move neither away"):
        StoreSession(home / "billing.duckdb", home)
    path.unlink()
    with pytest.raises(Corrupt, match="move neither away"):
        StoreSession(home / "billing.duckdb", home)


def test_g11_what_nobody_foresaw_is_no_reason_to_move_anything(home: Path) -> None:
    (home / "billing.duckdb").unlink()
    (home / "billing.duckdb").mkdir()
    with pytest.raises(EdgetollError, match="Is a directory") as found:
        StoreSession(home / "billing.duckdb", home)
    assert "move" not in found.value.hint
    assert not isinstance(found.value, (Busy, Corrupt))


def test_the_store_takes_no_more_memory_than_its_settings_say(home: Path) -> None:
    """What a query cannot do without is one line with the key to raise."""
    (home / "edgetoll.toml").write_text('[billing]\nmemory_limit = "20 MiB"\n', encoding="utf-8")
    session = StoreSession(home / "billing.duckdb", home)
    with pytest.raises(duckdb.OutOfMemoryException) as found:
        session.connection.execute("SELECT list(i) FROM range(10_000_000) AS t(i)")
    session.end()
    assert "raise memory_limit in edgetoll.toml" in (remedy(str(found.value)) or "")


def test_g11_a_home_whose_path_duckdb_would_misread_is_told_so(tmp_path: Path) -> None:
    """It was «look at free space, memory and permissions»."""
    home = make_home(tmp_path / "why?")
    with pytest.raises(EdgetollError, match="holds a question mark"):
        rate(home, at=NOW)
