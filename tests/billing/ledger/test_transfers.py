"""The ledger: what a transfer may be, what its id means, and what a balance is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from billing.appliers import open_store
from billing.checks import invariants
from billing.ledger import transfers
from billing.ledger.records import Posted, TopUpKind, as_effect
from billing.ledger.top_up import top_up, top_up_transfer
from billing.money import AMOUNT_MAX, SCALE, floor_to_minor, parse_amount
from billing.store.store import Store
from edge.errors import ConflictError, EdgetollError, InputError
from tests.billing.homes import EXAMPLES, NOW, START, Use, close_hour, load_text, make_home
from tests.billing.runner import rate

Book = Callable[..., Posted]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """An open store with the accounts acme and beta."""
    return open_store(make_home(tmp_path), owner="test", now=NOW)


def pay(store: Store, amount: str, key: str, kind: TopUpKind = "cash") -> Posted:
    """A top-up of acme."""
    return top_up(store, "acme", parse_amount(amount), key=key, kind=kind, at=NOW)


def owe(store: Store, amount: str) -> None:
    """Make acme's cash fall below zero: what was paid went back twice, by us and by the bank."""
    pay(store, amount, "owe-paid")
    pay(store, amount, "owe-refund", "refund")
    pay(store, amount, "owe-chargeback", "chargeback")


# kind, amount, then what acme has: cash, vouchers, charged, available
STEPS = """
cash        100.00   100.00   0.00   0.00   100.00
voucher      20.00   100.00  20.00   0.00   120.00
refund       30.00    70.00  20.00   0.00    90.00
chargeback  100.00   -30.00  20.00   0.00   -10.00
write-off     9.50   -20.50  20.00   0.00    -0.50
write-off     0.0000000001  -20.4999999999  20.00  0.00  -0.4999999999
"""


def test_each_kind_moves_the_balance_its_own_way(store: Store) -> None:
    with store:
        for number, line in enumerate(STEPS.strip().splitlines()):
            kind, amount, *figures = line.split()
            pay(store, amount, f"key-{number}", kind)  # type: ignore[arg-type]
            have = transfers.balance(store.connection, "acme")
            shown = (have.cash, have.vouchers, have.charged, have.available)
            assert shown == tuple(map(parse_amount, figures)), line
        assert invariants.run(store.connection) == []


def test_g18_the_same_payment_twice_is_one_entry(store: Store) -> None:
    with store:
        assert pay(store, "12.50", "evt_1").new
        before = store.journal.last_no, transfers.ledger_hash(store.connection)
        again = pay(store, "12.50", "evt_1")
        assert not again.new
        assert (store.journal.last_no, transfers.ledger_hash(store.connection)) == before


def test_g18_l4_the_same_id_with_other_content_is_a_named_conflict(store: Store) -> None:
    with store:
        pay(store, "12.50", "evt_1")
        before = transfers.ledger_hash(store.connection)
        for amount, kind, said in (
            ("12.51", "cash", "12.50, not 12.51"),
            ("12.50", "voucher", "debit_account"),
            ("12.50", "refund", "debit_account"),
        ):
            with pytest.raises(ConflictError, match=said):
                pay(store, amount, "evt_1", kind)  # type: ignore[arg-type]
        with pytest.raises(ConflictError, match="customer:acme:funds"):
            top_up(store, "beta", parse_amount("12.50"), key="evt_1", at=NOW)
        assert transfers.ledger_hash(store.connection) == before


def test_g18_a_store_made_before_charges_were_files_still_knows_each_payment(store: Store) -> None:
    with store:
        pay(store, "12.50", "evt_1")
        store.connection.execute("DROP TABLE plan_state")
        store.connection.execute("DELETE FROM store_layout")
    with open_store(store.home, owner="test", now=NOW) as again:
        assert not pay(again, "12.50", "evt_1").new
        with pytest.raises(ConflictError, match=r"12\.50, not 12\.51"):
            pay(again, "12.51", "evt_1")


def test_l4_a_transfer_under_the_id_of_a_charge_is_a_named_conflict(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    close_hour(home, START, [Use()])
    rate(home)
    with open_store(home, owner="test", now=NOW) as store:
        taken = store.connection.execute("SELECT min(charge_id) FROM charges").fetchall()[0][0]
        before = transfers.ledger_hash(store.connection)
        wrong = top_up_transfer("cash", "acme", SCALE, currency="USD", key=taken, at=NOW)
        with pytest.raises(ConflictError, match=taken):
            store.commit("transfers", {"transfers": [as_effect(wrong)]}, at=NOW)
        assert transfers.ledger_hash(store.connection) == before


def test_g19_a_chargeback_is_a_new_entry_and_history_stays(store: Store) -> None:
    with store:
        pay(store, "40.00", "evt_1")
        pay(store, "40.00", "cb_1", "chargeback")
        rows = store.connection.execute(
            "SELECT transfer_id, debit_account, credit_account, amount FROM transfers ORDER BY 1"
        ).fetchall()
        assert rows == [
            ("cb_1", "customer:acme:funds", "cash:USD", 40 * SCALE),
            ("evt_1", "cash:USD", "customer:acme:funds", 40 * SCALE),
        ]
        assert transfers.balance(store.connection, "acme").cash == 0


def test_g23_an_accounts_money_has_one_currency(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    euro = '[[accounts]]\nid = "euro"\nname = "E"\ncurrency = "EUR"\nprice_book = "plain"\n'
    load_text(home, euro)
    with open_store(home, owner="test", now=NOW) as store:
        top_up(store, "euro", SCALE, key="eur-1", at=NOW)
        assert transfers.balance(store.connection, "euro").currency == "EUR"
        wrong = top_up_transfer("cash", "euro", SCALE, currency="USD", key="usd", at=NOW)
        with pytest.raises(EdgetollError, match="currency is not that of its account"):
            store.commit("transfers", {"transfers": [as_effect(wrong)]}, at=NOW)
        accounts = store.connection.execute("SELECT DISTINCT debit_account FROM transfers")
        assert accounts.fetchall() == [("cash:EUR",)]
    with pytest.raises(ConflictError, match="currency EUR and not USD"):
        load_text(home, euro.replace("EUR", "USD") + "effective_from = 2026-10-05T00:00:00Z\n")


@pytest.mark.parametrize("amount", [0, -1, 2**96, 2**127, -(2**63)])
def test_g26_an_amount_out_of_range_raises_and_nothing_is_written(
    store: Store, amount: int
) -> None:
    with store:
        before = store.journal.last_no
        with pytest.raises((InputError, OverflowError)):
            top_up(store, "acme", amount, key="evt_1", at=NOW)
        assert store.journal.last_no == before
        assert store.connection.execute("FROM transfers").fetchall() == []


def test_g26_sums_of_the_largest_amounts_stay_exact(store: Store) -> None:
    with store:
        largest, big = floor_to_minor(AMOUNT_MAX, "USD"), floor_to_minor(2**63 - 1, "USD")
        for number in range(3):
            top_up(store, "acme", largest, key=f"evt_{number}", at=NOW)
        top_up(store, "acme", big, key="evt_big", at=NOW)
        assert transfers.balance(store.connection, "acme").cash == 3 * largest + big
        assert invariants.run(store.connection) == []


IN_CURRENCY = """
[[accounts]]
id = "{currency}"
name = "Pays in {currency}"
currency = "{currency}"
price_book = "plain"
timezone = "UTC"
"""


@pytest.mark.parametrize(
    ("currency", "refused", "taken"),
    [
        ("JPY", "100.5", "100"), ("USD", "0.001", "0.01"), ("USD", "1.005", "1.00"),
        ("KWD", "0.0005", "0.001"), ("CLF", "0.00001", "0.0001"), ("KRW", "0.9999999999", "1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["cash", "voucher", "refund", "chargeback"])
def test_g6_nobody_pays_less_than_the_smallest_unit(
    tmp_path: Path, currency: str, refused: str, taken: str, kind: TopUpKind
) -> None:
    home = make_home(tmp_path)
    load_text(home, IN_CURRENCY.format(currency=currency))
    with open_store(home, owner="test", now=NOW) as store:
        top_up(store, currency, parse_amount("200"), key="before", at=NOW)
        last = store.journal.last_no
        with pytest.raises(InputError, match="the smallest amount of"):
            top_up(store, currency, parse_amount(refused), key="k", kind=kind, at=NOW)
        assert store.journal.last_no == last
        assert top_up(store, currency, parse_amount(taken), key="k", kind=kind, at=NOW).new


def test_g6_a_debt_may_be_given_up_exactly(store: Store) -> None:
    with store:
        owe(store, "5.00")
        assert pay(store, "4.9999999999", "k", "write-off").new
        assert pay(store, "0.0000000001", "l", "write-off").new


# What acme owes beside its voucher, and what is more than that.
@pytest.mark.parametrize(
    ("debt", "voucher", "too_much"),
    [("9.00", "", "100.00"), ("9.00", "", "9.0000000001"), ("9.00", "8.50", "0.51"),
     ("9.00", "9.00", "0.01"), ("", "", "0.01"), ("", "5.00", "1.00")],
)  # fmt: skip
def test_g6_nobody_gets_more_given_up_than_they_owe(
    store: Store, debt: str, voucher: str, too_much: str
) -> None:
    with store:
        if debt:
            owe(store, debt)
        if voucher:
            pay(store, voucher, "gift", "voucher")
        before = store.journal.last_no
        with pytest.raises(InputError, match=r"is more than acme owes, \d"):
            pay(store, too_much, "wo", "write-off")
        assert store.journal.last_no == before


def test_g18_a_debt_given_up_twice_under_one_id_is_given_up_once(store: Store) -> None:
    with store:
        owe(store, "9.00")
        assert pay(store, "9.00", "wo", "write-off").new
        assert not pay(store, "9.00", "wo", "write-off").new
        assert transfers.balance(store.connection, "acme").available == 0


def test_g6_an_id_that_could_be_taken_for_another_posts_nothing(store: Store) -> None:
    with store:
        for key in ("pay-1\u200b", " pay-1", "p\u0430y-1", "pay\x1b[2K", "pa\u0301y"):
            with pytest.raises(InputError, match="could be taken for another"):
                pay(store, "1.00", key)
        assert store.journal.last_no == 1


def test_g25_a_float_amount_is_refused(store: Store) -> None:
    with store, pytest.raises(TypeError):
        top_up(store, "acme", 1.5, key="evt_1", at=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb", "\x00"])
def test_d18_a_payment_id_is_short_printable_text(store: Store, key: str) -> None:
    with store, pytest.raises(InputError, match="--id"):
        pay(store, "1.00", key)


def test_d18_sql_in_an_id_is_text(store: Store) -> None:
    with store:
        pay(store, "1.00", "'; DROP TABLE transfers; --")
        assert store.connection.execute("SELECT count(*) FROM transfers").fetchall() == [(1,)]


def test_an_unknown_account_or_kind_is_named(store: Store) -> None:
    with store:
        with pytest.raises(InputError, match="no account 'nobody'"):
            top_up(store, "nobody", SCALE, key="k", at=NOW)
        with pytest.raises(InputError, match="no kind 'gift'"):
            pay(store, "1.00", "k", "gift")  # type: ignore[arg-type]


def test_a_refund_cannot_exceed_what_was_paid_and_not_used(store: Store) -> None:
    with store:
        pay(store, "10.00", "evt_1")
        with pytest.raises(InputError, match=r"more than the unused cash of acme, 10\.00 USD"):
            pay(store, "10.01", "ref_1", "refund")
        assert pay(store, "10.00", "ref_1", "refund").new


def test_a_debt_given_up_cannot_be_refunded_as_cash(store: Store) -> None:
    with store:
        owe(store, "50.00")
        pay(store, "50.00", "wo_1", "write-off")
        pay(store, "10.00", "evt_1")
        with pytest.raises(InputError, match=r"more than the unused cash of acme, 0\.00 USD"):
            pay(store, "10.00", "ref_1", "refund")


def test_g19_a_bank_takes_back_at_most_what_was_paid_also_after_a_refund(store: Store) -> None:
    with store:
        pay(store, "11.50", "evt_1")
        pay(store, "500.00", "gift", "voucher")
        pay(store, "5.00", "ref_1", "refund")
        with pytest.raises(
            InputError, match=r"the payments not yet taken back of acme, 11\.50 USD"
        ):
            pay(store, "500.00", "cb_1", "chargeback")
        assert pay(store, "11.00", "cb_1", "chargeback").new
        assert not pay(store, "11.00", "cb_1", "chargeback").new
        with pytest.raises(InputError, match=r"acme, 0\.50 USD"):
            pay(store, "0.51", "cb_2", "chargeback")
        assert pay(store, "0.50", "cb_2", "chargeback").new


def test_g22_the_credit_limit_is_versioned_and_takes_effect_on_its_day(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    later = (
        '[[accounts]]\nid = "acme"\nname = "Acme"\ncurrency = "USD"\nprice_book = "plain"\n'
        'credit_limit = "500.00"\neffective_from = 2026-10-10T00:00:00Z\n'
    )
    load_text(home, later, at=START)
    with open_store(home, owner="test", now=START) as store:
        assert transfers.balance(store.connection, "acme").credit_limit == 0
    with open_store(home, owner="test", now=NOW) as store:
        from billing.runs.run import bring_terms_up

        bring_terms_up(store, NOW)
        assert transfers.balance(store.connection, "acme").credit_limit == 500 * SCALE
        number = store.journal.last_no
        bring_terms_up(store, NOW)
        assert store.journal.last_no == number


def test_g22_a_lowered_credit_limit_is_judged_in_the_record_that_lowers_it(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    terms = (
        '[[accounts]]\nid = "acme"\nname = "Acme"\ncurrency = "USD"\nprice_book = "plain"\n'
        'credit_limit = "{}"\neffective_from = {}\n'
    )
    load_text(home, terms.format("5.00", "2026-10-01T00:00:00Z"), at=START)
    with open_store(home, owner="test", now=START) as store:
        pay(store, "3.00", "p1")
        pay(store, "3.00", "r1", "refund")
        pay(store, "3.00", "b1", "chargeback")
        assert transfers.balance(store.connection, "acme").available == 2 * SCALE
    done = load_text(home, terms.format("1.00", "2026-10-15T00:00:00Z"), at=NOW)
    with open_store(home, owner="test", now=NOW) as store:
        assert transfers.balance(store.connection, "acme").available == -2 * SCALE
        query = "SELECT state, journal_no FROM account_state WHERE account_id = 'acme'"
        assert store.connection.execute(query).fetchall() == [("overdue", done.journal_no)]
        events = store.connection.execute("SELECT kind, journal_no FROM outbox").fetchall()
        assert events == [("account.overdue", done.journal_no)]


moves = st.lists(
    st.tuples(
        st.sampled_from(["acme", "beta"]),
        st.sampled_from(["cash", "voucher", "chargeback", "write-off"]),
        st.integers(1, 10**7).map(lambda cents: cents * 10**8),
        st.integers(0, 5),
    ),
    max_size=12,
)


@settings(max_examples=EXAMPLES)
@given(moves, st.randoms(use_true_random=False))
def test_g17_l5_any_order_and_any_repetition_ends_in_the_same_balances(
    tmp_path_factory: pytest.TempPathFactory,
    events: list[tuple[str, TopUpKind, int, int]],
    random: object,
) -> None:
    """The oracle is a dictionary of events by id; the first content of an id counts."""
    by_id: dict[str, tuple[str, TopUpKind, int]] = {}
    for account, kind, amount, key in events:
        by_id.setdefault(f"k{key}", (account, kind, amount))
    # Paid twice, paid back, and taken back once: a debt that write-offs cannot exceed, and payments
    # that chargebacks may take back.
    covered = 10**16
    before: list[tuple[TopUpKind, int]] = [("cash", 2), ("refund", 2), ("chargeback", 1)]
    wanted = {"acme": [-covered, 0], "beta": [-covered, 0]}
    for account, kind, amount in by_id.values():
        place = 1 if kind == "voucher" else 0
        wanted[account][place] += -amount if kind == "chargeback" else amount
    order = [*by_id, *by_id]
    random.shuffle(order)  # type: ignore[attr-defined]
    home = make_home(tmp_path_factory.mktemp("ledger"))
    with open_store(home, owner="test", now=NOW) as store:
        for account in wanted:
            for kind, times in before:
                key = f"{kind}-{account}"
                top_up(store, account, times * covered, key=key, kind=kind, at=NOW)
        for key in order:
            account, kind, amount = by_id[key]
            top_up(store, account, amount, key=key, kind=kind, at=NOW)
        for account, (cash, vouchers) in wanted.items():
            have = transfers.balance(store.connection, account)
            assert (have.cash, have.vouchers, have.charged) == (cash, vouchers, 0)
        assert store.connection.execute("SELECT count(*) FROM transfers").fetchall() == [
            (len(by_id) + 6,)
        ]
        assert invariants.run(store.connection) == []
