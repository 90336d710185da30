"""Commands in processes of their own that a test kills, or lets meet one another.

To start Python and load what a command needs is 0.6 s of CPU. These are forked from one process
that has loaded it, as the demo's are; tests of how the program starts do start it.
"""

from __future__ import annotations

import os
from pathlib import Path

from edge.crash_point import VARIABLE
from examples.commands import Commands, StartedCommand
from tests.effort import PATIENCE_S

_commands: Commands | None = None
_TICKS = os.sysconf("SC_CLK_TCK")


def prepare() -> None:
    """Fork the process that will start commands, before this one has threads."""
    global _commands
    _commands = Commands(ahead=False)


def start(*words: str, crash: str = "") -> StartedCommand:
    """Start `edgetoll WORDS…`; `crash` names the place where it is killed."""
    assert _commands is not None
    return _commands.start(words, {VARIABLE: crash})


def ended(command: StartedCommand) -> int:
    """The exit code of a command, once it has ended; negative: the signal that killed it."""
    return command.wait(PATIENCE_S)


def run(*words: str, crash: str = "") -> int:
    """Start `edgetoll WORDS…` and wait for its end."""
    return ended(start(*words, crash=crash))


def cpu_seconds() -> float:
    """CPU time of all that was started here and has ended, and of the process that starts it."""
    if _commands is None:
        return 0.0
    stat = Path(f"/proc/{_commands.process}/stat").read_text(encoding="ascii")
    user_system_and_children = stat.rpartition(")")[2].split()[11:15]
    return sum(map(int, user_system_and_children)) / _TICKS
