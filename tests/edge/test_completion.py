"""P8: completion at the top and below, as real shells ask for it."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import edgetoll
from edge.completion import SCRIPTS
from tests.effort import PATIENCE_S


@pytest.fixture
def program(tmp_path: Path, root: Path) -> Path:
    """A program called edgetoll, in a folder of its own."""
    path = tmp_path / "bin" / "edgetoll"
    path.parent.mkdir()
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{root}/edgetoll.py" "$@"\n')
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("words", "wanted", "unwanted"),
    [
        ([""], {"edge", "billing", "sql", "check", "--help"}, {"rate", "--home"}),
        (["bil"], {"billing"}, {"edge"}),
        (["billing", ""], {"rate", "invoice", "accounts"}, {"--home", "edge"}),
        (["billing", "ra"], {"rate"}, {"invoice"}),
        (["billing", "rate", "--"], {"--home", "--json", "--as-of", "--help"}, {"--month"}),
        (["billing", "invoice", "--mo"], {"--month"}, {"--home"}),
        (["edge", "st"], {"status"}, {"import"}),
        (["metering", "run", "--dr"], {"--drain"}, {"--kafka"}),
        (["sql", "--for"], {"--format"}, {"--file"}),
        (["sql", "-f", ""], set(), {"--format", "check"}),
        (["nonsense", ""], set(), {"rate"}),
        (["--sh"], {"--show-completion"}, {"edge"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_p8_the_words_that_may_follow(
    words: list[str],
    wanted: set[str],
    unwanted: set[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert edgetoll.main(["--complete", str(len(words)), "edgetoll", *words]) == 0
    found = set(capsys.readouterr().out.split())
    assert wanted <= found
    assert not unwanted & found


@pytest.mark.parametrize("at", [[], ["billing"], ["edge"], ["metering"], ["sql"]])
@pytest.mark.parametrize("shell", SCRIPTS)
def test_p8_the_script_is_shown_at_the_top_and_below(
    at: list[str], shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert edgetoll.main([*at, "--show-completion", shell]) == 0
    said = capsys.readouterr()
    assert said.out == SCRIPTS[shell]
    assert said.err == ""


def test_p8_a_shell_without_completion_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert edgetoll.main(["--show-completion", "tcsh"]) == 2
    assert "«tcsh»" in capsys.readouterr().err
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert edgetoll.main(["billing", "--show-completion"]) == 0
    assert capsys.readouterr().out == SCRIPTS["fish"]
    assert edgetoll.main(["billing", "--install-completion"]) == 0
    assert "--show-completion zsh" in capsys.readouterr().out


class Shell:
    """An interactive bash in a terminal of its own, which knows edgetoll's completion."""

    def __init__(self, program: Path) -> None:
        self.parent, child = pty.openpty()
        environment = {
            **os.environ,
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "PS1": "ready> ",
            "TERM": "dumb",
            "INPUTRC": os.devnull,
        }
        self.process = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            stdin=child, stdout=child, stderr=child, env=environment, start_new_session=True,
            cwd=program.parent,
        )  # fmt: skip
        os.close(child)
        self.type('eval "$(edgetoll --show-completion bash)"; echo known$((40+2))\n', "known42")

    def type(self, text: str, wanted: str) -> str:
        """Type `text` and read until `wanted` has come."""
        os.write(self.parent, text.encode())
        said = ""
        until = time.monotonic() + PATIENCE_S
        while wanted not in said:
            assert time.monotonic() < until, said
            if select.select([self.parent], [], [], 1)[0]:
                said += os.read(self.parent, 4096).decode()
        return re.sub(r"\x07|\x1b\[[0-9;?]*[a-z]", "", said)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.parent)


def test_p8_a_real_bash_completes_with_the_tab_key(program: Path) -> None:
    shell = Shell(program)
    typing: list[Callable[[], str]] = [
        lambda: shell.type("edgetoll bil\t", "edgetoll billing "),
        lambda: shell.type("statem\t", "statement "),
        lambda: shell.type("acme --js\t", "--json "),
        lambda: shell.type("\x15./edgetoll metering st\t", "metering status "),
        lambda: shell.type("\x15edgetoll sql -f edget\t", "-f edgetoll "),
    ]
    try:
        for step in typing:
            step()
    finally:
        shell.close()
