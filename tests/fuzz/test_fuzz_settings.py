"""Goal: no settings, however wrong, end in a traceback, in silence, or in the words of a library.

Method: files of anything, and well-formed sections of which some keys hold anything that TOML can
hold, are misspelt or gone; the same values from the environment. What is accepted holds no key that
is not known. Hypothesis prints the seed; EDGETOLL_FUZZ_EXAMPLES says how many are tried.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import BaseModel

from billing.invoices.settings import InvoiceSettings
from billing.settings import BillingSection, check_settings
from edge.agent.settings import EdgeSettings
from edge.agent.settings import load as load_edge
from edge.configfile import section
from edge.errors import EdgetollError
from metering.settings import MeteringSettings
from metering.settings import load as load_metering
from tests.fuzz.test_price_books import FUZZ, INSIDE, anything, toml

SECTIONS: dict[str, tuple[type[BaseModel], Callable[[Path], object]]] = {
    "edge": (EdgeSettings, load_edge),
    "metering": (MeteringSettings, load_metering),
    "billing": (BillingSection, check_settings),
    "invoices": (InvoiceSettings, check_settings),
}
GOOD: dict[str, list[object]] = {
    "listen": ["127.0.0.1:9464", "h:70000"], "breaker_caps": [{"USD": "5.00"}, {"usd": "5"}],
    "breaker_floor": ["1.00", "-1", "x"], "url": ["https://a.example/x", "http://10.0.0.1/"],
    "key_files": [["k"], []], "name": ["crm", "UPPER"], "host": ["smtp.example"],
    "sender": ["a@b.example", "x"], "edge": ["e1"], "since": ["2026-10-01", "x"],
    "path": ["a.log"], "timezone": ["UTC", "Mars/Base"], "formats": [["json"], ["exe"]],
    "prefix": ["INV", "inv"], "too_old_days": [1, 0, 10**30], "memory_limit": ["1GB", "lots"],
}  # fmt: skip


def keys_of(model: type[BaseModel], within: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every key of a section, those of its tables and lists of tables too."""
    for name, field in model.model_fields.items():
        yield (*within, name)
        parts = [field.annotation, *getattr(field.annotation, "__args__", ())]
        for part in parts:
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from keys_of(part, (*within, name))


KEYS = {name: sorted(keys_of(model)) for name, (model, _read) in SECTIONS.items()}


@st.composite
def sections(draw: st.DrawFn) -> tuple[str, dict[str, object]]:
    """A section of which a few keys, at any depth, hold anything or are misspelt."""
    name = draw(st.sampled_from(sorted(SECTIONS)))
    content: dict[str, object] = {}
    for _ in range(draw(st.integers(1, 4))):
        *folders, last = draw(st.sampled_from(KEYS[name]))
        place = content
        for folder in folders:
            inner = place.setdefault(folder, {})
            if isinstance(inner, list) and inner:
                inner = inner[0]
            if not isinstance(inner, dict):
                break
            place = inner
        last = draw(st.sampled_from([last, last, f"{last}s", last[:-1] or "x", last.upper()]))
        good = GOOD.get(last)
        place[last] = draw(st.sampled_from(good) if good else anything)
    if draw(st.booleans()):
        lists = {"webhooks", "logs", "expected_edges"}
        content = {k: [v] if k in lists and isinstance(v, dict) else v for k, v in content.items()}
    return name, content


def unknown(content: object, known: set[tuple[str, ...]], within: tuple[str, ...] = ()) -> bool:
    """Whether a key stands in `content` that its section does not have."""
    if isinstance(content, list):
        return any(unknown(one, known, within) for one in content)
    if not isinstance(content, Mapping) or within[-1:] == ("breaker_caps",):
        return False
    return any(
        (*within, key) not in known or unknown(value, known, (*within, key))
        for key, value in content.items()
    )


def refusal(read: Callable[[Path], object], home: Path) -> str | None:
    """What a section's reader says; None when it takes the settings."""
    refused: EdgetollError | None = None
    try:
        read(home)
    except EdgetollError as error:
        refused = error
    if refused is None:
        return None
    text = str(refused)
    assert refused.hint
    assert text.isprintable(), text
    assert not [word for word in INSIDE if word in text], text
    return text


@FUZZ
@given(made=sections())
@example(made=("billing", {"breaker_cap": {"USD": "1"}}))
@example(made=("billing", {"daemon": 3}))
@example(made=("billing", {"delivery": {"webhooks": [{"name": "a", "acounts": []}]}}))
def test_wrong_settings_are_refused_with_file_and_key_and_unknown_keys_always(
    tmp_path: Path, made: tuple[str, dict[str, object]]
) -> None:
    name, content = made
    text = f"{name} = {toml(content)}\n"
    (tmp_path / "edgetoll.toml").write_text(text, encoding="utf-8")
    answer = refusal(SECTIONS[name][1], tmp_path)
    try:
        parsed = tomllib.loads(text)[name]
    except tomllib.TOMLDecodeError:
        assert answer is not None
        return
    if answer is None:
        assert not unknown(parsed, set(KEYS[name])), "a key that nobody reads was taken"
    else:
        assert "edgetoll.toml" in answer


@FUZZ
@given(data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(
    lambda text: text.encode("utf-8", "surrogatepass"))))  # fmt: skip
@example(data=b"a = " + b"[" * 5000)
@example(data=b"billing = " + b"9" * 5000)
@example(data="[billing]\n".encode("utf-16"))
@example(data=b"[[billing]]\nx = 1")
@example(data=b"[billing]\n[billing]\n")
@pytest.mark.parametrize("name", sorted(SECTIONS))
def test_a_settings_file_of_anything_is_refused_by_name(
    tmp_path: Path, name: str, data: bytes
) -> None:
    (tmp_path / "edgetoll.toml").write_bytes(data)
    answer = refusal(SECTIONS[name][1], tmp_path)
    assert answer is None or "edgetoll.toml" in answer


@FUZZ
@given(place=st.sampled_from([(n, k) for n in sorted(KEYS) for k in KEYS[n]]), value=anything)
def test_a_wrong_value_from_the_environment_is_refused_by_its_variable_or_key(
    tmp_path: Path, place: tuple[str, tuple[str, ...]], value: object
) -> None:
    name, keys = place
    (tmp_path / "edgetoll.toml").write_text("[billing]\n", encoding="utf-8")
    variable = "__".join((f"EDGETOLL_{name.upper()}", *keys)).upper()
    raw = value if isinstance(value, str) else json.dumps(value, default=str)
    model = SECTIONS[name][0]
    answer = refusal(lambda home: section(home, name, model, {variable: raw}), tmp_path)
    assert answer is None or "EDGETOLL_" in answer or f"key {name}" in answer, answer
