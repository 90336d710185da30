"""`edgetoll init`: a home with commented settings, a price book and example accounts.

A file that exists is never touched, so running it again is harmless.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from edge.errors import InputError
from edge.terminal import DEFAULT_HOME, JsonOption, emit

FOLDERS = ("spool", "closed", "live", "prices", "journal", "lake", "invoices")


def make_home(home: Path) -> dict[str, list[str]]:
    """Create what is missing of a home; returns the names made and those kept as they were."""
    if home.exists() and not home.is_dir():
        raise InputError(f"{home} is not a folder", "name a folder that is new or a home already")
    made: list[str] = []
    kept: list[str] = []
    if not home.exists():
        home.mkdir(parents=True)
        home.chmod(0o700)
    for folder in FOLDERS:
        (home.joinpath(folder)).mkdir(parents=True, exist_ok=True)
    for name, content in sorted(_samples().items()):
        path = home.joinpath(name)
        if path.exists():
            kept.append(name)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            path.chmod(0o600)
            path.write_bytes(content)
            made.append(name)
    return {"made": made, "kept": kept}


def _samples() -> dict[str, bytes]:
    """The example files, as they travel in the wheel, by their names in a home."""
    examples = files("examples")
    samples = {
        name: (examples.joinpath(name)).read_bytes()
        for name in ("edgetoll.toml", "accounts.toml", "tax.example.toml")
    }
    for book in (examples / "prices").iterdir():
        if book.name.endswith(".toml"):
            samples[f"prices/{book.name}"] = book.read_bytes()
    return samples


def init(
    home: Annotated[
        Path, typer.Argument(envvar="EDGETOLL_HOME", help="The folder to make.")
    ] = DEFAULT_HOME,
    home_option: Annotated[
        Path | None, typer.Option("--home", help="The same, as other commands name it.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a home: commented edgetoll.toml, example price books, example accounts.

    Example: edgetoll init ./edgetoll-home
    """
    home = home_option or home
    done = make_home(home)

    def human() -> None:
        print(f"{home}: {len(done['made'])} files made, {len(done['kept'])} kept as they were.")
        for name in done["made"]:
            print(f"  {name}")
        print("Next: edit accounts.toml, then")
        print(f"  edgetoll billing load {home / 'accounts.toml'} --home {home}")
        print(
            f"  edgetoll edge import access.log --format nginx --edge e1 --region DE --home {home}"
        )

    emit({"home": str(home), **done}, as_json=as_json, human=human)
