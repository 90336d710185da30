"""The nginx program of this edge: its version, its own test of a configuration, its reload."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path

from edge.errors import ConfigError
from edge.https.nginx_config import NginxVersion

ANSWER_SECONDS = 120


class Nginx:
    """The nginx of this edge: the one program and the configuration file it runs with."""

    def __init__(self, program: str, folder: Path) -> None:
        self.program = program
        self.folder = folder.resolve()  # nginx takes a relative path from its own prefix
        self.configuration = self.folder / "nginx.conf"

    def version(self) -> NginxVersion:
        """Its version; ConfigError when it cannot be run."""
        return NginxVersion.read(self._run("-v"))

    def refuses(self, path: Path) -> str:
        """Why nginx would not start with the configuration at `path`; blank when it would."""
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        process = self._process("-t", "-q", "-p", str(self.folder), "-c", str(path))
        if process.returncode == 0:
            return ""
        lines = [line for line in process.stderr.splitlines() if "[emerg]" in line]
        said = re.sub(r".*\[emerg\] (\d+#\d+: )?", "", lines[0]) if lines else ""
        return said or f"nginx -t ended with {process.returncode}: {process.stderr.strip()[:200]}"

    def master(self) -> int:
        """The process id of the running master, 0 when there is none."""
        try:
            pid = int((self.folder / "nginx.pid").read_text())
            os.kill(pid, 0)
        except PermissionError as error:
            raise ConfigError(
                f"nginx (process {pid}) is run by another user, who alone may reload it",
                "run it as the user who runs edgetoll: deploy/systemd/edgetoll-nginx.service",
            ) from error
        except (OSError, ValueError):
            return 0
        return pid

    def accepting(self) -> set[int]:
        """The workers that take new connections; empty where the system does not say (no /proc)."""
        master = self.master()
        try:
            children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
        except OSError:
            return set()
        found: set[int] = set()
        for child in children:
            try:
                title = Path(f"/proc/{child}/cmdline").read_bytes()
            except OSError:
                continue
            if b"worker process" in title and b"shutting down" not in title:
                found.add(int(child))
        return found

    def reload(self) -> bool:
        """Tell the running nginx to read its configuration again; False when none runs."""
        pid = self.master()
        if pid:
            os.kill(pid, signal.SIGHUP)
        return bool(pid)

    def _run(self, *words: str) -> str:
        process = self._process(*words)
        return process.stderr + process.stdout

    def _process(self, *words: str) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(
                [self.program, *words],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=ANSWER_SECONDS,
                check=False,
            )
        except FileNotFoundError as error:
            raise ConfigError(
                f"there is no program {self.program}",
                "install nginx, or name it in [edge.https] nginx",
            ) from error
        except OSError as error:
            raise ConfigError(
                f"{self.program} cannot be started: {error.strerror or error}",
                "name nginx's program in [edge.https] nginx",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise ConfigError(
                f"{self.program} {words[0]} gave no answer in {ANSWER_SECONDS} s",
                "run it by hand to see what it waits for",
            ) from error
