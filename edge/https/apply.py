"""Brings this edge's nginx to what is wished, proves it, or puts everything back.

Order: what this nginx cannot do is refused; links to bundles; the new configuration is tested
beside the old one; rename; reload (only if the text changed); proof by handshake; else all of it
back. A kill anywhere leaves a state from which the next apply ends in the same place, since it
compares what is wished with what was *proven*, never with what was begun.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import certifi

from edge.crash_point import crash_point
from edge.durable import FileLock, fsync_folder, write_atomically
from edge.errors import EdgetollError
from edge.https.damage import RESTORE, lost
from edge.https.nginx import Nginx
from edge.https.nginx_config import NginxVersion, Places, generation, render, unable
from edge.https.probe import REFUSED, running_generation, served_leaf
from edge.https.records import HttpsSettings, StoppedName, stop_of
from edge.https.settings import HttpsEdge
from edge.https.status import DomainStatus, HttpsStatus, read_status, write_status
from edge.https.stop_list import read_stop_list
from edge.https.telling import tell_billing
from edge.https.upload.names import probe_name
from edge.https.wishes import Wishes
from edge.instants import parse_time


class NotApplied(EdgetollError):
    """What was wished is not served: the edge serves on as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyResult:
    """What an apply did. `waiting`: the configuration is in place and no nginx runs with it yet."""

    changed: tuple[str, ...] = ()
    reloaded: bool = False
    waiting: bool = False
    notes: tuple[str, ...] = ()
    status: HttpsStatus = field(default_factory=HttpsStatus)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Before:
    """What to put back when the new state cannot be proven."""

    text: str | None
    links: dict[str, str]


def apply(home: Path, edge: HttpsEdge, *, now: datetime, nginx: Nginx | None = None) -> ApplyResult:
    """Bring nginx to what the home wishes; raises NotApplied with the reason, all put back."""
    wishes = Wishes(home)
    server = nginx or Nginx(edge.nginx, wishes.folder / "nginx")
    with _locked(wishes):
        return _Apply(home, edge, wishes, server, now).run()


def tell_mismatches(home: Path, edge: HttpsEdge, *, now: datetime) -> None:
    """Tell billing of requests that came under another name than the handshake's, if any are
    new.
    """
    with _locked(Wishes(home)):
        tell_billing(home, edge, (), read_status(home), now=now)


def _locked(wishes: Wishes) -> FileLock:
    wishes.folder.mkdir(parents=True, exist_ok=True)
    return FileLock(wishes.folder / "apply.lock", "edge https apply", wait_seconds=60)


class _Apply:
    """One apply, under the lock."""

    def __init__(
        self, home: Path, edge: HttpsEdge, wishes: Wishes, nginx: Nginx, now: datetime
    ) -> None:
        self.home = home
        self.edge = edge
        self.wishes = wishes
        self.nginx = nginx
        self.now = now
        self.began = time.monotonic()
        self.domains = wishes.all()
        self.stops = read_stop_list(home / edge.stop_list, wishes.folder)
        self.stopped = {one.domain: one for one in self.stops.names}
        self.status = read_status(home)

    def run(self) -> ApplyResult:
        """All steps in order."""
        version = self.nginx.version()
        cannot = unable(version, self.domains)
        if cannot:
            self._fail(cannot[0], more=cannot[1:])
        older = [why for _domain, why in lost(self.status, self.domains)]
        if older:
            self._fail(older[0], more=older[1:], hint=RESTORE)
        text = render(
            self.domains,
            self.stops.names,
            version=version,
            edge=self.edge,
            places=self._places(),
        )
        wanted = {one.domain: _wish(one, self.stopped, self.edge) for one in self.domains}
        before = self._before()
        changed = self._changed(wanted, before)
        try:
            self._put_in_place(text, before)
        except OSError as error:
            self._put_back(before)
            self._fail(f"{error.strerror or error}: {error.filename or self.home}")
        crash_point("https-renamed")
        new_text = text != before.text
        reloaded = False
        old_workers = self.nginx.accepting()
        if new_text or self.status.configuration != generation(text):
            reloaded = self.nginx.reload()
        crash_point("https-reloaded")
        if not self.nginx.master():
            return self._wait(version, changed)
        problem = self._prove(text, changed, old_workers if reloaded else set())
        if problem:
            self._put_back(before)
            self._fail(problem)
        self._tidy()
        # Proven now, not when it began.
        self.now += timedelta(seconds=time.monotonic() - self.began)
        # Before the status says so: a crash between tells it once more, and billing knows it.
        tell_billing(self.home, self.edge, changed, self.status, now=self.now)
        crash_point("https-told")
        return self._done(version, wanted, changed, text, reloaded=reloaded)

    def _places(self) -> Places:
        log = self.edge.log_file
        return Places(
            folder=self.nginx.folder,
            live=self.wishes.live.resolve(),
            log_file=log if log.is_absolute() else (self.home / log).resolve(),
            stopped_log_file=(
                self.home / self.edge.stopped_log_file
                if self.edge.stopped_log_file
                else self.wishes.folder / "nginx" / "stopped.log"
            ).resolve(),
            origin_roots=self._origin_roots(),
        )

    def _origin_roots(self) -> Path:
        """Whom origins must be certified by: the public roots, and the operator's own."""
        public = Path(certifi.where()).resolve()
        if not self.edge.roots_file:
            return public
        own = (self.home / self.edge.roots_file).read_bytes()
        data = public.read_bytes() + b"\n" + own
        # By its content: other roots are another name, and so a reload.
        path = self.nginx.folder / f"origin-roots-{hashlib.sha256(data).hexdigest()[:16]}.pem"
        if not path.exists():
            write_atomically(path, data)
        return path

    def _before(self) -> _Before:
        path = self.nginx.configuration
        return _Before(
            text=path.read_text(encoding="utf-8") if path.exists() else None,
            links={one.domain: self.wishes.linked(one.domain) for one in self.domains},
        )

    def _changed(self, wanted: dict[str, str], before: _Before) -> list[HttpsSettings]:
        """The domains whose wished state was not proven to be served yet."""
        return [
            one
            for one in self.domains
            if (was := self.status.domains.get(one.domain)) is None
            or was.wish != wanted[one.domain]
            or was.state != "live"
            or (one.enabled and before.links.get(one.domain) != one.bundle)
        ]

    def _put_in_place(self, text: str, before: _Before) -> None:
        """What nginx is to read: tested beside what is in place, then all of it by renames, for
        which even a full disk has room.
        """
        beside = self.nginx.folder / ".next.conf"
        if text != before.text:
            self._test(text, beside)
        for one in self.domains:
            if one.enabled and before.links.get(one.domain) != one.bundle:
                self.wishes.link(one)
                crash_point("https-linked")
        crash_point("https-renaming")
        if text != before.text:
            os.replace(beside, self.nginx.configuration)
            fsync_folder(self.nginx.folder)

    def _test(self, text: str, beside: Path) -> None:
        """nginx -t over the text, with the links it will have; nothing in place is touched."""
        self.nginx.folder.mkdir(parents=True, exist_ok=True)
        for name in ("tmp", "cache"):
            (self.nginx.folder / name).mkdir(exist_ok=True)
        write_atomically(beside, text.encode())
        why = self.nginx.refuses(beside)
        if why:
            beside.unlink()
            self._fail(f"nginx would not take the configuration: {why}")

    def _prove(self, text: str, changed: Sequence[HttpsSettings], old_workers: set[int]) -> str:
        """Why what is wished is not served within the time allowed to each; blank when it is."""
        address = self.edge.address or "127.0.0.1"
        wanted_generation = generation(text)

        def retried(look: Callable[[], str]) -> str:
            until = time.monotonic() + self.edge.prove_seconds
            while True:
                try:
                    problem = look()
                except OSError as error:
                    problem = f"nothing answers at {address}: {error.strerror or error}"
                if not problem or time.monotonic() > until:
                    return problem
                time.sleep(0.05)

        def new_workers() -> str:
            found = running_generation(address, self.edge.http_port)
            if found != wanted_generation:
                return "nginx did not take the configuration over"
            # For a moment old and new workers both take connections.
            return "old workers still answer" if old_workers & self.nginx.accepting() else ""

        problem = retried(new_workers)
        for one in changed if not problem else ():
            expected = _expected(one, self.stopped, self.edge)

            def right_leaf(one: HttpsSettings = one, expected: str = expected) -> str:
                found = served_leaf(address, self.edge.https_port, probe_name(one.domain))
                if found == expected:
                    return ""
                return f"{one.domain}: a handshake gets {_short(found)}, not {_short(expected)}"

            problem = problem or retried(right_leaf)
        return problem

    def _put_back(self, before: _Before) -> None:
        """As it was; on a full disk as far as that goes, which the next apply finds out."""
        with suppress(OSError):
            for one in self.domains:
                was = before.links.get(one.domain, "")
                if was and was != one.bundle and (self.wishes.vault / was).exists():
                    self.wishes.link(replace(one, bundle=was))
            path = self.nginx.configuration
            if before.text is not None and path.read_text(encoding="utf-8") != before.text:
                write_atomically(path, before.text.encode())
                self.nginx.reload()

    def _tidy(self) -> None:
        """Take away the links and bundles that nothing is served with any more."""
        kept = {self.wishes.live_path(one.domain).name for one in self.domains if one.enabled}
        if self.wishes.live.is_dir():
            for path in self.wishes.live.iterdir():
                if path.name not in kept:
                    path.unlink(missing_ok=True)
            fsync_folder(self.wishes.live)
        self.wishes.forget_unused()

    def _wait(self, version: NginxVersion, changed: Sequence[HttpsSettings]) -> ApplyResult:
        start = f"{self.nginx.program} -p {self.nginx.folder} -c {self.nginx.configuration}"
        trouble = f"no nginx runs with it: start it with {start}, then apply again"
        status = replace(
            self.status,
            nginx=str(version),
            trouble=trouble,
            domains=self._domains(changed, {}, state="waiting"),
            configuration="",
        )
        write_status(self.home, status)
        return ApplyResult(
            changed=tuple(one.domain for one in changed),
            waiting=True,
            notes=(trouble, *self._stop_notes()),
            status=status,
        )

    def _done(
        self,
        version: NginxVersion,
        wanted: dict[str, str],
        changed: Sequence[HttpsSettings],
        text: str,
        *,
        reloaded: bool,
    ) -> ApplyResult:
        status = HttpsStatus(
            applied_at=self.now,
            nginx=str(version),
            configuration=generation(text),
            reloads=self.status.reloads + reloaded,
            refused_applies=self.status.refused_applies,
            stop_list_as_of=self.stops.as_of,
            stopped=len(self.stops.names),
            trouble=self.stops.trouble,
            domains=self._domains(changed, wanted, state="live"),
        )
        write_status(self.home, status)
        return ApplyResult(
            changed=tuple(one.domain for one in changed),
            reloaded=reloaded,
            notes=self._stop_notes(),
            status=status,
        )

    def _domains(
        self, changed: Sequence[HttpsSettings], wanted: dict[str, str], *, state: str
    ) -> dict[str, DomainStatus]:
        """Each domain's line: those that changed anew, the others as they were."""
        anew = {one.domain for one in changed}
        return {
            one.domain: DomainStatus(
                wish=wanted.get(one.domain, ""),
                state=state,
                wished_at=one.changed_at,
                live_since=self.now if state == "live" else None,
                served=one.certificate.sha256 if one.certificate and one.enabled else "",
                expires=one.certificate.not_after if one.certificate and one.enabled else None,
                stopped=stop_of(one.domain, self.stopped) is not None,
                seconds_to_live=self._seconds_to_live(one) if state == "live" else None,
            )
            if one.domain in anew
            else self.status.domains[one.domain]
            for one in self.domains
        }

    def _seconds_to_live(self, one: HttpsSettings) -> int | None:
        """Seconds from what was wished to its proof: from the settings, or, where these were proven
        before, from the stop list that changed.
        """
        line = self.status.domains.get(one.domain)
        wished = one.changed_at
        if line is not None and line.state == "live" and line.wished_at == wished:
            wished = parse_time(self.stops.as_of) if self.stops.as_of else None
        return None if wished is None else max(0, int((self.now - wished).total_seconds()))

    def _stop_notes(self) -> tuple[str, ...]:
        return (f"stop list: {self.stops.trouble}",) if self.stops.trouble else ()

    def _fail(self, why: str, *, more: Sequence[str] = (), hint: str = "mend it") -> None:
        status = replace(self.status, refused_applies=self.status.refused_applies + 1, trouble=why)
        with suppress(OSError):
            write_status(self.home, status)
        rest = f" (and {len(more)} more: {'; '.join(more)})" if more else ""
        raise NotApplied(
            f"not applied, the edge serves on as before: {why}{rest}",
            f"{hint} and run edgetoll edge https apply again",
        )


def _wish(one: HttpsSettings, stopped: Mapping[str, StoppedName], edge: HttpsEdge) -> str:
    """A digest of all that decides how `one` is served."""
    stop = stop_of(one.domain, stopped)
    decides = (replace(one, changed_at=None), (stop, edge.mode) if stop else None)
    return hashlib.sha256(repr(decides).encode()).hexdigest()


def _expected(one: HttpsSettings, stopped: Mapping[str, StoppedName], edge: HttpsEdge) -> str:
    """What a handshake for the domain must get: its leaf's SHA-256, or REFUSED."""
    closed = edge.mode == "close" and stop_of(one.domain, stopped) is not None
    if closed or not one.enabled or not one.origin or one.certificate is None:
        return REFUSED
    return one.certificate.sha256


def _short(leaf: str) -> str:
    return "no certificate" if leaf == REFUSED else f"certificate {leaf[:16]}…"
