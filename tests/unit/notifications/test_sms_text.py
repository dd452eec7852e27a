"""What an SMS costs: septets or UCS-2 units, alone or joined."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.notifications.sms_text import GSM7_BASIC, GSM7_EXTENSION, SmsSize, measure


@pytest.mark.parametrize(
    "text, encoding, units, parts",
    [
        ("", "gsm7", 0, 0),
        ("a", "gsm7", 1, 1),
        ("a" * 160, "gsm7", 160, 1),
        ("a" * 161, "gsm7", 161, 2),
        ("a" * 306, "gsm7", 306, 2),
        ("a" * 307, "gsm7", 307, 3),
        ("€" * 80, "gsm7", 160, 1),
        ("€" * 81, "gsm7", 162, 2),
        ("€" * 152, "gsm7", 304, 2),
        ("€" * 153, "gsm7", 306, 3),  # 76 a part: an extension character is not cut by a joint
        ("ক", "ucs2", 1, 1),
        ("ক" * 70, "ucs2", 70, 1),
        ("ক" * 71, "ucs2", 71, 2),
        ("ক" * 134, "ucs2", 134, 2),
        ("ক" * 135, "ucs2", 135, 3),
        ("ক্ষ", "ucs2", 3, 1),
        ("কি", "ucs2", 2, 1),
        ("a" * 69 + "ক", "ucs2", 70, 1),
        ("😀" * 35, "ucs2", 70, 1),
        ("😀" * 36, "ucs2", 72, 2),
        ("😀" * 67, "ucs2", 134, 3),  # 33 a part: a surrogate pair is not cut either
        ("`", "ucs2", 1, 1),
        ("ç", "ucs2", 1, 1),
        ("Ç@£\n\r", "gsm7", 5, 1),
        ("{[~]}|\\^€\f", "gsm7", 20, 1),
        ("0123-4567-89ABC", "gsm7", 15, 1),
        ("১২৩", "ucs2", 3, 1),
    ],
)
def test_table(text: str, encoding: str, units: int, parts: int) -> None:
    assert measure(text) == SmsSize(encoding, units, parts)  # type: ignore[arg-type]


def test_the_alphabet_has_128_places_less_the_escape() -> None:
    assert len(GSM7_BASIC) == 127
    assert len(GSM7_EXTENSION) == 10
    assert not GSM7_BASIC & GSM7_EXTENSION


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=400))
def test_ucs2_units_are_those_of_utf16(text: str) -> None:
    size = measure(text + "ক")
    assert size.encoding == "ucs2"
    assert size.units == len((text + "ক").encode("utf-16-be")) // 2


@given(st.text(alphabet=[*sorted(GSM7_BASIC | GSM7_EXTENSION), "ক", "😀"], max_size=500))
def test_parts_hold_the_text_and_none_is_wasted(text: str) -> None:
    encoding, units, parts = measure(text)
    alone, joined = (160, 153) if encoding == "gsm7" else (70, 67)
    if parts <= 1:
        assert units <= alone
        assert parts == bool(text)
    else:
        assert alone < units <= parts * joined
        assert (parts - 1) * (joined - 1) < units


@given(st.text(max_size=200), st.characters())
def test_a_longer_text_never_costs_less(text: str, more: str) -> None:
    assert measure(text + more).parts >= measure(text).parts
