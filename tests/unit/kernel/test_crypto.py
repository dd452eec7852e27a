"""Sealed fields open in their own place with a known key, and nowhere else."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.kernel.crypto import CannotOpen, Keyring, derive_key

FIRST, SECOND, INDEX = b"1" * 32, b"2" * 32, b"i" * 32
KEYRING = Keyring.from_keys([FIRST], INDEX)
PHONE = "complainant.phone:0000-0000-00000"


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    st.text(alphabet=st.characters(exclude_categories=["Cs"])),
)
def test_what_is_sealed_opens_in_its_context(plain: str, context: str) -> None:
    assert KEYRING.open(KEYRING.seal(plain, context), context) == plain
    assert KEYRING.open(memoryview(KEYRING.seal(plain, context)), context) == plain  # type: ignore[arg-type]


def test_a_value_moved_to_another_row_or_column_does_not_open() -> None:
    sealed = KEYRING.seal("+8801712345678", PHONE)
    for context in (PHONE[:-1] + "1", PHONE.replace("phone", "name"), ""):
        with pytest.raises(CannotOpen):
            KEYRING.open(sealed, context)


def test_any_changed_or_missing_byte_is_noticed() -> None:
    sealed = KEYRING.seal("রহিমা", PHONE)
    for position in range(len(sealed)):
        changed = bytearray(sealed)
        changed[position] ^= 1
        with pytest.raises(CannotOpen):
            KEYRING.open(bytes(changed), PHONE)
        with pytest.raises(CannotOpen):
            KEYRING.open(sealed[:position], PHONE)


def test_the_sealed_bytes_hide_the_text_and_never_repeat() -> None:
    sealed = {KEYRING.seal("01712345678", PHONE) for _ in range(100)}
    assert len(sealed) == 100
    assert not any(b"01712345678" in value for value in sealed)


def test_rotation_seals_with_the_first_key_and_opens_with_all() -> None:
    old = KEYRING.seal("ক", PHONE)
    both = Keyring.from_keys([SECOND, FIRST], INDEX)
    assert both.open(old, PHONE) == "ক"
    assert both.needs_resealing(old)
    new = both.seal("ক", PHONE)
    assert not both.needs_resealing(new)
    assert Keyring.from_keys([SECOND], INDEX).open(new, PHONE) == "ক"
    with pytest.raises(CannotOpen):
        Keyring.from_keys([SECOND], INDEX).open(old, PHONE)
    assert both.blind_index("phone", "x") == KEYRING.blind_index("phone", "x")


def test_a_blind_index_finds_equal_values_of_one_kind_under_one_key() -> None:
    index = KEYRING.blind_index("phone", "+8801712345678")
    assert index == Keyring.from_keys([SECOND], INDEX).blind_index("phone", "+8801712345678")
    others = {
        KEYRING.blind_index("phone", "+8801712345679"),
        KEYRING.blind_index("email", "+8801712345678"),
        Keyring.from_keys([FIRST], b"j" * 32).blind_index("phone", "+8801712345678"),
    }
    assert len(others | {index}) == 4
    assert len(index) == 32


@pytest.mark.parametrize(
    "data_keys, index_key",
    [([], INDEX), ([b"short"], INDEX), ([FIRST], b"short"), ([FIRST, FIRST], INDEX), ([INDEX], INDEX)],
)
def test_missing_short_or_equal_keys_are_refused_without_being_shown(data_keys: list[bytes], index_key: bytes) -> None:
    with pytest.raises(ValueError, match="key") as caught:
        Keyring.from_keys(data_keys, index_key)
    assert "short" not in str(caught.value)


def test_a_keyring_shows_no_key_and_cannot_be_changed() -> None:
    assert repr(KEYRING) == "Keyring(1 data keys)"
    with pytest.raises(dataclasses.FrozenInstanceError):
        KEYRING._header = b""  # type: ignore[misc]


def test_a_sub_key_serves_one_purpose() -> None:
    assert len({derive_key(FIRST, "a"), derive_key(FIRST, "b"), derive_key(SECOND, "a"), FIRST}) == 4
