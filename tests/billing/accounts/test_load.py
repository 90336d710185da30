"""Loading accounts, domains, plans and methods: whole or not at all, idempotent, errors that name
places.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.accounts.file_rows import read_load_file
from billing.appliers import open_store
from billing.lake.query import connect
from edge.errors import ConfigError, ConflictError, EdgetollError, InputError
from tests.billing.homes import (
    ACCOUNTS,
    BOOK,
    EXAMPLES,
    NOW,
    START,
    Use,
    close_hours,
    load_text,
    make_home,
)
from tests.billing.runner import rate

PLAN = """
[[plans]]
id = "p1"
account = "acme"
kind = "data_transfer"
region = "EU"
quantity = "50 GB"
starts = 2026-10-01T00:00:00Z
ends = 2027-10-01T00:00:00Z
"""


def rows(home: Path, query: str) -> list[tuple[object, ...]]:
    """What a query over the store gives."""
    with open_store(home, owner="test", now=NOW) as store:
        return store.connection.execute(query).fetchall()


def journal_size(home: Path) -> int:
    """Bytes in the journal."""
    return (home / "journal" / "journal.jsonl").stat().st_size


def test_loading_the_same_file_again_writes_nothing(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    load_text(home, ACCOUNTS + PLAN)
    size = journal_size(home)
    done = load_text(home, ACCOUNTS + PLAN)
    assert done.journal_no is None
    assert dict(done.known) == {"accounts": 2, "domains": 2, "plans": 1, "methods": 0}
    assert journal_size(home) == size
    assert rows(home, "SELECT plan_id, quantity FROM plans") == [("p1", 50 * 1024**3)]


AGREED = """
[[credits]]
id = "spring"
account = "acme"
amount = "50.00"
items = ["https_requests"]
regions = ["EU", "all"]
starts = 2026-10-01T00:00:00Z
ends = 2027-01-01T00:00:00Z
[[commitments]]
id = "deal"
account = "acme"
amount = "1000"
starts = 2026-10-15T00:00:00Z
"""


def test_credits_and_commitments_are_loaded_once_and_put_right_by_a_reason(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    load_text(home, ACCOUNTS + AGREED)
    again = load_text(home, AGREED)
    assert again.journal_no is None
    assert again.known["agreements"] == 2
    load_text(home, AGREED.replace('"50.00"', '"60.00"\nwhy = "typing mistake"'))
    found = rows(
        home, "SELECT agreement_id, kind, amount // 10000000000 FROM agreements ORDER BY 1"
    )
    assert found == [("deal", "commitment", 1000), ("spring", "credit", 60)]
    marks = rows(home, "SELECT DISTINCT reason FROM replay_marks ORDER BY 1")
    assert ("credit put right",) in marks


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (AGREED.replace('"50.00"', '"51.00"'), "line 2: agreement 'spring' is stored with amount"),
        (AGREED.replace("https_requests", "https"), "there is no item 'https'"),
        (AGREED.replace('"EU"', '"XX"').replace("spring", "s2"), "has no region 'XX'"),
        (
            AGREED.replace('["EU", "all"]', '["EU"]').replace("spring", "s2"),
            "line 2: credit 's2' would never pay for anything: price book plain of acme charges",
        ),
        (AGREED.replace("2027-01-01", "2026-09-01"), "spring ends before it starts"),
        (AGREED.replace('"1000"', '"1000"\nsettles = "term"'), "has one: `ends`"),
        (AGREED.replace('"1000"', '"0"'), "more than 0"),
        (AGREED.replace('account = "acme"', 'account = "nobody"'), "no account 'nobody'"),
    ],
)
def test_an_agreement_that_cannot_be_is_refused_by_name(
    tmp_path: Path, wrong: str, message: str
) -> None:
    home = make_home(tmp_path)
    load_text(home, ACCOUNTS + AGREED)
    size = journal_size(home)
    with pytest.raises(EdgetollError, match=message):
        load_text(home, wrong)
    assert journal_size(home) == size


# what is loaded after ACCOUNTS and PLAN -> the error, and what it names
CONFLICTS = [
    (PLAN.replace("50 GB", "51 GB"), "line 2: plan 'p1' is stored with quantity"),
    (ACCOUNTS.replace('"Acme"', '"Acme Inc"'), "line 2: account 'acme' is stored with name Acme"),
    (
        '[[domains]]\nid = "www.acme.example@acme@2000-01-01T00:00"\n'
        'domain = "other.example"\naccount = "acme"\n',
        "line 1: ownership 'www.acme.example@acme@2000-01-01T00:00' is stored with domain",
    ),
    (
        '[[domains]]\ndomain = "www.acme.example"\naccount = "beta"\n',
        "www.acme.example would belong to acme and to beta",
    ),
]


@pytest.mark.parametrize(("text", "said"), CONFLICTS)
def test_the_same_id_with_other_content_is_a_named_conflict(
    text: str, said: str, tmp_path: Path
) -> None:
    home = make_home(tmp_path)
    load_text(home, PLAN)
    size = journal_size(home)
    with pytest.raises(ConflictError) as caught:
        load_text(home, text)
    assert said in caught.value.message
    assert journal_size(home) == size


# (file, what the error names)
WRONG = [
    ("", "is blank"),
    ("[[accounts]]\n", "key accounts.1.id"),
    (ACCOUNTS.replace('"USD"', '"usd"', 1), "line 5, key accounts.1.currency"),
    (ACCOUNTS.replace('"plain"', '"none"', 1), "no price book 'none'"),
    (ACCOUNTS + '\n[[accounts]]\nid = "a b"\n', "accounts.3"),
    (PLAN.replace("50 GB", "50 GiB"), "line 7, key plans.1.quantity"),
    (PLAN.replace("T00:00:00Z\nends", "T00:03:00.5Z\nends"), "not a whole second"),
    (PLAN.replace('"acme"', '"nobody"'), "line 2: there is no account 'nobody'"),
    (PLAN.replace("2027", "2025"), "ends before it starts"),
    # Issue 11: a plan that could never pay for anything.
    (PLAN.replace('"EU"', '"EUX"'), "line 2: price book plain of acme has no region 'EUX'"),
    (ACCOUNTS.replace('"acme"', '"new"') + PLAN.replace('"acme"', '"new"').replace('"EU"', '"DE"'),
     "price book plain of new has no region 'DE'"),
    # G16, G19: what would cost something else than it says.
    (PLAN.replace("data_transfer", "https_requests").replace('region = "EU"', ""), "are bytes"),
    (PLAN.replace("data_transfer", "https_requests").replace('"50 GB"', "50"), "leave out region"),
    ('[[domains]]\ndomain = "x.example"\naccount = "acme"\neffective_from = 2026-10-01T00:00:00Z\n'
     "effective_to = 2026-10-01T00:00:00Z\n", "and begins at"),
    (PLAN + "surprise = 1\n", "plans.1.surprise"),
    ('[[domains]]\ndomain = "no domain"\naccount = "acme"\n', "is not a domain name"),
    ('[[domains]]\ndomain = "*.*.x.example"\naccount = "acme"\n', "is not a domain name"),
    ('[[accounts]]\nid = "x"\nname = "X"\ncurrency = "USD"\nprice_book = "plain"\n'
     "credit_limit = 5.5\n", "line 6, key accounts.1.credit_limit"),
    ("[[accounts]\n", "line 1"),
    # G6: what nobody can own or pay in.
    (ACCOUNTS.replace('"USD"', '"XYZ"', 1), "'XYZ' is not a currency"),
    (ACCOUNTS.replace('"USD"', '"XAU"', 1), "'XAU' is not a currency"),
    *[(f'[[domains]]\ndomain = "*.{name}"\naccount = "acme"\n', f"own every name below {name}")
      for name in ("com", "co.uk", "xn--p1ai", "kawasaki.jp", "nosuchtld")],
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_h9_a_wrong_file_is_refused_whole_and_the_error_names_the_place(
    text: str, said: str, tmp_path: Path
) -> None:
    home = make_home(tmp_path)
    size = journal_size(home)
    with pytest.raises((ConfigError, InputError)) as caught:
        load_text(home, text)
    assert said in caught.value.message
    assert journal_size(home) == size


def test_csv_files_load_like_toml_and_name_their_line(tmp_path: Path) -> None:
    home = make_home(tmp_path, accounts=None)
    load_text(
        home,
        'id,name,currency,price_book,credit_limit\nacme,"Acme, Inc.",USD,plain,5.25\n',
        name="a.csv",
    )
    load_text(home, "domain,account\nÜ.example,acme\n*.acme.example,acme\n", name="d.csv")
    assert rows(home, "SELECT name, credit_limit FROM accounts") == [("Acme, Inc.", 52_500_000_000)]
    names = rows(home, "SELECT domain FROM domain_ownership ORDER BY 1")
    assert names == [("*.acme.example",), ("xn--tda.example",)]
    text = "id,account,kind,quantity,starts,ends\n"
    text += "a,acme,data_transfer,1,2026-10-01,2026-11-01\n"
    text += "b,acme,data_transfer,-1,2026-10-01,2026-11-01\n"
    with pytest.raises(InputError, match="line 3, key quantity"):
        load_text(home, text, name="p.csv")
    with pytest.raises(InputError, match="unknown column 'colour'"):
        load_text(home, "domain,account,colour\nx.example,acme,red\n", name="x.csv")
    with pytest.raises(InputError, match="has no rows"):
        load_text(home, "domain,account\n", name="y.csv")
    with pytest.raises(InputError, match="line 2: the number of cells"):
        load_text(home, "domain,account\nx.example\n", name="z.csv")


def test_f5_two_sessions_cannot_give_one_domain_to_two_accounts(tmp_path: Path) -> None:
    """The rows are read before, the overlap is refused inside the transaction that stores them."""
    home = make_home(tmp_path)
    load_text(home, '[[domains]]\ndomain = "shop.example"\naccount = "acme"\n')
    later = (
        '[[domains]]\ndomain = "shop.example"\naccount = "beta"\n'
        "effective_from = 2026-10-05T00:00:00Z\n"
    )
    with pytest.raises(ConflictError, match=r"shop\.example would belong to acme and to beta"):
        load_text(home, later)
    end = '[[domains]]\ndomain = "shop.example"\naccount = "acme"\n'
    load_text(home, end + "effective_to = 2026-10-05T00:00:00Z\n")
    load_text(home, later)
    assert load_text(home, end).journal_no is None  # the old file, before it had an end
    with pytest.raises(ConflictError, match="effective_to"):
        load_text(home, end + "effective_to = 2026-10-06T00:00:00Z\n")


def test_a_change_of_terms_is_a_new_version_from_its_date(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    moved = (
        '[[accounts]]\nid = "acme"\nname = "Acme SE"\ncurrency = "USD"\nprice_book = "plain"\n'
        "effective_from = 2026-10-02T00:00:00Z\n"
    )
    load_text(home, moved, at=NOW)
    assert rows(home, "SELECT name FROM accounts WHERE account_id = 'acme'") == [("Acme SE",)]
    assert rows(home, "SELECT count(*) FROM account_versions") == [(3,)]
    assert load_text(home, moved, at=NOW).journal_no is None


def test_f7_an_account_keeps_its_price_book_and_zone_once_it_is_charged(tmp_path: Path) -> None:
    """A month, late usage and replays are priced by one book: a switch prices the past anew."""
    home = make_home(tmp_path)
    other = BOOK.replace('"plain"', '"other"').replace('-1"', '-2"')
    (home / "prices" / "other.toml").write_text(other, encoding="utf-8")
    version = (
        '[[accounts]]\nid = "acme"\nname = "Acme"\ncurrency = "USD"\nprice_book = "other"\n'
        "effective_from = 2026-10-02T00:00:00Z\n"
    )
    with pytest.raises(ConflictError, match="price_book plain and not other"):
        load_text(home, version, at=START)  # it begins later, and hours are charged until then
    zone = version.replace('"other"', '"plain"\ntimezone = "Asia/Shanghai"')
    load_text(home, zone, at=NOW)
    close_hours(home, START, 2, [Use()])
    rate(home)
    for text in (version.replace("10-02", "10-03"), zone.replace("10-02", "10-03") + "\n"):
        with pytest.raises(ConflictError, match="while nothing has been charged"):
            load_text(home, text.replace("Shanghai", "Tokyo"), at=NOW)
    method = zone.replace("10-02", "10-03") + 'billing_method = "peak_bandwidth"\n'
    with pytest.raises(ConflictError, match="began with billing_method data_transfer"):
        load_text(home, method, at=NOW)


def test_a_plan_bought_at_any_second_covers_the_hour_it_was_bought_in(tmp_path: Path) -> None:
    """DOMAIN §6 #15, by the front door: bought 10:30:30, the hour 10:00 to 11:00 is offset."""
    home = make_home(tmp_path)
    plan = (
        '[[plans]]\nid = "p"\naccount = "acme"\nkind = "https_requests"\nquantity = 10000\n'
        "starts = 2026-10-01T01:30:30Z\nends = 2027-10-01T01:30:30Z\n"
    )
    close_hours(home, START, 3, [Use(requests=1000)])
    rate(home)
    load_text(home, plan, at=NOW)  # loaded late: the hour is replayed
    rate(home)
    used = rows(home, "SELECT hour(hour), sum(quantity) FROM plan_use GROUP BY ALL ORDER BY ALL")
    assert used == [(1, 1000), (2, 1000)]


def test_a_method_is_asked_for_once_per_time(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    text = (
        '[[methods]]\naccount = "acme"\nmethod = "peak_bandwidth"\n'
        "effective_from = 2026-10-10T00:00:00Z\n"
    )
    load_text(home, text, at=START)
    assert load_text(home, text, at=START).journal_no is None
    with pytest.raises(ConflictError, match="method peak_bandwidth and not data_transfer"):
        load_text(home, text.replace("peak_bandwidth", "data_transfer"), at=START)
    found = rows(
        home, "SELECT method FROM account_methods WHERE account_id = 'acme' ORDER BY effective_from"
    )
    assert found == [("data_transfer",), ("peak_bandwidth",)]


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "accounts.yaml"
    path.write_text("x")
    with pytest.raises(InputError, match=r"neither in .toml nor in .csv"):
        read_load_file(path)


spans = st.lists(
    st.tuples(st.sampled_from(["acme", "beta"]), st.integers(0, 20), st.integers(1, 6)),
    min_size=1,
    max_size=8,
)


@settings(max_examples=EXAMPLES)
@given(spans)
def test_a2_f5_ownership_never_overlaps_whatever_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, periods: list[tuple[str, int, int]]
) -> None:
    """The oracle is a list of owned days; a load that would share one is refused whole."""
    home = make_home(tmp_path_factory.mktemp("own"))
    owner: dict[int, str] = {}
    for number, (account, first, length) in enumerate(periods):
        days = range(first, first + length)
        text = (
            f'[[domains]]\nid = "d{number}"\ndomain = "x.example"\naccount = "{account}"\n'
            f"effective_from = 2026-10-{first + 1:02d}T00:00:00Z\n"
            f"effective_to = 2026-10-{first + length + 1:02d}T00:00:00Z\n"
        )
        if any(day in owner for day in days):
            with pytest.raises(EdgetollError, match="would belong"):
                load_text(home, text)
        else:
            load_text(home, text)
            owner.update(dict.fromkeys(days, account))
    stored = rows(
        home,
        "SELECT account_id, effective_from, effective_to FROM domain_ownership"
        " WHERE domain = 'x.example'",
    )
    held: dict[int, str] = {}
    for account, start, end in stored:
        assert isinstance(start, datetime)
        assert isinstance(end, datetime)
        for day in range(start.day - 1, end.day - 1):
            assert day not in held
            held[day] = str(account)
    assert held == owner


def test_p10_an_opening_that_is_not_known_is_said_to_be_unknown(tmp_path: Path) -> None:
    """Homes of before openings were kept have 2000-01-01 in its place."""
    home = make_home(tmp_path)
    row = ACCOUNTS[: ACCOUNTS.index("\n[[accounts]]", 2)].replace('"acme"', '"old"')
    load_text(home, row + "opened = 2000-01-01T00:00:00Z\n", name="old.toml")
    rate(home)
    with connect(home, query="accounts account_states") as connection:
        found = connection.execute(
            "SELECT account_id, a.opened_at IS NULL, s.since IS NULL FROM accounts AS a"
            " JOIN account_states AS s USING (account_id) ORDER BY account_id"
        ).fetchall()
    assert found == [("acme", False, False), ("beta", False, False), ("old", True, True)]
