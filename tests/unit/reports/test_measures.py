"""Selections, and cells of exports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.reports.measures import AGE_BANDS, MEASURES, Selection, selection_from
from grm.web.exports import csv_lines, safe_cell


@given(
    st.sampled_from(MEASURES),
    st.none() | st.sampled_from(["food", "cell"]),
    st.none() | st.sampled_from([1, 2, 3]),
    st.none() | st.sampled_from([band.code for band in AGE_BANDS]),
)
def test_an_address_makes_the_same_selection_again(
    measure: str, ministry: str | None, level: int | None, age: str | None
) -> None:
    chosen = Selection(measure=measure, ministry=ministry, level=level, age=age)
    assert selection_from(chosen.as_query()) == chosen


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula(start: str) -> None:
    assert safe_cell(start + "1+1") == "'" + start + "1+1"


def test_numbers_stay_numbers() -> None:
    assert safe_cell(-3) == "-3"
    assert safe_cell(None) == ""
    assert "".join(csv_lines(["ক", "b"], [["x,y", 'q"']])) == '\ufeff"ক","b"\r\n"x,y","q"""\r\n'
