"""Reading a registry: keys as they are typed, answers strictly, files with every fault named."""

import copy
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from grm.kernel.errors import InvalidInput
from grm.registry.beneficiary import (
    Beneficiary,
    Enrolment,
    Payment,
    Unreadable,
    goes_by,
    parse_beneficiary,
    parse_key,
    to_plain,
)
from grm.registry.csv_file import MOST_FAULTS, Entry, RegistryFaults, read_registry

AS_OF = date(2026, 11, 1)
HEADER = "beneficiary_id,nid,name,programme,enrolled_on,provider,period_from,period_to,taka,state,sent_on,reason"
PAID = "OA-17,1990123456789,রহিমা খাতুন,old-age-allowance,2019-07-01,bkash,2026-01,2026-03,1800,paid,2026-04-02,"
ANSWER: dict[str, Any] = {
    "beneficiary_id": "OA-17",
    "as_of": "2026-11-01",
    "nid": "1990123456789",
    "name": "রহিমা খাতুন",
    "enrolments": [
        {
            "programme": "old-age-allowance",
            "payments": [
                {"period_from": "2026-01", "period_to": "2026-03-01", "taka": 1800, "state": "returned",
                 "reason": "name-mismatch"},
                {"period_from": "2026-04", "period_to": "2026-06", "taka": 1800, "state": "sent"},
            ],
        }
    ],
}  # fmt: skip


@pytest.mark.parametrize("typed", ["oa-17/ab", " OA 17 AB ", "OA১৭AB", "oa_17.ab"])
def test_keys_as_they_are_typed(typed: str) -> None:
    assert parse_key(typed) == "OA17AB"


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "key-missing"), (" \u200b", "key-missing"), ("123", "key-unreadable"), ("রহিমা খাতুন", "key-unreadable"),
     ("1" * 31, "key-unreadable"), ("12345'--", "key-unreadable"), ("123\0456", "key-unreadable")],
)  # fmt: skip
def test_what_is_no_key_is_said(typed: str, code: str) -> None:
    with pytest.raises(InvalidInput, match=code):
        parse_key(typed)


def test_an_answer_is_read_and_written_alike() -> None:
    person = parse_beneficiary(ANSWER)
    assert [each.period_to for each in person.enrolments[0].payments] == [date(2026, 6, 1), date(2026, 3, 1)]
    assert person.enrolments[0].payments[1].reason == "name-mismatch"
    assert parse_beneficiary(to_plain(person)) == person
    assert goes_by(person, "OA17") and goes_by(person, "1990123456789") and not goes_by(person, "OA1")
    assert "রহিমা" not in repr(person) and "1990" not in repr(person)


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """The answer with one value put at a place, or taken away."""
    made = copy.deepcopy(ANSWER)
    place: Any = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return made


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        "OA-17",
        changed("beneficiary_id", to=None),
        changed("beneficiary_id", to=17),
        changed("as_of", to=None),
        changed("as_of", to="01/11/2026"),
        changed("name", to="x" * 301),
        changed("nid", to="1\0"),
        changed("surprise", to="1"),
        changed("enrolments", to={}),
        changed("enrolments", 0, "programme", to=""),
        changed("enrolments", 0, "payments", 0, "taka", to="1800"),
        changed("enrolments", 0, "payments", 0, "taka", to=-1),
        changed("enrolments", 0, "payments", 0, "taka", to=True),
        changed("enrolments", 0, "payments", 0, "state", to="perhaps"),
        changed("enrolments", 0, "payments", 0, "state", to=None),
        changed("enrolments", 0, "payments", 0, "reason", to="because"),
        changed("enrolments", 0, "payments", 0, "period_from", to="2026-13"),
        changed("enrolments", 0, "payments", 0, "period_to", to="2025-12"),
        changed("enrolments", 0, "payments", 0, "sent_on", to="2026-02-30"),
    ],
)
def test_half_an_answer_is_none(answer: Any) -> None:
    with pytest.raises(Unreadable) as error:
        parse_beneficiary(answer)
    assert "1990" not in str(error.value) and "রহিমা" not in str(error.value)


# --- files --------------------------------------------------------------------------------------------------------------


def read(*lines: str, header: str = HEADER) -> list[Entry]:
    def programme_of(text: str) -> str | None:
        return {"old-age-allowance": "old-age-allowance", "VGD": "vwb", "vwb": "vwb"}.get(text)

    return list(read_registry([f"{line}\n" for line in (header, *lines)], AS_OF, programme_of, ["bkash"]))


def test_rows_of_a_beneficiary_become_one_with_all_payments() -> None:
    one, other = read(
        PAID,
        PAID.replace("2026-01,2026-03", "২০২৬-০৪,2026-06").replace("paid,2026-04-02,", "returned,,account-closed"),
        "oa-17x,,,VGD,,,,,,,,",
    )
    assert one.person == Beneficiary(
        "OA-17",
        AS_OF,
        "1990123456789",
        "রহিমা খাতুন",
        (
            Enrolment(
                "old-age-allowance",
                date(2019, 7, 1),
                provider="bkash",
                payments=(
                    Payment(date(2026, 4, 1), date(2026, 6, 1), 1800, "returned", None, "account-closed"),
                    Payment(date(2026, 1, 1), date(2026, 3, 1), 1800, "paid", date(2026, 4, 2)),
                ),
            ),
        ),
    )
    assert (one.id_key, one.nid_key) == ("OA17", "1990123456789")
    assert other.person.enrolments == (Enrolment("vwb"),) and (other.id_key, other.nid_key) == ("OA17X", None)


def bad(change: Callable[[str], str]) -> list[str]:
    with pytest.raises(RegistryFaults) as error:
        read(change(PAID))
    return error.value.faults


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("OA-17", "", "beneficiary_id cannot be read"),
        ("OA-17", "x'y", "beneficiary_id cannot be read"),
        ("1990123456789", "nineteen ninety", "nid cannot be read"),
        ("1990123456789", "199012345678", "nid cannot be read"),
        ("old-age-allowance", "", "programme cannot be read"),
        ("old-age-allowance", "space travel", "programme cannot be read"),
        ("2019-07-01", "01/07/2019", "enrolled_on cannot be read"),
        ("bkash", "my-cousin", "provider cannot be read"),
        ("2026-01,", ",", "period_from is blank"),
        ("2026-01,2026-03", "2026-03,2026-01", "period_to is before period_from"),
        ("1800", "-1", "taka cannot be read"),
        ("paid", "perhaps", "state cannot be read"),
        ("2026-04-02,", "2026-04-02,because", "reason cannot be read"),
        (",2026-04-02,", "", "has 10 cells, the header has 12"),
    ],
)
def test_a_fault_names_its_line_and_no_value(old: str, new: str, fault: str) -> None:
    assert bad(lambda row: row.replace(old, new, 1)) == [f"line 2: {fault}"]


def test_a_file_that_is_none() -> None:
    with pytest.raises(RegistryFaults, match="the column programme is missing"):
        read("x", header="beneficiary_id,colour,colour")
    with pytest.raises(RegistryFaults, match="is no CSV"):
        read('OA-17,"1')
    with pytest.raises(RegistryFaults, match="line 4: beneficiary_id was there before"):
        read(PAID, PAID.replace("OA-17", "OA-18"), PAID.replace("OA-17", "oa17"))
    with pytest.raises(RegistryFaults, match="nid differs"):
        read(PAID, PAID.replace("1990123456789", "1990123456780"))
    with pytest.raises(RegistryFaults) as error:
        read(*(PAID.replace("1800", "x") for _ in range(MOST_FAULTS + 5)))
    assert len(error.value.faults) == MOST_FAULTS + 1
