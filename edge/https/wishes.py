"""What each domain is to be, on disk: one settings file a domain, one vault file a bundle.

    HOME/https/domains/NAME.json   settings; replaced whole: this is the commit of each command
    HOME/https/vault/HASH.pem      leaf, chain and key; 0600 in a folder of 0700; never read here
    HOME/https/live/NAME.pem       what nginx opens: a link into the vault, replaced by rename

There is no way to read a key: this module writes bundles and deletes them.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import asdict
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from edge.durable import FileLock, fsync_folder, sealed, unsealed, write_atomically
from edge.errors import Corrupt, InputError
from edge.https.records import HttpsSettings
from edge.https.upload.names import file_stem
from edge.https.upload.records import Bundle

FORMAT = 1
PRIVATE_BEGINS = b"-----BEGIN PRIVATE KEY-----"
FOLDER = "https"


class Wishes:
    """The settings of all domains of a home, and the vault with their bundles."""

    def __init__(self, home: Path) -> None:
        self.folder = home / FOLDER
        self.vault = self.folder / "vault"
        self.live = self.folder / "live"

    def read(self, domain: str) -> HttpsSettings | None:
        """The settings of `domain`, or None; Corrupt when its file cannot be believed."""
        path = self.path_of(domain)
        return self.read_file(path) if path.exists() else None

    def files(self) -> list[Path]:
        """The settings file of each domain."""
        return sorted((self.folder / "domains").glob("*.json"))

    def read_file(self, path: Path) -> HttpsSettings:
        """The settings in one file; Corrupt when it cannot be believed, or is another domain's."""
        found = _parse(path)
        if self.path_of(found.domain) != path:
            raise Corrupt(f"{path} cannot be believed: it is that of {found.domain}", _RESTORE)
        return found

    def known(self, domain: str) -> HttpsSettings:
        """The settings of `domain` whose HTTPS is on; InputError when there are none."""
        found = self.read(domain)
        if found is None:
            raise InputError(
                f"this edge knows no domain {domain}",
                f"edgetoll edge https enable {domain} --certificate FILE --key FILE",
            )
        return found

    def all(self) -> list[HttpsSettings]:
        """The settings of every domain, by name."""
        return sorted((self.read_file(one) for one in self.files()), key=lambda one: one.domain)

    def write(self, settings: HttpsSettings) -> None:
        """Replace the settings of a domain; from here on they are what the edge is to serve."""
        content = {"format": FORMAT, **asdict(settings)}
        write_atomically(self.path_of(settings.domain), sealed(content))

    def keep(self, bundle: Bundle) -> str:
        """Put a bundle into the vault; returns the name of its file there."""
        self.vault.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.chmod(self.vault, 0o700)
        # By what is public: the name of a file must tell nothing of the key.
        public = bundle.pem.split(PRIVATE_BEGINS)[0]
        name = f"{hashlib.sha256(public).hexdigest()}.pem"
        path = self.vault / name
        hidden = path.with_name(f".{name}.{os.getpid()}.tmp")
        descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(bundle.pem)
                file.flush()
                os.fsync(file.fileno())
            os.replace(hidden, path)
        except BaseException:
            hidden.unlink(missing_ok=True)
            raise
        fsync_folder(self.vault)
        return name

    def link(self, settings: HttpsSettings) -> None:
        """Let nginx find the bundle of `settings` under the name of its domain, from now on."""
        self.live.mkdir(parents=True, exist_ok=True)
        path = self.live_path(settings.domain)
        hidden = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        hidden.unlink(missing_ok=True)
        hidden.symlink_to(Path("..") / "vault" / settings.bundle)
        os.replace(hidden, path)
        fsync_folder(self.live)

    def unlink(self, domain: str) -> None:
        """Take the name of `domain` away from nginx: its next handshake fails."""
        self.live_path(domain).unlink(missing_ok=True)

    def live_path(self, domain: str) -> Path:
        """The file that nginx opens for `domain`."""
        return self.live / f"{file_stem(domain)}.pem"

    def linked(self, domain: str) -> str:
        """The vault file that nginx serves `domain` with now; blank when there is none."""
        path = self.live_path(domain)
        return Path(os.readlink(path)).name if path.is_symlink() else ""

    def forget_unused(self) -> int:
        """Delete bundles that no domain's settings name and that nginx finds under no name."""
        with self.locked():
            return self._forget_unused()

    def locked(self) -> FileLock:
        """Held while a bundle is stored and then named: nobody takes it for an unused one."""
        return FileLock(self.folder / "vault.lock", "the vault", wait_seconds=30)

    def _forget_unused(self) -> int:
        served = self.live.iterdir() if self.live.is_dir() else ()
        wanted = {Path(os.readlink(path)).name for path in served if path.is_symlink()}
        wanted |= {one.bundle for one in self.all()}
        gone = 0
        for path in self.vault.glob("*.pem") if self.vault.is_dir() else ():
            if path.name not in wanted:
                path.unlink(missing_ok=True)
                gone += 1
        for left in self.vault.glob(".*.tmp") if self.vault.is_dir() else ():
            left.unlink(missing_ok=True)
        return gone

    def path_of(self, domain: str) -> Path:
        """The settings file of `domain`."""
        return self.folder / "domains" / f"{file_stem(domain)}.json"


_SETTINGS = TypeAdapter(HttpsSettings)


_RESTORE = "restore it from a backup, or delete it and enable the domain again"


def _parse(path: Path) -> HttpsSettings:
    try:
        content = unsealed(path.read_bytes())
        if content.pop("format") != FORMAT:
            raise ValueError("it is of another format")
        return _SETTINGS.validate_python(content)
    except (OSError, ValueError, KeyError, ValidationError) as error:
        why = str(error).splitlines()[0]
        raise Corrupt(f"{path} cannot be believed ({why})", _RESTORE) from error
