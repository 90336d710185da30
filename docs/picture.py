"""Make docs/demo.svg, the picture of the README: what `make demo` prints, from its results on."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

ROOT = Path(__file__).resolve().parent.parent
FROM = "Usage by domain and class"
WIDTH = 150


def main() -> None:
    """Run the demo in a folder of its own and draw the end of what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, ROOT / "edgetoll.py", "demo", "--home", "demo-home"],
            cwd=folder,
            env={**os.environ, "FORCE_COLOR": "1", "COLUMNS": str(WIDTH)},
            capture_output=True,
            text=True,
            check=True,
        )
    lines = done.stdout.splitlines()
    first = next(number for number, line in enumerate(lines) if FROM in line)
    shown = [line.replace(f"{ROOT}/", "") for line in lines[first:]]
    with open(os.devnull, "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True)
        for line in shown:
            console.print(Text.from_ansi(line, no_wrap=True), crop=True)
        picture = console.export_svg(title="make demo", unique_id="demo")
    (ROOT / "docs" / "demo.svg").write_text(picture, encoding="utf-8")
    print("docs/demo.svg")


if __name__ == "__main__":
    main()
