"""The hash chain names the first row that was edited, deleted, reordered, inserted or cut off."""

import json
import uuid
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.kernel.chain import GENESIS, ChainFault, ChainRow, canonical_json, commitment, first_bad, plain, row_hash

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet="কখab", max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.text(alphabet="abcd", min_size=1, max_size=3), JSON, max_size=4)


class Colour(Enum):
    RED = "red"


def chain_of(records: list[dict[str, Any]]) -> list[ChainRow]:
    rows: list[ChainRow] = []
    before = GENESIS
    for record in records:
        after = row_hash(before, record)
        rows.append(ChainRow(record, before, after))
        before = after
    return rows


def test_the_canonical_form_is_exact() -> None:
    record = {
        "খ": "যা",
        "at": datetime(2026, 1, 2, 9, 0, tzinfo=timezone(timedelta(hours=6))),
        "on": date(2026, 1, 2),
        "b": b"\x01\xff",
        "n": [1, True, None, Decimal("1.50")],
        "c": Colour.RED,
        "s": {"b", "a"},
    }
    expected = (
        '{"at":"2026-01-02T03:00:00.000000Z","b":"01ff","c":"red","n":[1,true,null,"1.50"],'
        '"on":"2026-01-02","s":["a","b"],"খ":"যা"}'
    )
    assert canonical_json(record) == expected.encode()


def test_a_known_hash_does_not_change_between_releases() -> None:
    """Written down by hand with sha256sum: a change here would break every chain already stored."""
    assert row_hash(b"", {"a": 1}) == row_hash(GENESIS, {"a": 1})
    assert row_hash(b"", {"a": 1}).hex() == "b06a229070741292512e8760f470dd7a4c46ccfdf253df781d88dabe58c1ccb1"


@pytest.mark.parametrize("value", [1.5, float("nan"), object(), datetime(2026, 1, 1), {1: "a"}, [{"a": 0.5}]])
def test_what_has_no_lasting_form_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        canonical_json({"v": value})


@given(RECORDS)
def test_the_form_survives_storage_as_json_and_any_order_of_keys(record: dict[str, Any]) -> None:
    stored = json.loads(json.dumps(plain(record)))
    assert canonical_json(stored) == canonical_json(record)
    assert canonical_json(dict(reversed(record.items()))) == canonical_json(record)


def test_an_identifier_is_stored_as_text() -> None:
    assert plain({"id": uuid.UUID(int=7)}) == {"id": "00000000-0000-0000-0000-000000000007"}


@given(st.lists(RECORDS, max_size=6))
def test_an_untouched_chain_has_no_fault(records: list[dict[str, Any]]) -> None:
    rows = chain_of(records)
    assert first_bad(rows) is None
    assert first_bad(rows, head=rows[-1].stored if rows else GENESIS) is None


@given(st.lists(RECORDS, min_size=2, max_size=6, unique_by=canonical_json), st.data())
def test_every_kind_of_tampering_is_found_at_its_row(records: list[dict[str, Any]], data: st.DataObject) -> None:
    rows = chain_of(records)
    head = rows[-1].stored
    at = data.draw(st.integers(0, len(rows) - 1))
    edited = [*rows[:at], rows[at]._replace(record={**rows[at].record, "new": 1}), *rows[at + 1 :]]
    assert first_bad(edited) == ChainFault(at, "record")
    deleted = rows[:at] + rows[at + 1 :]
    assert first_bad(deleted, head=head) == ChainFault(at, "previous" if at < len(rows) - 1 else "tail")
    if at:
        swapped = [*rows[: at - 1], rows[at], rows[at - 1], *rows[at + 1 :]]
        assert first_bad(swapped) == ChainFault(at - 1, "previous")
    forged = [
        *rows[:at],
        *chain_of([r.record for r in rows[:at]] + [{"forged": 1}] + [r.record for r in rows[at:]])[at:],
    ]
    assert first_bad(forged) is None
    assert first_bad(forged, head=head) == ChainFault(len(rows) + 1, "tail")


def test_a_hash_needs_a_whole_predecessor() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        row_hash(b"short", {})


def test_a_commitment_binds_to_salt_and_text() -> None:
    salt, other = b"s" * 16, b"t" * 16
    assert commitment(salt, "ক") == commitment(salt, "ক")
    assert len({commitment(salt, "ক"), commitment(salt, "খ"), commitment(other, "ক")}) == 3
    with pytest.raises(ValueError, match="16 bytes"):
        commitment(b"", "ক")


def test_instants_are_compared_in_utc() -> None:
    dhaka = datetime(2026, 1, 1, 6, tzinfo=timezone(timedelta(hours=6)))
    assert canonical_json({"at": dhaka}) == canonical_json({"at": datetime(2026, 1, 1, tzinfo=UTC)})
