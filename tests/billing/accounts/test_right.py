"""Openings, closings and facts that are put right: G12, G15, G16, G17 and G19 of CASES."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billing.accounts.file_rows import read_load_file
from billing.accounts.staging import stage
from billing.appliers import open_store
from billing.checks import invariants
from edge.errors import ConfigError, ConflictError, InputError
from tests.billing.homes import BOOK, NOW, START, Use, close_hours, load_text, make_home
from tests.billing.runner import posted

FEES = BOOK.replace(
    'per = 10000\nprice = "0.01"', 'per = 10000\nprice = "0.01"\nflat_fee = "9.00"', 1
)
ACCOUNT = '[[accounts]]\nid = "acme"\nname = "Acme"\ncurrency = "USD"\nprice_book = "plain"\n'
OTHER = ACCOUNT.replace('"acme"', '"other"').replace("Acme", "Other")
DOMAIN = '[[domains]]\ndomain = "www.acme.example"\naccount = "acme"\n'
LATER = NOW + timedelta(days=1)


def money(home: Path) -> list[tuple[object, ...]]:
    """Net quantity and amount by account, item and month; the invariants hold."""
    with open_store(home, owner="test", now=NOW) as store:
        assert invariants.run(store.connection) == []
        return store.connection.execute(
            "SELECT account_id, item, month, sum(quantity), sum(amount) FROM charges"
            " GROUP BY ALL HAVING sum(amount) <> 0 OR sum(quantity) <> 0 ORDER BY ALL"
        ).fetchall()


def stored(home: Path, query: str) -> list[tuple[object, ...]]:
    """What the store says."""
    with open_store(home, owner="test", now=LATER) as store:
        return store.connection.execute(query).fetchall()


def loaded(home: Path, text: str, at: datetime = NOW) -> None:
    """Load `text`."""
    load_text(home, text, at=at)


def test_g15_an_account_is_open_from_its_first_load_unless_it_says_otherwise(
    tmp_path: Path,
) -> None:
    home = make_home(tmp_path, accounts=None)
    at = datetime(2026, 10, 3, 12, 34, 56, tzinfo=UTC)
    done = load_text(home, ACCOUNT + OTHER + "opened = 2026-09-01T00:00:00Z\n", at=at)
    opened = {"acme": datetime(2026, 10, 3, 12, 30), "other": datetime(2026, 9, 1)}  # noqa: DTZ001
    assert dict(done.opened) == opened
    assert dict(stored(home, "SELECT account_id, opened_at FROM accounts")) == opened
    again = load_text(home, ACCOUNT, at=LATER)
    assert again.journal_no is None, "the same row on another day is the same account"


ORDERS = list(itertools.permutations(("accounts", "usage", "rate")))


@pytest.mark.parametrize("order", ORDERS, ids=" ".join)
def test_g15_the_same_facts_cost_the_same_whatever_the_order_of_commands(
    order: tuple[str, ...], tmp_path: Path
) -> None:
    home = make_home(tmp_path, accounts=None, book=FEES)
    steps = {
        "accounts": lambda: loaded(home, ACCOUNT + "opened = 2026-10-01T00:00:00Z\n" + DOMAIN),
        "usage": lambda: close_hours(home, START, 3, [Use(bytes_sent=0)]),
        "rate": lambda: posted(home),
    }
    for step in order:
        steps[step]()
    posted(home)
    fee, price = 9 * 10**10, 3000 * 10**10 // 100 // 10_000
    assert [(row[0], sum(r[4] for r in money(home))) for row in money(home)[:1]] == [  # type: ignore[misc]
        ("acme", fee + price)
    ]


DEAL = """
[[commitments]]
id = "deal"
account = "acme"
amount = "9.00"
starts = 2026-10-16T00:00:00Z
ends = 2027-10-16T00:00:00Z
"""


def test_g15_the_load_says_from_when_the_fee_is_paid_and_a_commitment_counts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgetoll import main

    home = make_home(tmp_path, accounts=None, book=FEES)
    file = tmp_path / "a.toml"
    file.write_text(ACCOUNT + DEAL)
    words = ["billing", "load", str(file), "--as-of", NOW.isoformat(), "--home", str(home)]
    assert main(words) == 0
    said = capsys.readouterr()
    assert "acme pays its monthly fee from 2026-10-20" in said.out
    assert "deal begins 2026-10-16, but counts from 2026-10-20, when acme is open" in said.err


# What is loaded first, what puts it right, and what should have been loaded at once.
WRONG_DATES = {
    "an end too early is prolonged": (
        DOMAIN + "effective_to = 2026-10-01T01:00:00Z\n",
        DOMAIN + 'effective_to = 2026-10-01T03:00:00Z\nwhy = "typo"\n',
        DOMAIN + "effective_to = 2026-10-01T03:00:00Z\n",
    ),
    "an end too late is shortened": (
        DOMAIN + "effective_to = 2026-10-01T03:00:00Z\n",
        DOMAIN + 'effective_to = 2026-10-01T01:30:00Z\nwhy = "typo"\n',
        DOMAIN + "effective_to = 2026-10-01T01:30:00Z\n",
    ),
    "an end that is none is taken off": (
        DOMAIN + "effective_to = 2026-10-01T01:00:00Z\n",
        DOMAIN + 'effective_to = "never"\nwhy = "it stays"\n',
        DOMAIN,
    ),
    "a start is moved": (
        DOMAIN + "effective_from = 2026-10-01T02:00:00Z\n",
        DOMAIN + 'effective_from = 2026-10-01T01:00:00Z\nwhy = "typo"\n'
        'replaces = "www.acme.example@acme@2026-10-01T02:00"\n',
        DOMAIN + "effective_from = 2026-10-01T01:00:00Z\n",
    ),
    "the owner was another": (
        DOMAIN.replace('account = "acme"', 'account = "other"'),
        DOMAIN + 'why = "mixed up"\nreplaces = "www.acme.example@other@2000-01-01T00:00"\n',
        DOMAIN,
    ),
    "a plan ends later": (
        DOMAIN
        + '[[plans]]\nid = "p1"\naccount = "acme"\nkind = "https_requests"\nquantity = 9000\n'
        "starts = 2026-10-01T00:00:00Z\nends = 2026-10-01T01:00:00Z\n",
        '[[plans]]\nid = "p1"\naccount = "acme"\nkind = "https_requests"\nquantity = 9000\n'
        'starts = 2026-10-01T00:00:00Z\nends = 2026-10-02T00:00:00Z\nwhy = "typo"\n',
        DOMAIN
        + '[[plans]]\nid = "p1"\naccount = "acme"\nkind = "https_requests"\nquantity = 9000\n'
        "starts = 2026-10-01T00:00:00Z\nends = 2026-10-02T00:00:00Z\n",
    ),
    "a plan of another size under another id": (
        DOMAIN
        + '[[plans]]\nid = "p1"\naccount = "acme"\nkind = "https_requests"\nquantity = 4000\n'
        "starts = 2026-10-01T00:00:00Z\nends = 2026-11-01T00:00:00Z\n",
        '[[plans]]\nid = "p2"\naccount = "acme"\nkind = "https_requests"\nquantity = 500\n'
        "starts = 2026-10-01T00:00:00Z\nends = 2026-11-01T00:00:00Z\n"
        'replaces = "p1"\nwhy = "wrong size"\n',
        DOMAIN + '[[plans]]\nid = "p2"\naccount = "acme"\nkind = "https_requests"\nquantity = 500\n'
        "starts = 2026-10-01T00:00:00Z\nends = 2026-11-01T00:00:00Z\n",
    ),
}
OPEN = "opened = 2026-10-01T00:00:00Z\n"


@pytest.mark.parametrize(
    ("wrong", "right", "at_once"), WRONG_DATES.values(), ids=WRONG_DATES.keys()
)
def test_g16_what_is_put_right_costs_what_it_would_have_cost_at_once(
    wrong: str, right: str, at_once: str, tmp_path: Path
) -> None:
    homes = {}
    for name, texts in {"corrected": (wrong, right), "at once": (at_once,)}.items():
        home = make_home(tmp_path / name, accounts=ACCOUNT + OPEN + OTHER + OPEN + texts[0])
        close_hours(home, START, 4, [Use(minute=minute) for minute in (0, 30)])
        posted(home)
        for text in texts[1:]:
            loaded(home, text)
            posted(home)
            size = (home / "journal" / "journal.jsonl").stat().st_size
            loaded(home, text, LATER)
            assert (home / "journal" / "journal.jsonl").stat().st_size == size, "known by then"
        homes[name] = home
    assert money(homes["corrected"]) == money(homes["at once"])


def test_g16_a_wrong_date_without_a_why_is_refused_with_the_way_out(tmp_path: Path) -> None:
    home = make_home(tmp_path, accounts=ACCOUNT + DOMAIN + "effective_to = 2026-10-01T01:00:00Z\n")
    with pytest.raises(ConflictError) as caught:
        loaded(home, DOMAIN + "effective_to = 2026-10-01T02:00:00Z\n")
    assert "`why`" in caught.value.hint
    with pytest.raises(InputError, match="there is no ownership 'nothing' to put right"):
        loaded(home, DOMAIN + 'id = "x"\nreplaces = "nothing"\nwhy = "typo"\n')
    with pytest.raises(ConfigError, match="what replaces another says why"):
        loaded(home, DOMAIN + 'id = "x"\nreplaces = "y"\n')


def test_g16_an_end_that_reaches_into_the_next_owners_time_is_refused_with_both_ways_out(
    tmp_path: Path,
) -> None:
    after = DOMAIN.replace('account = "acme"', 'account = "other"')
    owned = DOMAIN + "effective_to = 2026-10-01T01:00:00Z\n"
    home = make_home(tmp_path, accounts=ACCOUNT + OTHER + owned)
    loaded(home, after + "effective_from = 2026-10-01T01:00:00Z\n")
    longer = DOMAIN + 'effective_to = 2026-10-01T02:00:00Z\nwhy = "typo"\n'
    with pytest.raises(ConflictError) as caught:
        loaded(home, longer)
    way = 'replaces = "www.acme.example@other@2026-10-01T01:00"'
    assert way in caught.value.hint
    loaded(home, longer + after + f'effective_from = 2026-10-01T02:00:00Z\n{way}\nwhy = "typo"\n')


def test_g16_what_was_replaced_does_not_come_back(tmp_path: Path) -> None:
    moved = (
        DOMAIN + 'effective_from = 2026-10-01T01:00:00Z\nwhy = "typo"\n'
        'replaces = "www.acme.example@acme@2000-01-01T00:00"\n'
    )
    home = make_home(tmp_path, accounts=ACCOUNT + DOMAIN)
    loaded(home, moved)
    assert load_text(home, DOMAIN + moved).journal_no is None, "the file tells the whole story"
    with pytest.raises(ConflictError, match=r"was put right by .* \(typo\) and cannot come back"):
        loaded(home, DOMAIN)


def test_g19_a_closed_account_keeps_its_debt_and_gives_up_its_names(tmp_path: Path) -> None:
    home = make_home(tmp_path, accounts=ACCOUNT + OPEN + DOMAIN)
    close_hours(home, START, 4, [Use()])
    posted(home)
    closing = ACCOUNT + 'closed = 2026-10-01T02:00:00Z\nwhy = "left"\n'
    loaded(home, closing)
    posted(home)
    assert [row[3] for row in money(home) if row[1] == "https_requests"] == [2000]
    assert stored(home, "SELECT account_id, sum(requests) FROM usage GROUP BY 1 ORDER BY 1") == [
        ("acme", 2000),
        (None, 2000),
    ]
    assert load_text(home, ACCOUNT + OPEN, at=LATER).journal_no is None, "closed stays closed"
    with pytest.raises(ConflictError, match="closed_at"):
        loaded(home, ACCOUNT + "closed = 2026-10-01T03:00:00Z\n")
    loaded(home, ACCOUNT + 'closed = "never"\nwhy = "stays after all"\n')
    posted(home)
    assert [row[3] for row in money(home) if row[1] == "https_requests"] == [4000]


def test_g19_an_account_cannot_close_before_it_opens(tmp_path: Path) -> None:
    home = make_home(tmp_path, accounts=None)
    with pytest.raises(InputError, match="closes at 2026-09-01T00:00:00Z, before it opens"):
        loaded(home, ACCOUNT + OPEN + "closed = 2026-09-01T00:00:00Z\n")


BAD_TEXT = {
    "escape": "Acme\x1b[2J",
    "right-to-left override": "Acme\u202eemca",
    "isolate": "Acme \u2066x\u2069",
    "line break": "Acme\nOwes nothing",
    "paragraph separator": "Acme\u2029x",
    "zero width space": "Ac\u200bme",
    "tab": "Acme\tInc",
    "delete": "Acme\x7f",
    "byte order mark": "\ufeffAcme",
    "soft hyphen": "Ac\u00adme",
    "space behind it": "Acme ",
}


@pytest.mark.parametrize("name", BAD_TEXT.values(), ids=BAD_TEXT.keys())
@pytest.mark.parametrize("ending", ["toml", "csv"])
def test_g12_a_name_that_is_more_than_a_visible_line_is_refused_at_load(
    name: str, ending: str, tmp_path: Path
) -> None:
    file = tmp_path / f"a.{ending}"
    escaped = "".join(f"\\u{ord(c):04x}" for c in name)
    file.write_text(
        ACCOUNT.replace('"Acme"', f'"{escaped}"')
        if ending == "toml"
        else f'id,name,currency,price_book\nacme,"{name}",USD,plain\n'
    )
    with pytest.raises((ConfigError, InputError), match="name: "):
        read_load_file(file)


@pytest.mark.parametrize(
    "name", ["東京CDN株式会社", "شركة", "Åström & Søn", "👨‍👩‍👧 Ltd", "می‌خواهم"]
)
def test_g12_names_of_the_world_are_taken(name: str, tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(ACCOUNT.replace("Acme", name))
    assert read_load_file(file).accounts[0][1].name == name


@pytest.mark.parametrize(
    "email",
    [
        "a", "a@b.example, c@d.example", "a@b.example\\nBcc: x@y.example", "a b@c.example",
        "<a@b.example>", "a@@b.example", "@b.example", "a@", "a@localhost", "a@b.example;c@d.e",
        "Ann <a@b.example>", ".a@b.example", "a@b..example", "a@-.example",
    ],
)  # fmt: skip
def test_g12_an_address_that_is_not_one_address_is_refused(email: str, tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    file.write_text(f'{ACCOUNT}email = "{email}"\n')
    with pytest.raises(ConfigError, match="email: "):
        read_load_file(file)


def test_g12_usual_addresses_are_taken(tmp_path: Path) -> None:
    for email in ("billing@acme.example", "a.b+c@x-y.co.example", "", "o'neil@bücher.example"):
        file = tmp_path / "a.toml"
        file.write_text(f'{ACCOUNT}email = "{email}"\n')
        assert read_load_file(file).accounts[0][1].email == email


def rows(kind: str, ending: str, count: int) -> str:
    """A load file of `count` rows of one kind."""
    values = {
        "accounts": ("id,name,currency,price_book", 'a{n}","Name {n}","USD","plain'),
        "domains": ("domain,account", 'www.d{n}.example","acme'),
        "plans": (
            "id,account,kind,quantity,starts,ends",
            'p{n}","acme","https_requests","1000","2026-10-01T00:00:00Z","2026-11-01T00:00:00Z',
        ),
    }
    names, form = values[kind]
    lines = [f'"{form.format(n=n)}"' for n in range(count)]
    if ending == "csv":
        return f"{names}\n" + "\n".join(lines) + "\n"
    keys = names.split(",")
    return "".join(
        f"[[{kind}]]\n"
        + "\n".join(f"{k} = {v}" for k, v in zip(keys, line.split(","), strict=True))
        + "\n"
        for line in lines
    )


@pytest.mark.parametrize("ending", ["toml", "csv"])
@pytest.mark.parametrize("kind", ["accounts", "domains", "plans"])
def test_g17_reading_ten_times_the_rows_costs_about_ten_times_as_much(
    kind: str, ending: str, tmp_path: Path
) -> None:
    """A ratio within one run: quadratic reading would be a hundred times."""
    spent = []
    for count in (500, 5000):
        file = tmp_path / f"rows{count}.{ending}"
        file.write_text(rows(kind, ending, count))
        best = 10.0**9
        for _ in range(3):
            begun = time.process_time()
            staged = stage(read_load_file(file), lambda _book: "UTC", opening=NOW)
            best = min(best, time.process_time() - begun)
        assert len(getattr(staged, kind)) == count
        spent.append(best)
    assert spent[1] < 30 * spent[0]


def test_g17_each_row_of_a_long_file_is_placed_at_its_line(tmp_path: Path) -> None:
    file = tmp_path / "rows.toml"
    file.write_text(rows("domains", "toml", 40) + rows("plans", "toml", 3))
    read = read_load_file(file)
    assert [place for place, _row in read.domains][39] == "rows.toml, line 118"
    assert [place for place, _row in read.plans] == [
        "rows.toml, line 121",
        "rows.toml, line 128",
        "rows.toml, line 135",
    ]
    file.write_text(
        'domains = [{domain = "a.example", account = "x"}, {domain = "b.example", account = "x"}]\n'
    )
    assert [place for place, _row in read_load_file(file).domains] == [
        "rows.toml, row 1",
        "rows.toml, row 2",
    ]
