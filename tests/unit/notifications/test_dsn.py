"""What a returned mail says: read from what mail servers really write, and from what others send to the same mailbox."""

import random

import pytest

from grm.notifications.dsn import LARGEST_READ_BYTES, Returned, id_in, read, return_path
from tests.support.dsn import BARE_REPORT, EXIM_HEADERS_ONLY, HOLIDAY_NOTICE, POSTFIX, READ_RECEIPT, returned

KEYS = ("a key of 32 characters or more ..", "a former key of 32 characters ...")
OURS = "<grm.42.0123456789abcdef@grm.example>"


def report(mail: bytes, came_to: str = "") -> Returned:
    found = read(mail, came_to, KEYS)
    assert found is not None
    return found


@pytest.mark.parametrize("form", [POSTFIX, EXIM_HEADERS_ONLY])
def test_a_report_names_the_message_and_the_fault(form: str) -> None:
    found = report(returned(form, message_id=OURS))
    assert (found.action, found.status) == ("failed", "5.1.1")
    assert found.message_ids == (OURS,) and id_in(OURS) == 42
    assert found.recipients == {"gro@ministry.example"}
    assert found.is_final and found.is_about_address
    assert "User unknown" in found.said and "gro@ministry.example" not in found.said


def test_without_a_status_the_class_of_the_reply_counts() -> None:
    found = report(returned(BARE_REPORT, code=552))
    assert found.status == "5.0.0" and found.message_ids == ()
    assert report(returned(BARE_REPORT, code=451)).status == "4.0.0"


@pytest.mark.parametrize(
    ("action", "status", "is_final", "is_about_address"),
    [
        ("failed", "5.1.1", True, True),
        ("failed", "5.2.1", True, True),
        ("failed", "5.4.4", True, True),
        ("failed", "5.7.1", True, False),
        ("failed", "4.4.7", True, False),
        ("delayed", "4.4.1", False, False),
        ("relayed", "2.0.0", False, False),
        ("delivered", "2.0.0", False, False),
    ],
)
def test_what_is_final_and_what_is_the_addresss_fault(
    action: str, status: str, is_final: bool, is_about_address: bool
) -> None:
    found = report(returned(action=action, status=status))
    assert (found.is_final, found.is_about_address) == (is_final, is_about_address)


@pytest.mark.parametrize("form", [HOLIDAY_NOTICE, READ_RECEIPT])
def test_what_is_no_delivery_report_is_none(form: str) -> None:
    assert read(returned(form, message_id=OURS), "", KEYS) is None


@pytest.mark.parametrize("key", KEYS)
def test_the_return_address_proves_which_message_it_was(key: str) -> None:
    address = return_path("Returned mail <bounces@grm.example>", key)(42)
    assert address is not None and address.startswith("bounces+42.") and address.endswith("@grm.example")
    assert len(address.partition("@")[0]) <= 64, "RFC 5321, 4.5.3.1.1"
    assert report(returned(to=address)).proven_id == 42
    assert report(returned(to="x@y.example"), came_to=address.upper()).proven_id == 42


def test_a_made_up_return_address_proves_nothing() -> None:
    address = return_path("bounces@grm.example", KEYS[0])(42)
    assert address is not None
    for forged in (address.replace("+42.", "+43."), address[:15] + "0" + address[16:], "bounces+42.@grm.example"):
        assert forged != address and report(returned(to=forged)).proven_id is None
    other = return_path("bounces@grm.example", "some other key of 32 characters ..")(42)
    assert report(returned(to=other or "")).proven_id is None


def test_without_a_mailbox_there_is_no_return_address() -> None:
    assert return_path("", KEYS[0])(42) is None


def test_whatever_somebody_sends_is_read_without_an_error() -> None:
    chance = random.Random(11)
    whole = returned(message_id=OURS)
    read(b"", "", KEYS)
    read(b"\xff\xfe\x00" * 1000, "", KEYS)
    read(b'Content-Type: multipart/report; boundary="' + b"x" * 5000, "", KEYS)
    for _ in range(400):
        broken = bytearray(whole[: chance.randrange(len(whole))])
        for _ in range(chance.randrange(20)):
            if broken:
                broken[chance.randrange(len(broken))] = chance.randrange(256)
        found = read(bytes(broken), "", KEYS)
        assert found is None or isinstance(found, Returned)


def test_a_very_large_one_is_cut() -> None:
    assert read(returned(message_id=OURS) + b"x" * (2 * LARGEST_READ_BYTES), "", KEYS) is not None
