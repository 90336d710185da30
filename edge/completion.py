"""Completion of commands, groups and options in bash, zsh and fish.

The shell asks `edgetoll --complete PLACE WORD…` with the words typed so far, and gets a candidate a
line; where there is none it completes file names, as it would have without us.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Protocol

from edge.errors import InputError

BASH = """\
_edgetoll_completion() {
    local IFS=$'\\n'
    COMPREPLY=( $( "$1" --complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null ) )
}
complete -o bashdefault -o default -F _edgetoll_completion edgetoll
"""
ZSH = """\
#compdef edgetoll
_edgetoll_completion() {
    local -a found
    found=("${(@f)$("${words[1]}" --complete "$((CURRENT - 1))" "${words[@]}" 2>/dev/null)}")
    if [[ -n "${found[1]}" ]]; then
        compadd -- "${found[@]}"
    else
        _files
    fi
}
if [[ "${funcstack[1]}" == "_edgetoll" ]]; then
    _edgetoll_completion "$@"
else
    compdef _edgetoll_completion edgetoll
fi
"""
FISH = """\
function __edgetoll_completion
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l found ($before[1] --complete (count $before) $before "$current" 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path "$current"
    end
end
complete --command edgetoll --no-files --arguments "(__edgetoll_completion)"
"""
SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
PLACES = {
    "bash": "~/.local/share/bash-completion/completions/edgetoll",
    "zsh": '"${fpath[1]}/_edgetoll"',
    "fish": "~/.config/fish/completions/edgetoll.fish",
}
SHOW = "--show-completion"
INSTALL = "--install-completion"
TOP_OPTIONS = ("--help", "--version", SHOW)


class Parameter(Protocol):
    """What is needed of a parameter of a command."""

    @property
    def opts(self) -> Sequence[str]:
        """Its names."""

    @property
    def secondary_opts(self) -> Sequence[str]:
        """Its names for no."""

    @property
    def param_type_name(self) -> str:
        """Whether it is an option or an argument."""


class Command(Protocol):
    """What is needed of a command; a group has `commands` too."""

    @property
    def params(self) -> Sequence[Parameter]:
        """Its options and arguments."""


def script(words: Sequence[str]) -> str:
    """What `edgetoll [GROUP] --show-completion [SHELL]` prints; InputError for another shell."""
    named = [word for word in words[words.index(SHOW) + 1 :] if not word.startswith("-")]
    shell = named[0] if named else Path(os.environ.get("SHELL", "")).name
    if shell not in SCRIPTS:
        raise InputError(
            f"no completion for the shell «{shell}»", f"name one: {SHOW} {'|'.join(SCRIPTS)}"
        )
    return SCRIPTS[shell]


def how_to_install() -> str:
    """Where each shell looks for completions, a line each."""
    return "\n".join(f"  edgetoll {SHOW} {shell} > {PLACES[shell]}" for shell in SCRIPTS)


def candidates(
    words: Sequence[str], top: Iterable[str], command: Callable[[str], Command]
) -> list[str]:
    """What may stand for the last of `words` (the first is the program's name), in order.

    `top`: the commands of the front door; `command(name)` loads one of them.
    """
    *before, current = words[1:] or [""]
    if not before:
        return _matching([*top, *TOP_OPTIONS], current)
    if before[0] not in top:
        return []
    found, rest = _reached(command(before[0]), before[1:])
    if current.startswith("-"):
        return _matching([*_options(found), "--help"], current)
    inner = getattr(found, "commands", None)
    if inner and not rest:
        return _matching(sorted(inner), current)
    return []


def _reached(command: Command, words: Sequence[str]) -> tuple[Command, list[str]]:
    """The command that `words` lead to, and the words left after its name that are no options."""
    rest: list[str] = []
    for word in words:
        inner = getattr(command, "commands", {})
        if word in inner:
            command, rest = inner[word], []
        elif not word.startswith("-"):
            rest.append(word)
    return command, rest


def _options(command: Command) -> list[str]:
    return [
        name
        for one in command.params
        if one.param_type_name == "option"
        for name in (*one.opts, *one.secondary_opts)
        if name.startswith("--")
    ]


def _matching(names: Iterable[str], current: str) -> list[str]:
    return list(dict.fromkeys(name for name in names if name.startswith(current)))
