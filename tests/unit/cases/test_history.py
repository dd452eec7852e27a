"""Forging the links of a chain, without a database."""

from datetime import UTC, date, datetime

import pytest

from grm.cases import history
from grm.kernel import chain
from grm.kernel.actor import SYSTEM, complainant

AT = datetime(2026, 1, 4, 4, tzinfo=UTC)
NUMBER = "0000000000000"


def test_links_make_a_chain_that_verifies() -> None:
    first = history.first_event(NUMBER, "filed", AT, complainant(NUMBER), {"office_id": 7, "due_on": date(2026, 2, 18)})
    second = history.link(first.tip, NUMBER, "noted", AT, SYSTEM, {"version": 2}, {"note": "গোপন"})
    rows = [
        chain.ChainRow(
            history.record_of(NUMBER, v["seq"], v["kind"], v["at"], v["actor_kind"], v["actor_id"], v["data"]),
            v["previous_hash"],
            v["hash"],
        )
        for v in (first.values, second.values)
    ]
    assert chain.first_bad(rows, second.tip.head) is None
    assert second.tip.length == 2
    assert chain.first_bad(rows[:1], second.tip.head) == chain.ChainFault(1, "tail")
    assert chain.first_bad(rows[::-1]) == chain.ChainFault(0, "previous")


def test_a_text_is_beside_the_chain_and_committed_to() -> None:
    new = history.first_event(NUMBER, "filed", AT, SYSTEM, {}, {"note": "গোপন", "reason": ""})
    (row,) = new.texts
    assert (row["field"], row["body"]) == ("note", "গোপন")
    assert "গোপন" not in repr(new.values)
    assert new.values["data"]["texts"] == {"note": chain.commitment(row["salt"], "গোপন")}


def test_an_unknown_kind_is_a_mistake_of_the_program() -> None:
    with pytest.raises(ValueError, match="no kind of case event"):
        history.first_event(NUMBER, "vanished", AT, SYSTEM, {})


def test_the_complainant_sees_no_note_and_no_name() -> None:
    assert not history.PUBLIC_KINDS & {"noted", "assigned", "warned"}
    assert not history.is_public_text("noted", "note")
    assert not history.is_public_text("resolved", "root_cause")
    assert not history.is_public_text("resolved", "reason")
    assert not history.is_public_text("referred", "reason")
    assert history.is_public_text("resolved", "reply")
    assert history.is_public_text("withdrawn", "reason")
