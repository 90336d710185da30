"""The damage pass over what an edge keeps of HTTPS: settings of domains, vault, links, status.

No nginx runs: what was wished and applied stands in files, and those are damaged.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from edge.errors import EdgetollError
from edge.https.wishes import Wishes
from tests.damage.damages import DAMAGES
from tests.damage.program import is_told, run
from tests.damage.records import Damage, Homes, Kind, Outcome
from tests.edge.https.world import Edge, new_authorities, new_edge

DOMAIN = "www.shop.example"
COMMANDS: tuple[tuple[str, ...], ...] = (("edge", "https", "apply"), ("check",))
HTTPS = (
    Kind(name="TLS: settings of a domain", pattern=f"https/domains/{DOMAIN}.json"),
    Kind(name="TLS: certificate and key", pattern="https/vault/*.pem"),
    Kind(name="TLS: what nginx opens", pattern="https/live/*.pem"),
    Kind(name="TLS: status", pattern="https-status.json"),
    Kind(name="TLS: nginx.conf", pattern="https/nginx/nginx.conf"),
    Kind(name="TLS: stop list kept", pattern="https/stop-list.json"),
    Kind(name="TLS: settings of the edge", pattern="edgetoll.toml"),
)


def build(place: Path) -> Homes:
    """Today's home with HTTPS on, itself with older settings, another one with other keys."""
    made = {}
    for name in ("today", "other"):
        (place / name).mkdir()
        edge = new_edge(place / name, new_authorities(), "http://127.0.0.1:9")
        edge.stop_domains("stopped.example")
        edge.upload("enable", DOMAIN)
        edge.run("apply")  # no nginx runs, and it says so
        if name == "today":
            shutil.copytree(edge.home, place / "yesterday", symlinks=True)
            go_on(edge)
        made[name] = edge.home
    today = made["today"]
    return Homes(
        today=today, yesterday=place / "yesterday", other=made["other"], truth={}, seen=told(today)
    )


def go_on(edge: Edge) -> None:
    """What a person wished since."""
    edge.upload("renew", DOMAIN)
    edge.done("set", DOMAIN, "--redirect", "to-https")
    edge.run("apply")  # no nginx runs, and it says so
    Wishes(edge.home).forget_unused()


def told(home: Path) -> object:
    """What is to be served, and what nginx will open for it; None: that it cannot be believed."""
    try:
        wishes = Wishes(home)
        return [
            (one, wishes.vault.joinpath(one.bundle).read_bytes(), wishes.linked(one.domain))
            for one in wishes.all()
        ]
    except (EdgetollError, OSError):
        return None


def pass_over(
    homes: Homes, kinds: Iterable[Kind], place: Path, damages: Mapping[str, Damage] = DAMAGES
) -> Iterator[Outcome]:
    """Every kind with every damage, each on a fresh copy of today's home below `place`."""
    for kind in kinds:
        for name, damage in damages.items():
            yield one(homes, kind, name, damage, place)


def one(homes: Homes, kind: Kind, name: str, damage: Damage, place: Path) -> Outcome:
    """What comes of one kind and one damage."""
    home = place / "damaged"
    shutil.rmtree(home, ignore_errors=True)
    shutil.copytree(homes.today, home, symlinks=True)
    file = kind.find(home)
    if file is None or not damage(home, homes, kind, file):
        return Outcome(kind=kind.name, damage=name, verdict="–")
    is_said = is_told(home, readers=told(home), right=homes.seen)
    ran = tuple(run(*words, "--home", str(home)) for words in COMMANDS)
    right, red = told(home) == homes.seen, ran[-1].code != 0
    if any(one.defect for one in ran):
        verdict = "TRACEBACK"
    elif not (is_said and (right or red)):
        verdict = "SILENT"
    else:
        verdict = ("right, red" if red else "right") if right else "told"
    return Outcome(kind=kind.name, damage=name, verdict=verdict, ran=ran)
