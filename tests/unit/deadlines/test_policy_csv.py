"""A file of policies is taken whole or not at all, and every fault is named with its line."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.deadlines.policy import Policy
from grm.deadlines.policy_csv import MAX_LINES, Known, parse

KNOWN = Known(
    kinds={"resolve", "appeal"},
    offices={"food": 5},
    programmes={"oms"},
    categories={"data-correction"},
    priorities={"normal", "urgent"},
    tiers={"gro", "appeal", "cell"},
)
HEADER = "code,kind,limit,unit,office,programme,category,priority,tier,valid_from,valid_to,source"
GENERAL = "resolve,resolve,20,working_days,,,,,,2027-01-01,,Circular 7"


def faults(content: str | bytes) -> list[str]:
    parsed = parse(content.encode() if isinstance(content, str) else content, KNOWN)
    assert not (parsed.faults and parsed.lines)
    return [f"{fault.line}: {fault.message}" for fault in parsed.faults]


def policies(content: str) -> list[Policy]:
    parsed = parse(content.encode(), KNOWN)
    assert parsed.faults == ()
    return [line.policy for line in parsed.lines]


def test_a_good_file() -> None:
    content = (
        f"\ufeff{HEADER}\r\n{GENERAL}\r\n\r\n"
        'resolve-food,resolve,১৫,calendar_days,food,oms,data-correction,urgent,gro,২০২৭-০১-০১,2027-07-01,"Charter, 2"\r\n'
    )
    general, special = policies(content)
    assert general == Policy(
        -2, "resolve", "resolve", 20, "working_days", None, None, None, None, date(2027, 1, 1), None, "Circular 7"
    )
    assert (special.id, special.limit, special.unit, special.source) == (-4, 15, "calendar_days", "Charter, 2")
    assert (special.office_id, special.programme, special.category) == (5, "oms", "data-correction")
    assert (special.priority, special.tier, special.valid_to) == ("urgent", "gro", date(2027, 7, 1))


def test_columns_may_come_in_any_order_and_conditions_be_left_out() -> None:
    [policy] = policies("source,valid_from,unit,limit,kind,code\nCircular,2027-01-01,calendar_months,1,appeal,appeal\n")
    assert (policy.kind, policy.limit, policy.unit, policy.office_id, policy.valid_to) == (
        "appeal",
        1,
        "calendar_months",
        None,
        None,
    )


@pytest.mark.parametrize("content", ["", " \n\n", "\ufeff", HEADER, HEADER + "\n\n , , , , \n"])
def test_an_empty_file_is_a_fault(content: str) -> None:
    assert faults(content) == ["0: the file is empty; it must hold at least one policy"]


def test_all_faults_are_told_together_each_with_its_line() -> None:
    lines = [
        HEADER,
        GENERAL,
        "resolve,resolve,0,working_days,,,,,,2027-01-01,,Circular",
        "resolve,resolve,-3,working_days,,,,,,2027-01-01,,Circular",
        "resolve,resolve,1001,working_days,,,,,,2027-01-01,,Circular",
        "resolve,resolv,20,days,,,,,,2027-01-01,,Circular",
        "a,resolve,20,working_days,nowhere,vgd,bribe,low,dc,2027-01-01,,Circular",
        "a,resolve,20,working_days,,,,,,01/01/2027,2027-02-30,Circular",
        "a,resolve,20,working_days,,,,,,2027-01-02,2027-01-02,Circular",
        ",resolve,20,working_days,,,,,,2027-01-02,,",
        "resolve again,resolve,20,working_days,food,,,,,2027-01-02,,Circular",
        "other,resolve,25,working_days,,,,,,2027-01-01,,Circular",
        "resolve,resolve,25,working_days,food,,,,,2027-01-01,,Circular",
        f"{GENERAL},more",
    ]
    limit = "limit must be a whole number from 1 to 1000"
    assert faults("\n".join(lines)) == [
        f"3: {limit}",
        f"4: {limit}",
        f"5: {limit}",
        "6: kind must be one of appeal, resolve",
        "6: unit must be one of calendar_days, calendar_months, working_days",
        "7: there is no office nowhere",
        "7: there is no programme vgd",
        "7: there is no category bribe",
        "7: priority must be one of normal, urgent",
        "7: tier must be one of appeal, cell, gro",
        "8: valid_from must be a date like 2027-03-10, from 2000 to 2100",
        "8: valid_to must be a date like 2027-03-10, from 2000 to 2100",
        "9: valid_to must be after valid_from",
        "10: code is empty",
        "10: source is empty",
        "11: code must be letters, digits and hyphens, like resolve-food",
        "12: line 2 says the same cases from the same day already",
        "13: the code resolve is for other cases in line 2: each rule needs a code of its own",
        "14: there are more values than columns",
    ]


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\xff\xfe" + HEADER.encode("utf-16-le"), "1: the text is not UTF-8"),
        (HEADER.encode() + b"\n\nresolve\xe0", "3: the text is not UTF-8"),
        (f"{HEADER}\nresolve\0", "2: the file holds a NUL character"),
        (f'{HEADER}\n"resolve', "2: this is no readable CSV: unexpected end of data"),
        ("code,kind\n", "1: column limit, unit, valid_from, source is missing"),
        (f"{HEADER},colour\n{GENERAL},red", "1: column colour is not known"),
        (f"{HEADER},code\n{GENERAL},resolve", "1: column code occurs twice"),
        (b"x" * 10_000_000, "0: the file has more than 1000000 bytes"),
        (f"{HEADER}\n" + f"{GENERAL}\n" * (MAX_LINES + 1), f"0: the file has more than {MAX_LINES} lines"),
        (f"{HEADER}\n{GENERAL.replace('Circular 7', 'C' * 201)}", "2: source is longer than 200 characters"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_file_that_is_none(content: str | bytes, fault: str) -> None:
    assert faults(content) == [fault]


def test_one_rule_may_change_several_times() -> None:
    later = GENERAL.replace("2027-01-01", "2027-07-01").replace("20", "15", 1)
    assert [policy.limit for policy in policies(f"{HEADER}\n{GENERAL}\n{later}")] == [20, 15]


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_no_file_whatever_it_holds_makes_it_raise(content: bytes) -> None:
    parsed = parse(f"{HEADER}\n".encode() + content, KNOWN)
    assert bool(parsed.faults) != bool(parsed.lines)
