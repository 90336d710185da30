"""`edgetoll billing load payments.csv`: payments and vouchers in bulk, posted once per id.

A file is taken whole or not at all: what was posted before is skipped, and each row that may not be
posted is named. A CSV file has the columns id, account, amount and, where needed, kind and
currency; JSON lines have the same keys. Amounts are text, in the account's currency. The rules for
one payment are those of `billing.ledger.top_up`.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path

import sql
from billing.ledger.records import PostedTransfer, TopUpKind, Transfer
from billing.ledger.top_up import refuse_less_than_minor, refuse_other_content, top_up_transfer
from billing.money import parse_amount
from billing.readable import check_id
from billing.store import given
from billing.store.given import COUNT, HUGE, TEXT, Schema
from billing.store.store import Store
from edge.errors import EdgetollError, InputError
from edge.terminal import many

JSON_LINES = (".jsonl", ".ndjson")
NEEDED = ("id", "account", "amount")
COLUMNS = (*NEEDED, "kind", "currency")
KINDS: tuple[TopUpKind, ...] = ("cash", "voucher")
"""What comes in. Money that goes out is looked at one by one: `billing top-up`."""
_GIVEN: Schema = [("row_no", COUNT), ("id", TEXT), ("account_id", TEXT)]
_TRANSFERS: Schema = [
    ("transfer_id", TEXT), ("debit_account", TEXT), ("credit_account", TEXT), ("amount", HUGE),
    ("currency", TEXT), ("code", TEXT), ("account_id", TEXT), ("effective_at", TEXT),
    ("reference", TEXT),
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """A row of a file of payments; `amount` in 10^-10 units, `currency` "" where it names none."""

    line: int
    key: str
    account_id: str
    amount: int
    kind: TopUpKind
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RefusedPayment:
    """A row that may not be posted, and why."""

    line: int
    problem: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentsOutcome:
    """How many payments were new, how many posted before; what the new ones sum to per currency."""

    new: int = 0
    known: int = 0
    totals: Mapping[str, int] = field(default_factory=dict)
    accounts: frozenset[str] = frozenset()
    journal_no: int | None = None


class RefusedPayments(InputError):
    """Rows of a file that may not be posted: nothing of the file is."""

    def __init__(self, path: Path, refused: Sequence[RefusedPayment], rows: int) -> None:
        super().__init__(
            f"{path}: {len(refused):,} of {many(rows, 'payment')}"
            f" {'is' if len(refused) == 1 else 'are'} refused, so none was posted;"
            f" the first is line {refused[0].line}: {refused[0].problem}",
            "correct these lines and load the file again: what was posted before is skipped",
        )
        self.refused = tuple(refused)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """What the store knows of a row: the account's currency, and what its id was posted with."""

    account_currency: str | None
    debit_account: str | None
    credit_account: str | None
    amount: int | None
    currency: str | None
    code: str | None
    account_id: str | None
    journal_no: int | None

    @property
    def before(self) -> PostedTransfer | None:
        """What was posted under the row's id."""
        if self.journal_no is None:
            return None
        fields = asdict(self)
        del fields["account_currency"]
        return PostedTransfer(**fields)


def is_payments(path: Path) -> bool:
    """Whether `path` holds payments: JSON lines do, and CSV with a column `amount`."""
    if path.suffix.lower() in JSON_LINES:
        return True
    if path.suffix.lower() != ".csv":
        return False
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            return "amount" in next(csv.reader(file), ())
    except (OSError, UnicodeDecodeError, csv.Error):
        return False  # whoever reads it as another kind says why it cannot be read


def load_payments(store: Store, path: Path, *, at: datetime) -> PaymentsOutcome:
    """Post what is new in `path`, in one journal record, with the states that the money clears.

    Raises RefusedPayments naming each row that may not be posted, InputError for a file that is
    none.
    """
    payments: list[Payment] = []
    refused: list[RefusedPayment] = []
    for line, row in _rows(path):
        try:
            payments.append(_payment(line, row))
        except EdgetollError as error:
            refused.append(RefusedPayment(line=line, problem=error.message))
    rows = len(payments) + len(refused)
    if not rows:
        raise InputError(f"{path} has no rows", "a blank file is never taken for «nothing»")
    new: dict[str, Transfer] = {}
    for payment, known in zip(payments, _known(store, payments), strict=True):
        try:
            transfer = _transfer(payment, known, new.get(payment.key), at)
        except EdgetollError as error:
            refused.append(RefusedPayment(line=payment.line, problem=error.message))
        else:
            if transfer is not None:
                new[payment.key] = transfer
    if refused:
        raise RefusedPayments(path, sorted(refused, key=lambda one: one.line), rows)
    return _posted(store, list(new.values()), rows, at)


def _posted(store: Store, new: list[Transfer], rows: int, at: datetime) -> PaymentsOutcome:
    if not new:
        return PaymentsOutcome(known=rows)
    from billing.balance.states import funding_effects

    moved: dict[str, int] = {}
    totals: dict[str, int] = {}
    for one in new:
        moved[one.account_id] = moved.get(one.account_id, 0) + one.amount
        totals[one.currency] = totals.get(one.currency, 0) + one.amount
    effects = {"payments": given.table_of(new, _TRANSFERS), **funding_effects(store, moved, now=at)}
    number = store.commit("payments", effects, at=at)
    return PaymentsOutcome(
        new=len(new), known=rows - len(new), totals=totals, accounts=frozenset(moved),
        journal_no=number,
    )  # fmt: skip


def _rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """The rows of a file with their lines; InputError where it cannot be read as payments."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() in JSON_LINES:
                for line, text in enumerate(file, start=1):
                    if text.strip():
                        yield line, _object(text)
                return
            reader = csv.DictReader(file, strict=True)
            columns = tuple(reader.fieldnames or ())
            missing = sorted(set(NEEDED) - set(columns))
            unknown = sorted(set(columns) - set(COLUMNS))
            if missing or unknown or len(set(columns)) < len(columns):
                raise InputError(
                    f"{path}, line 1: payments have the columns {', '.join(COLUMNS)}, not"
                    f" {', '.join(columns)!r}",
                    "kind and currency may be left out; each column stands once; credits and"
                    " commitments come as TOML: [[credits]], [[commitments]]",
                )
            for row in reader:
                yield reader.line_num, row
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path} cannot be read: {error}", "save it as UTF-8") from error


def _object(text: str) -> Mapping[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"": text}


def _payment(line: int, row: Mapping[str, object]) -> Payment:
    """A row, checked by itself."""
    odd = next((name for name in row if name not in COLUMNS), None)
    if odd is not None:
        raise InputError(f"it has {odd!r}, which is none of {', '.join(COLUMNS)}", "leave it out")
    texts = {name: value for name, value in row.items() if value not in ("", None)}
    for name in NEEDED:
        if name not in texts:
            raise InputError(f"it has no {name}", "give it one")
    for name, value in texts.items():
        if not isinstance(value, str):
            raise InputError(f"{name} {value!r} is not text", 'write it in quotes, like "250.00"')
    kind = texts.get("kind", "cash")
    found = next((one for one in KINDS if one == kind), None)
    if found is None:
        raise InputError(f"kind {kind!r} is none of {', '.join(KINDS)}", "post it by itself")
    amount = parse_amount(str(texts["amount"]))
    if amount <= 0:
        raise InputError(f"{texts['amount']} is not positive", "post it with billing top-up")
    return Payment(
        line=line, key=check_id(str(texts["id"]), "id"), account_id=str(texts["account"]),
        amount=amount, kind=found, currency=str(texts.get("currency", "")),
    )  # fmt: skip


def _known(store: Store, payments: Sequence[Payment]) -> list[_Known]:
    """What the store knows of each row, in the order of the rows."""
    rows = [(number, one.key, one.account_id) for number, one in enumerate(payments)]
    given.register(store.connection, "given_payments", _GIVEN, rows)
    try:
        found = store.connection.execute(sql.text("statements/ledger/payments/known"))
        return sql.rows(found, _Known)
    finally:
        store.connection.unregister("given_payments")


def _transfer(
    payment: Payment, known: _Known, twin: Transfer | None, at: datetime
) -> Transfer | None:
    """What `payment` posts; None: it was posted before, or stands in the file before as `twin`."""
    if known.account_currency is None:
        raise InputError(f"there is no account {payment.account_id!r}", "load it first")
    if payment.currency not in ("", known.account_currency):
        raise InputError(
            f"{payment.account_id} is billed in {known.account_currency}, not {payment.currency!r}",
            "pay in its currency",
        )
    transfer = top_up_transfer(
        payment.kind, payment.account_id, payment.amount, currency=known.account_currency,
        key=payment.key, at=at,
    )  # fmt: skip
    if known.before is not None:
        refuse_other_content(transfer, known.before)
        return None
    if twin is not None:
        if twin != transfer:
            raise InputError(f"id {payment.key!r} stands twice with other content", "correct it")
        return None
    refuse_less_than_minor(payment.kind, payment.amount, known.account_currency)
    return transfer
