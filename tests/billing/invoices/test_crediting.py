"""Void and credit notes: what was issued stays, what takes it back is a document of its own."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from billing.invoices.figures import exact, minor
from edge.errors import ConflictError, InputError
from tests.billing.homes import Use
from tests.billing.invoices.world import DECEMBER, ISSUE, issued, october

ACME = "INV-USD-2026-000001"
BALANCES = "SELECT account_id, cash, vouchers, charged FROM balances ORDER BY account_id"


def test_g15_void_keeps_number_and_document_and_adds_a_mirroring_credit_note(
    tmp_path: Path,
) -> None:
    world = issued(tmp_path)
    original = world.documents("2026-10")[0]
    done = world.void(ACME, ISSUE + timedelta(days=1))
    documents = {one.invoice_no: one for one in world.documents("2026-10")}
    assert documents[ACME] == original
    note = documents[done.credit_note]
    assert (note.kind, note.corrects, done.credit_note) == (
        "credit_note",
        ACME,
        "CRN-USD-2026-000001",
    )
    assert [-one.amount for one in note.lines] == [one.amount for one in original.lines]
    assert (note.total, note.tax, note.cut) == (-original.total, -original.tax, -original.cut)


def test_g15_void_reverses_tax_and_cut_and_leaves_the_charges(tmp_path: Path) -> None:
    world = october(tmp_path)
    before = world.query(BALANCES)
    world.invoice("2026-10", ISSUE)
    assert world.query(BALANCES) != before
    world.void(ACME, ISSUE + timedelta(days=1))
    acme = [row for row in world.query(BALANCES) if row[0] == "acme"]
    assert acme == [row for row in before if row[0] == "acme"]


def test_void_again_changes_nothing_and_names_the_same_credit_note(tmp_path: Path) -> None:
    world = issued(tmp_path)
    first = world.void(ACME, ISSUE + timedelta(days=1))
    again = world.void(ACME, ISSUE + timedelta(days=2))
    assert (again.credit_note, first.new, again.new) == (first.credit_note, True, False)
    with pytest.raises(ConflictError, match="reason 'Void: wrong address', not 'Void: paid twice'"):
        world.void(ACME, ISSUE + timedelta(days=2), "paid twice")


def test_a_void_month_is_issued_anew_only_when_asked_and_names_what_it_replaces(
    tmp_path: Path,
) -> None:
    world = issued(tmp_path)
    world.void(ACME, ISSUE + timedelta(days=1))
    assert world.invoice("2026-10", ISSUE + timedelta(days=2)).invoices == 0
    assert world.invoice("2026-10", ISSUE + timedelta(days=2), reissue=True).invoices == 1
    again = next(
        one for one in world.documents("2026-10") if one.corrects == ACME and one.total > 0
    )
    assert again.invoice_no == "INV-USD-2026-000003"
    assert again.reason == f"Replaces the void invoice {ACME}"
    assert minor(again.total, 2) == "10.00"


def test_a_reissue_leaves_out_what_a_later_invoice_already_corrected(tmp_path: Path) -> None:
    world = issued(tmp_path)
    late_hour = datetime(2026, 10, 5, 13, tzinfo=UTC)
    world.use(late_hour, Use(requests=50_000, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(hours=1))
    world.void(ACME, DECEMBER + timedelta(hours=2))
    world.invoice("2026-10", DECEMBER + timedelta(hours=3), reissue=True)
    again = next(
        one for one in world.documents("2026-10") if one.corrects == ACME and one.total > 0
    )
    assert again.lines[0].quantity == 1_002_345


def test_a_void_correction_is_carried_again_by_the_reissued_invoice(tmp_path: Path) -> None:
    world = issued(tmp_path)
    late_hour = datetime(2026, 10, 5, 13, tzinfo=UTC)
    world.use(late_hour, Use(requests=50_000, bytes_sent=0), through=DECEMBER)
    world.rate(DECEMBER)
    world.invoice("2026-11", DECEMBER + timedelta(hours=1))
    november = world.documents("2026-11")[0]
    world.void(november.invoice_no, DECEMBER + timedelta(hours=2))
    world.invoice("2026-11", DECEMBER + timedelta(hours=3), reissue=True)
    standing = [one for one in world.documents("2026-11") if one.corrects == november.invoice_no]
    again = next(one for one in standing if one.kind == "invoice")
    assert [(one.kind, one.quantity) for one in again.lines] == [("correction", 50_000)]


def test_a_credit_note_gives_back_net_and_tax(tmp_path: Path) -> None:
    world = issued(tmp_path)
    (before,) = [row[3] for row in world.query(BALANCES) if row[0] == "acme"]
    done = world.credit(ACME, 4, "1.00", "T-17", ISSUE + timedelta(days=1))
    note = next(one for one in world.documents("2026-10") if one.invoice_no == done.credit_note)
    assert (minor(note.net, 2), minor(note.tax, 2), minor(note.total, 2)) == (
        "-1.00",
        "-0.19",
        "-1.19",
    )
    assert [(one.item, one.corrects_invoice) for one in note.lines] == [("data_transfer", ACME)]
    (after,) = [row[3] for row in world.query(BALANCES) if row[0] == "acme"]
    assert exact(before - after) == "1.19"


def test_a_credit_repeated_under_its_id_credits_once_and_another_amount_conflicts(
    tmp_path: Path,
) -> None:
    world = issued(tmp_path)
    first = world.credit(ACME, 4, "1.00", "T-17", ISSUE + timedelta(days=1))
    again = world.credit(ACME, 4, "1.00", "T-17", ISSUE + timedelta(days=2))
    assert (again.credit_note, again.new) == (first.credit_note, False)
    with pytest.raises(ConflictError, match="T-17"):
        world.credit(ACME, 4, "2.00", "T-17", ISSUE + timedelta(days=2))
    with pytest.raises(ConflictError, match=r"T-17.*on line 4 of"):
        world.credit(ACME, 1, "1.00", "T-17", ISSUE + timedelta(days=2))
    with pytest.raises(ConflictError, match="with the reason 'goodwill', not 'outage'"):
        world.credit(ACME, 4, "1.00", "T-17", ISSUE + timedelta(days=2), "outage")


def test_credits_never_exceed_the_line_and_carry_its_number(tmp_path: Path) -> None:
    world = issued(tmp_path)
    line = next(one for one in world.documents("2026-10")[0].lines if one.line_no == 4)
    done = world.credit(ACME, 4, "1.00", "T-1", ISSUE + timedelta(days=1))
    note = next(one for one in world.documents("2026-10") if one.invoice_no == done.credit_note)
    assert [one.line_no for one in note.lines] == [4]
    left = minor(line.settled_amount - 10_000_000_000, 2)
    too_much = minor(line.settled_amount - 9_900_000_000, 2)
    with pytest.raises(InputError, match=f"left of line 4 of {ACME}, {left} USD"):
        world.credit(ACME, 4, too_much, "T-2", ISSUE + timedelta(days=1))
    with pytest.raises(InputError, match="has no line 9"):
        world.credit(ACME, 9, "0.01", "T-3", ISSUE + timedelta(days=1))


@pytest.mark.parametrize("amount", ["0.00", "-1.00", "0.001"])
def test_a_credit_is_a_positive_amount_of_whole_cents(tmp_path: Path, amount: str) -> None:
    world = issued(tmp_path)
    with pytest.raises(InputError, match="whole minor units"):
        world.credit(ACME, 1, amount, "T-1", ISSUE)


def test_a_line_that_is_not_there_cannot_be_credited(tmp_path: Path) -> None:
    world = issued(tmp_path)
    with pytest.raises(InputError, match="has no line 9"):
        world.credit(ACME, 9, "0.10", "T-1", ISSUE)


def test_only_invoices_can_be_void(tmp_path: Path) -> None:
    world = issued(tmp_path)
    note = world.void(ACME, ISSUE)
    with pytest.raises(InputError, match="is a credit note"):
        world.void(note.credit_note, ISSUE)
    with pytest.raises(InputError, match="there is no invoice INV-USD-2026-000099"):
        world.void("INV-USD-2026-000099", ISSUE)


def test_an_invoice_credited_in_part_is_not_made_void(tmp_path: Path) -> None:
    world = issued(tmp_path)
    world.credit(ACME, 4, "1.00", "T-1", ISSUE + timedelta(days=1))
    with pytest.raises(ConflictError, match="credited in part by CRN-USD-2026-000001"):
        world.void(ACME, ISSUE + timedelta(days=1))
