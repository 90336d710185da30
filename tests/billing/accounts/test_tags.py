"""Tags: labels of accounts and domains that reports group by, and that change no price."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pytest

import edgetoll
from billing.appliers import open_store
from billing.lake import query
from tests.billing.homes import ACCOUNTS, NOW, load_text, make_home
from tests.billing.runner import published

TAGGED = ACCOUNTS.replace('id = "acme"', 'id = "acme"\ntags = { team = "web", stage = "live" }')


def tags_of(home: Path, view: str, key: str) -> dict[str, dict[str, str]]:
    """The tags in a view, by its key."""
    with query.connect(published(home), query=view) as connection:
        return dict(connection.table(view).project(f"{key}, tags").fetchall())


def test_the_last_tags_said_hold_and_a_row_without_them_leaves_them(tmp_path: Path) -> None:
    home = make_home(tmp_path, accounts=TAGGED)
    assert load_text(home, TAGGED).journal_no is None
    assert tags_of(home, "accounts", "account_id")["acme"] == {"team": "web", "stage": "live"}
    assert tags_of(home, "accounts", "account_id")["beta"] == {}
    assert load_text(home, ACCOUNTS).journal_no is None
    assert load_text(home, TAGGED.replace('"web"', '"shop"')).new["tags"] == 1
    assert tags_of(home, "accounts", "account_id")["acme"]["team"] == "shop"
    load_text(home, ACCOUNTS.replace('id = "acme"', 'id = "acme"\ntags = {}'))
    assert tags_of(home, "accounts", "account_id")["acme"] == {}


def test_another_row_of_the_same_account_without_tags_takes_none_away(tmp_path: Path) -> None:
    terms = TAGGED.partition("[[accounts]]\n")[2].partition("[[accounts]]")[0].split("\ntags")[0]
    later = '\nname = "Acme"\ncurrency = "USD"\nprice_book = "plain"\ncredit_limit = "5.00"'
    second = f"[[accounts]]\n{terms}{later}\neffective_from = 2026-10-05T00:00:00Z\n"
    home = make_home(tmp_path, accounts=TAGGED + second)
    assert tags_of(home, "accounts", "account_id")["acme"] == {"team": "web", "stage": "live"}


def test_the_command_says_how_many_tags_are_new(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    home = make_home(tmp_path)
    (tmp_path / "rows.toml").write_text(TAGGED)
    for new, known in ((1, 0), (0, 1)):
        words = ["billing", "load", str(tmp_path / "rows.toml"), "--home", str(home), "--json"]
        assert edgetoll.main(words) == 0
        said = json.loads(capfd.readouterr().out)
        assert (said["new"]["tags"], said["known"]["tags"]) == (new, known)
        assert edgetoll.main(words[:-1]) == 0
        assert "tags" in capfd.readouterr().out


def test_domains_have_tags_too_in_csv_as_pairs(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    rows = "domain,account,tags\nnew.acme.example,acme,team=web;stage=live\n"
    load_text(home, rows, name="domains.csv")
    assert tags_of(home, "domains", "domain")["new.acme.example"] == {
        "team": "web", "stage": "live",
    }  # fmt: skip


NAME = '[[domains]]\ndomain = "www.acme.example"\naccount = '
GIVEN = f'{NAME}"acme"\neffective_to = 2026-10-15T00:00:00Z\ntags = {{ team = "web" }}\n'
TAKEN = f'{NAME}"beta"\neffective_from = 2026-10-15T00:00:00Z\ntags = {{ team = "web" }}\n'


def test_each_owner_of_a_domain_has_its_own_tags_and_sees_no_other_ones(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    assert load_text(home, GIVEN).new["tags"] == 1
    assert load_text(home, TAKEN).new["tags"] == 1  # the same words, and yet the new owner's
    assert load_text(home, TAKEN.replace('"web"', '"secret"')).new["tags"] == 1
    assert load_text(home, GIVEN).journal_no is None
    for account, team in (("acme", "web"), ("beta", "secret")):
        with query.connect(
            published(home), query="domains", account=account, shut=True
        ) as connection:
            owned = connection.sql("FROM domains SELECT tags WHERE domain = 'www.acme.example'")
            assert owned.fetchall() == [({"team": team},)]


def test_tags_of_a_record_that_does_not_say_whose_are_its_last_owners(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    load_text(home, GIVEN)
    load_text(home, TAKEN.partition("tags")[0])
    older = pa.table({"kind": ["domain"], "subject": ["www.acme.example"], "tags": ['{"a":"b"}']})
    with open_store(home, owner="test", now=NOW) as store:
        store.commit("load", {"tags": older}, at=NOW)
    with query.connect(published(home), query="domains") as connection:
        owned = connection.sql("FROM domains SELECT account_id, tags WHERE domain LIKE 'www%'")
        assert dict(owned.fetchall()) == {"acme": {"team": "web"}, "beta": {"a": "b"}}


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ('{ team = "" }', "1 to 128 characters"),
        ('{ team = 7 }', "tags"),
        ('"team"', "are no tags: write team=web;stage=live"),
        ('"team=a;team=b"', "are no tags"),
        ('{ "a\\u001b" = "x" }', "tags"),
    ],
)  # fmt: skip
def test_tags_that_are_none_are_refused_in_a_line(tags: str, said: str, tmp_path: Path) -> None:
    home = make_home(tmp_path)
    with pytest.raises(Exception, match="tags") as caught:
        load_text(home, ACCOUNTS.replace('id = "acme"', f'id = "acme"\ntags = {tags}'))
    assert said in str(caught.value)
