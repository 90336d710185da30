"""Evidence as files: one for each import that asks for it, and one a file below the spool."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

import orjson

from edge.durable import write_atomically
from edge.errors import InputError

KIND: Final = "edgetoll evidence 1"
FOLDER: Final = "evidence"


def file_evidence(
    name: str,
    hashed: tuple[str, int],
    counted: Mapping[str, object],
    form: str,
    said: Mapping[str, str],
) -> dict[str, object]:
    """What there is to say of a file called `name`, of `hashed` (SHA-256 and size), of which
    `counted` was counted.
    """
    sha256, size = hashed
    return {
        "name": name,
        "sha256": sha256,
        "bytes": size,
        "format": form,
        "said": {key: value for key, value in said.items() if value},
        **counted,
    }


def document(edge_id: str, region: str, made_at: str, files: list[dict[str, object]]) -> bytes:
    """Evidence of an import, as JSON."""
    try:
        program = version("edgetoll")
    except PackageNotFoundError:  # run from a checkout
        program = ""
    found = {
        "kind": KIND,
        "edge": edge_id,
        "region": region,
        "made_at": made_at,
        "program": program,
        "files": files,
    }
    return orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n"


def keep(spool: Path, files: list[dict[str, object]]) -> None:
    """Write what is known of each file below the spool, by its hash. Raises OSError."""
    folder = spool / FOLDER
    folder.mkdir(exist_ok=True)
    for each in files:
        data = orjson.dumps(each, option=orjson.OPT_INDENT_2) + b"\n"
        write_atomically(folder / f"{each['sha256']}.json", data)


def read(path: Path) -> list[dict[str, object]]:
    """The files that evidence at `path` speaks of. Raises InputError."""
    try:
        found = orjson.loads(path.read_bytes())
        files = found["files"] if found.get("kind") == KIND else [found]
        if not all(isinstance(each["sha256"], str) and each["name"] for each in files):
            raise KeyError("sha256")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}", "check the path") from error
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path} is no evidence of edgetoll", "give the file of --evidence"
        ) from error
    return list(files)
