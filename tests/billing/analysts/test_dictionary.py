"""docs/analysts.md says of each view and question what the files and the database say."""

from __future__ import annotations

import os
import re
from pathlib import Path

from billing.analysts import dictionary, library
from billing.lake import query

WRITE = os.environ.get("EDGETOLL_GOLDEN") == "write"
BEGIN = "<!-- made of sql/views and sql/queries by make golden -->"


def made_page(home: Path) -> str:
    """The part of docs/analysts.md that is made."""
    lines = [BEGIN, "", "## Questions", "", "| `edgetoll query` | parameters | answers |"]
    lines.append("|---|---|---|")
    for one in library.all_queries():
        words = ", ".join(
            f"{each.name}={each.default}" if each.default else each.name for each in one.parameters
        )
        lines.append(f"| `{one.name}` | {words} | {one.title} |")
    lines += ["", "## Views", ""]
    with query.connect(home) as connection:
        for entry in dictionary.views():
            relation = connection.table(entry.name)
            lines += [f"### `{entry.name}`", ""]
            lines += [f"{entry.title} Grain: {entry.grain} Owner: {entry.owner}.", ""]
            lines += ["| column | type | meaning |", "|---|---|---|"]
            for name, kind in zip(relation.columns, relation.types, strict=True):
                shape = re.sub(r"STRUCT\(.*\)", "STRUCT", str(kind))
                lines.append(f"| `{name}` | {shape} | {entry.meaning(name)} |")
            lines.append("")
    return "\n".join(lines).rstrip("\n") + "\n"


def test_golden_the_analysts_page_is_what_the_database_has(home: Path, root: Path) -> None:
    path = root / "docs" / "analysts.md"
    before = path.read_text(encoding="utf-8").partition(BEGIN)[0]
    made = before + made_page(home)
    if WRITE:
        path.write_text(made, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == made, "docs/analysts.md is old: run make golden"


def test_the_dictionary_has_no_column_that_no_view_has(home: Path) -> None:
    sections = dictionary._sections()
    columns: dict[str, set[str]] = {}
    with query.connect(home) as connection:
        for entry in dictionary.views():
            columns[entry.name] = set(connection.table(entry.name).columns)
    everywhere = set().union(*columns.values())
    assert sorted(set(sections["all"]) - everywhere) == []
    for name, meanings in sections.items():
        if name != "all":
            assert sorted(set(meanings) - columns[name]) == [], name
