"""Make docs/console-*.png, the README's pictures of the console, of the home that `make demo` left.

    python docs/console_pictures.py demo-home

A real browser opens the printed link as a person would. It needs what the tests need (`make test`)
and Debian's Chromium.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PICTURES = {"today": "/", "account": "/accounts/northwind"}
SIZE = {"width": 1280, "height": 1000}


def main() -> None:
    """Start the console of a home, take each picture, and end it."""
    home = sys.argv[1] if len(sys.argv) > 1 else "demo-home"
    words = [sys.executable, str(ROOT / "edgetoll.py"), "console", "--home", home]
    console = subprocess.Popen(
        [*words, "--listen", "127.0.0.1:0"], stderr=subprocess.PIPE, text=True
    )
    try:
        assert console.stderr is not None
        link = next(filter(None, (re.search(r"http\S+", line) for line in console.stderr)))[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-quic"]
            )
            page = browser.new_page(viewport=SIZE)
            page.goto(link)
            for name, address in PICTURES.items():
                page.goto(link.split("/enter")[0] + address)
                page.screenshot(path=ROOT / "docs" / f"console-{name}.png")
                print(f"docs/console-{name}.png")
            browser.close()
    finally:
        console.terminate()
        console.wait()


if __name__ == "__main__":
    main()
