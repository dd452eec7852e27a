"""Tracking numbers: random, forgiving to type, unforgiving to mistype."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.kernel import tracking_number as tn
from grm.kernel.text import bangla_digits

BITS = st.integers(0, 2**60 - 1)
KEY, OTHER_KEY = b"k" * 32, b"o" * 32


def is_valid(characters: list[str]) -> bool:
    return tn.parse("".join(characters)) is not None


@pytest.mark.parametrize("bits", [0, 1, 0x123456789ABCDEF, 2**60 - 1])
def test_every_single_wrong_character_is_found(bits: int) -> None:
    number = list(tn.new_tracking_number(bits))
    for position, wrong in itertools.product(range(tn.LENGTH), tn.ALPHABET):
        assert is_valid([*number[:position], wrong, *number[position + 1 :]]) == (wrong == number[position])


@pytest.mark.parametrize("bits", [0, 0xFEDCBA987654321])
def test_every_exchange_of_neighbours_is_found(bits: int) -> None:
    """All 32 x 32 pairs at all positions; the sum is linear, so the other characters do not matter."""
    base = list(tn.new_tracking_number(bits)[:-1])
    for position, left, right in itertools.product(range(tn.LENGTH - 2), tn.ALPHABET, tn.ALPHABET):
        body = [*base[:position], left, right, *base[position + 2 :]]
        swapped = [*base[:position], right, left, *base[position + 2 :]]
        check = tn.check_character("".join(body))
        assert is_valid([*body, check])
        assert is_valid([*swapped, check]) == (left == right)


@given(BITS)
def test_every_exchange_of_the_last_two_is_found(bits: int) -> None:
    number = list(tn.new_tracking_number(bits))
    number[-1], number[-2] = number[-2], number[-1]
    assert is_valid(number) == (number[-1] == number[-2])


@given(BITS, st.integers(0, 12), st.integers(0, 12))
def test_any_exchange_of_two_characters_is_found(bits: int, one: int, other: int) -> None:
    number = list(tn.new_tracking_number(bits))
    number[one], number[other] = number[other], number[one]
    assert is_valid(number) == (number[one] == number[other])


@given(BITS, BITS)
def test_numbers_are_as_different_as_their_bits(one: int, other: int) -> None:
    assert (tn.new_tracking_number(one) == tn.new_tracking_number(other)) == (one == other)


def test_new_numbers_differ_and_use_the_alphabet() -> None:
    numbers = {tn.new_tracking_number() for _ in range(1000)}
    assert len(numbers) == 1000
    assert {character for number in numbers for character in number} == set(tn.ALPHABET)
    assert not set("ILOU") & set(tn.ALPHABET)


@pytest.mark.parametrize("bits", [-1, 2**60])
def test_bits_that_do_not_fit_are_refused(bits: int) -> None:
    with pytest.raises(ValueError, match="60 bits"):
        tn.new_tracking_number(bits)


@given(BITS)
def test_a_number_is_read_however_it_is_typed(bits: int) -> None:
    number = tn.new_tracking_number(bits)
    shown = tn.display(number)
    full_width = "".join(chr(ord(character) + 0xFEE0) for character in number)
    misread = number.replace("0", "o").replace("1", "l").replace("V", "u")
    typed_so = [
        shown,
        shown.lower(),
        shown.replace("-", " "),
        shown.replace("-", " – "),
        bangla_digits(shown),
        full_width,
    ]
    for typed in [*typed_so, misread, number.replace("1", "I").replace("0", "O"), f"\u200b {number}\n"]:
        assert tn.parse(typed) == number


def test_a_number_is_shown_in_groups() -> None:
    assert [len(group) for group in tn.display(tn.new_tracking_number(7)).split("-")] == [4, 4, 5]


@pytest.mark.parametrize("typed", ["", "0", "0" * 12, "0" * 14, "!" * 13, "ক" * 13, "0" * 100_000, "\x00" * 13])
def test_what_is_no_number_is_none(typed: str) -> None:
    assert tn.parse(typed) is None


@given(st.text(max_size=80))
def test_parsing_never_fails(typed: str) -> None:
    assert tn.parse(typed) is None or len(tn.parse(typed) or "") == tn.LENGTH


@given(st.binary(min_size=16, max_size=32), st.binary(min_size=16, max_size=32))
def test_a_secret_depends_on_token_and_key(token: bytes, other: bytes) -> None:
    secret = tn.derive_secret(KEY, token)
    assert tn.parse(secret) == secret == tn.derive_secret(KEY, token)
    assert tn.derive_secret(OTHER_KEY, token) != secret
    assert (tn.derive_secret(KEY, other) == secret) == (other == token)


def test_the_stored_proof_binds_secret_number_and_key() -> None:
    number, other = tn.new_tracking_number(1), tn.new_tracking_number(2)
    secret = tn.derive_secret(KEY, b"t" * 16)
    proof = tn.secret_mac(KEY, number, secret)
    assert len(proof) == 32
    assert proof == tn.secret_mac(KEY, number, secret)
    assert (
        len(
            {
                proof,
                tn.secret_mac(KEY, other, secret),
                tn.secret_mac(KEY, number, other),
                tn.secret_mac(OTHER_KEY, number, secret),
            }
        )
        == 4
    )


def test_short_keys_are_refused() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        tn.derive_secret(b"short", b"t" * 16)
    with pytest.raises(ValueError, match="32 bytes"):
        tn.secret_mac(b"short", "n", "s")
