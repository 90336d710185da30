"""Writes examples/logs/caddy-real.log: what a real Caddy logs for real requests, HTTP/3 among them.

    .venv/bin/python -m deploy.caddy.make_sample_log

Needs curl and, once, Go. One host is asked over HTTP/1.1, HTTPS, HTTP/2 and HTTP/3, the last as
streams of one connection; with hits, errors and a larger file. Caddy's own filter leaves out what
names a person; lines of one run differ from those of another by their times alone, and order.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from deploy.caddy.http3 import ask_http3
from deploy.caddy.real_caddy import RealCaddy
from deploy.nginx.real_nginx import NAMES

TARGET = Path(__file__).resolve().parents[2] / "examples" / "logs" / "caddy-real.log"
PATHS = ("/", "/missing", "/file", "/")


def main() -> None:
    """Start Caddy, ask it, keep its log."""
    with tempfile.TemporaryDirectory() as folder:
        caddy = RealCaddy(Path(folder) / "caddy")
        with caddy:
            for path in PATHS:
                caddy.get(NAMES[0], path, secure=False)
                caddy.get(NAMES[0], path, secure=True)
                caddy.get(NAMES[0], path, secure=True, http2=True)
            ask_http3(caddy.secure, [(name, path) for name in NAMES for path in PATHS * 2])
        shutil.copy(caddy.log, TARGET)
    print(f"{TARGET.name}: {len(TARGET.read_text().splitlines())} requests")


if __name__ == "__main__":
    main()
