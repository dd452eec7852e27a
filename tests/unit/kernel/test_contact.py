"""One stored form of each mobile number and e-mail address, whatever was typed."""

import time

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.kernel import contact
from grm.kernel.errors import InvalidInput
from grm.kernel.text import bangla_digits

MOBILES = st.integers(1_300_000_000, 1_999_999_999).map(lambda number: f"0{number}")


def code_of(parse: object, typed: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        parse(typed)  # type: ignore[operator]
    return caught.value.code


@pytest.mark.parametrize(
    "typed",
    [
        "০১৭১২৩৪৫৬৭৮",
        "+৮৮০১৭১২৩৪৫৬৭৮",
        "8801712345678",
        "008801712345678",
        "01712-345678",
        "01712 345 678",
        "(01712) 345678",
        "+880 01712 345678",
        "０１７１２３４５６７８",
        "＋８８０１７１２３４５６７８",
        "٠١٧١٢٣٤٥٦٧٨",
        "\u202a+8801712345678\u202c",
        "01712\u2011345678",
    ],
)
def test_all_ways_to_write_a_number_are_one(typed: str) -> None:
    assert contact.parse_mobile(typed) == "+8801712345678"


@pytest.mark.parametrize(
    "typed, code",
    [
        ("", "phone-missing"),
        ("\u200b ", "phone-missing"),
        ("01212345678", "phone-not-mobile"),
        ("01012345678", "phone-not-mobile"),
        ("02222222222", "phone-not-mobile"),
        ("1712345678", "phone-length"),
        ("0171234567", "phone-length"),
        ("017123456789", "phone-length"),
        ("333", "phone-length"),
        ("9" * 10_000, "phone-length"),
        ("+15005550006", "phone-foreign"),
        ("0091 98765 43210", "phone-foreign"),
        ("+", "phone-characters"),
        ("০১৭১২৩৪৫৬৭ক", "phone-characters"),
        ("01712+345678", "phone-characters"),
        ("0171234567\x00", "phone-characters"),
        ("0171234567²", "phone-characters"),
    ],
)
def test_other_numbers_are_refused_with_the_reason(typed: str, code: str) -> None:
    assert code_of(contact.parse_mobile, typed) == code


@given(MOBILES)
def test_the_result_is_e164_and_stays_itself(typed: str) -> None:
    number = contact.parse_mobile(typed)
    assert number == contact.parse_mobile(number) == contact.parse_mobile(bangla_digits(typed))
    assert contact.is_sendable_mobile(number)
    assert not contact.is_sendable_mobile(typed)
    independent = phonenumbers.parse(typed, "BD")
    assert phonenumbers.format_number(independent, phonenumbers.PhoneNumberFormat.E164) == number


@given(st.text(max_size=80))
def test_a_number_is_read_or_refused_never_worse(typed: str) -> None:
    try:
        assert len(contact.parse_mobile(typed)) == 14
    except InvalidInput as refused:
        assert refused.code.startswith("phone-")


def test_the_allowed_ranges_can_be_replaced() -> None:
    assert contact.parse_mobile("01212345678", prefixes=("012",)) == "+8801212345678"
    assert not contact.is_sendable_mobile("+8801712345678", prefixes=("012",))


def test_a_masked_number_shows_operator_and_last_three_digits() -> None:
    assert contact.mask_phone("+8801712345678") == "017•••••678"
    assert contact.mask_phone("333") == "•••"


@pytest.mark.parametrize(
    "typed, stored",
    [
        ("Rahima.Begum+1@Example.ORG", "Rahima.Begum+1@example.org"),
        (" r@mail.example.com.bd\n", "r@mail.example.com.bd"),
        ('"a b"@example.org', '"a b"@example.org'),
        ("r@বাংলা.বাংলা", "r@xn--54b7fta0cc.xn--54b7fta0cc"),
        ("r@ex-ample.org", "r@ex-ample.org"),
    ],
)
def test_valid_addresses_are_taken(typed: str, stored: str) -> None:
    assert contact.parse_email(typed) == stored
    assert contact.parse_email(stored) == stored


@pytest.mark.parametrize(
    "typed, code",
    [
        ("", "email-missing"),
        ("\u200b", "email-missing"),
        ("a@b", "email-invalid"),
        ("a@b@example.org", "email-invalid"),
        ("@example.org", "email-invalid"),
        ("a.@example.org", "email-invalid"),
        ("a..b@example.org", "email-invalid"),
        ("a b@example.org", "email-invalid"),
        ("a@example..org", "email-invalid"),
        ("a@-example.org", "email-invalid"),
        ("a@example.org.", "email-invalid"),
        ("a@192.0.2.1", "email-invalid"),
        ("a@192.0.2.12", "email-invalid"),
        ("a@[192.0.2.1]", "email-invalid"),
        ("a@exa\nmple.org", "email-invalid"),
        ("a\r\nBcc: x@example.org", "email-invalid"),
        ('"a\nb"@example.org', "email-invalid"),
        ("রহিমা@example.org", "email-invalid"),
        ("a@exam\x00ple.org", "email-invalid"),
        ("a" * 65 + "@example.org", "email-too-long"),
        ("a@" + "x" * 60 + "." + "y" * 300 + ".org", "email-invalid"),
        ("a@" + ("x" * 60 + ".") * 4 + "example.org", "email-too-long"),
        ("a" * 300 + "@example.org", "email-too-long"),
    ],
)
def test_other_addresses_are_refused_with_the_reason(typed: str, code: str) -> None:
    assert code_of(contact.parse_email, typed) == code


@pytest.mark.parametrize(
    "hostile", ["a" * 100_000, "a." * 50_000, '"' + "\\" * 100_000, "a@" + "x-" * 50_000, "@" * 100_000]
)
@pytest.mark.parametrize("parse", [contact.parse_email, contact.parse_mobile])
def test_a_hundred_kilobytes_take_no_time(parse: object, hostile: str) -> None:
    started = time.process_time()
    code_of(parse, hostile)
    code_of(parse, hostile[:500])
    assert time.process_time() - started < 0.05


@given(st.text(max_size=60))
def test_an_address_is_read_or_refused_never_worse(typed: str) -> None:
    try:
        assert "@" in contact.parse_email(typed)
    except InvalidInput as refused:
        assert refused.code.startswith("email-")


def test_a_masked_address_shows_its_first_letter_and_domain() -> None:
    assert contact.mask_email("rahima@example.org") == "r•••@example.org"
