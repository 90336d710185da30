"""Writes examples/logs/nginx-real.log and .tsv: what a real nginx logs for real requests.

    .venv/bin/python deploy/nginx/make_sample_log.py

Needs nginx (apt-get install -y nginx-light) and curl. Requests come over HTTP/1.1, HTTPS and
HTTP/2, with hits, misses, redirects and errors. No client address or path is in the formats, so
none is in the sample.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from real_nginx import NAMES, RealNginx

TARGET = Path(__file__).resolve().parents[2] / "examples" / "logs"
PATHS = ("/", "/cached/a.css", "/cached/a.css", "/missing", "/moved", "/cached/b.js")
"""Per name and way: six requests, of which one is a cache hit at least."""


def main() -> None:
    """Start nginx, ask it, keep its logs."""
    with tempfile.TemporaryDirectory() as folder, RealNginx(Path(folder)) as nginx:
        for name in NAMES:
            for path in PATHS:
                nginx.get(name, path, secure=False)
                nginx.get(name, path, secure=True)
                nginx.get(name, path, secure=True, http2=True)
        nginx.get("WWW.Example.COM.:443", "/", secure=True)
        nginx.get("127.0.0.1", "/", secure=False)
        TARGET.mkdir(parents=True, exist_ok=True)
        shutil.copy(nginx.log, TARGET / "nginx-real.log")
        shutil.copy(nginx.tsv, TARGET / "nginx-real.tsv")
    lines = (TARGET / "nginx-real.log").read_text().count("\n")
    print(f"{TARGET.name}/nginx-real.log and .tsv: {lines} requests")


if __name__ == "__main__":
    main()
