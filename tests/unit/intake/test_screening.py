"""Every fault of a filling is found, beside its field, and a faultless one comes out in stored form."""

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grm.intake import screening
from grm.intake.others import Person
from grm.intake.programme_names import Found
from grm.intake.screening import Choices, programme_of, screen, without_identity
from grm.kernel.text import bangla_digits

TODAY = date(2026, 11, 22)
CHOICES = Choices(
    programmes=frozenset({"old-age-allowance"}),
    categories={"payment-not-received": False, "bribe-demand": True},
    districts=frozenset({"3026", "1004"}),
    upazilas={"302614": "3026", "3026-CC1": "3026", "100409": "1004"},
    offices=frozenset({"dc-3026"}),
)
GOOD = {
    "programme": "old-age-allowance",
    "category": "payment-not-received",
    "district": "3026",
    "details": "তিন মাস ধরে ভাতার টাকা পাইনি।",
    "declaration": "1",
}


def codes(filling: dict[str, str], **more: object) -> dict[str, str]:
    return {problem.field: problem.code for problem in screen(filling, CHOICES, TODAY, **more).problems}  # type: ignore[arg-type]


def answers(**changed: str) -> screening.Answers:
    screened = screen(GOOD | changed, CHOICES, TODAY)
    assert screened.problems == ()
    assert screened.answers is not None
    return screened.answers


def test_the_least_that_can_be_filed() -> None:
    told = answers()
    assert (told.programme, told.category, told.district) == ("old-age-allowance", "payment-not-received", "3026")
    assert (told.upazila, told.phone, told.preferred_channel, told.about) == (None, None, "none", "none")
    assert not told.is_sensitive
    assert answers(category="bribe-demand").is_sensitive


def test_an_empty_form_names_every_field_that_must_be_filled() -> None:
    assert codes({}) == {
        "programme": "programme-missing",
        "category": "category-missing",
        "district": "district-missing",
        "details": "details-missing",
        "declaration": "declaration-missing",
    }


def test_not_knowing_is_an_answer() -> None:
    told = answers(programme="unknown", district="unknown", upazila="unknown")
    assert (told.programme, told.district, told.upazila) == (None, None, None)


@pytest.mark.parametrize(
    "blank", ["", "   ", "\n\t", "\u200b\u200c\u200d\u200e\u200f", "\u2060\ufeff", "\u00a0 \u00a0"]
)
def test_text_without_anything_to_read_is_missing(blank: str) -> None:
    assert codes(GOOD | {"details": blank}) == {"details": "details-missing"}


def test_the_limit_counts_characters_and_says_how_many_are_too_many() -> None:
    assert codes(GOOD | {"details": "অ" * 20_000}) == {}
    (problem,) = screen(GOOD | {"details": "অ" * 20_001}, CHOICES, TODAY).problems
    assert (problem.code, problem.params["count"], problem.params["over"]) == ("too-long", 20_001, 1)


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("programme", "no-such-programme", "programme-unknown"),
        ("category", "unknown", "category-unknown"),
        ("district", "9999", "district-unknown"),
        ("upazila", "no", "upazila-unknown"),
        ("upazila", "100409", "upazila-elsewhere"),
        ("about", "me", "about-unknown"),
        ("phone", "01212345678", "phone-not-mobile"),
        ("phone", "+15005550006", "phone-foreign"),
        ("phone", "029512345", "phone-length"),
        ("phone", "১৬২৬৩", "phone-length"),
        ("phone", "abcdefghijk", "phone-characters"),
        ("email", "a@b", "email-invalid"),
        ("email", "x" * 300 + "@example.org", "email-too-long"),
        ("name", "ক" * 301, "too-long"),
        ("sex", "x", "sex-unknown"),
        ("age_group", "99", "age_group-unknown"),
        ("disability", "maybe", "disability-unknown"),
        ("language", "fr", "language-unknown"),
        ("preferred_channel", "pigeon", "preferred_channel-unknown"),
        ("incident_on", "23/11/2026", "date-in-future"),
        ("incident_on", "31/02/2026", "date-unreadable"),
        ("incident_on", "গতকাল", "date-unreadable"),
        ("incident_on", "01/01/1970", "date-too-early"),
        ("details", "a\x00b", "control-characters"),
        ("name", "a\x00b", "control-characters"),
        ("phone", "017\x0012345678", "phone-characters"),
        ("district", "3026\x00", "district-unknown"),
    ],
)
def test_a_fault_stands_beside_its_field(name: str, value: str, code: str) -> None:
    assert codes(GOOD | {name: value}) == {name: code}


def test_a_channel_needs_its_address() -> None:
    assert codes(GOOD | {"preferred_channel": "sms"}) == {"phone": "channel-needs-phone"}
    assert codes(GOOD | {"preferred_channel": "email", "phone": "01712345678"}) == {"email": "channel-needs-email"}


def test_the_channel_follows_from_the_address_where_none_is_chosen() -> None:
    assert answers(phone="০১৭১২৩৪৫৬৭৮").preferred_channel == "sms"
    assert answers(email="rahima@example.org").preferred_channel == "email"
    assert answers(phone="01712345678", preferred_channel="none").preferred_channel == "none"


def test_bangla_digits_work_everywhere() -> None:
    told = answers(district="৩০২৬", upazila="৩০২৬১৪", incident_on="০১/১১/২০২৬", phone="+৮৮০১৭১২-৩৪৫৬৭৮")
    assert (told.district, told.upazila, told.phone) == ("3026", "302614", "+8801712345678")
    assert told.incident_on == date(2026, 11, 1)


def test_anonymous_keeps_no_identity_whatever_was_typed() -> None:
    filling = {
        "anonymous": "on",
        "name": "রহিমা",
        "phone": "not a phone",
        "email": "also not",
        "representative_name": "x",
    }
    told = answers(**filling, preferred_channel="sms", sex="female")
    assert (told.name, told.phone, told.email, told.representative_name) == (None, None, None, None)
    assert (told.is_anonymous, told.preferred_channel, told.sex) == (True, "none", "female")
    assert without_identity(GOOD | filling) == GOOD | {"anonymous": "on"}
    assert without_identity(GOOD | {"name": "রহিমা"}) == GOOD | {"name": "রহিমা"}


def test_relation_and_representative_count_only_on_behalf() -> None:
    told = answers(on_behalf="1", relation="family", representative_name="করিম", name="রহিমা")
    assert (told.is_on_behalf, told.relation, told.representative_name) == (True, "family", "করিম")
    told = answers(relation="family", representative_name="করিম")
    assert (told.relation, told.representative_name) == (None, None)


def test_the_desk_says_how_and_when_it_came_in() -> None:
    desk = {key: value for key, value in GOOD.items() if key != "declaration"}
    assert codes(desk, is_desk=True) == {"medium": "medium-missing"}
    desk["medium"] = "paper"
    screened = screen(desk | {"received_on": "০৫-১১-২০২৬", "accused_office": "dc-3026"}, CHOICES, TODAY, is_desk=True)
    assert screened.answers is not None
    assert (screened.answers.received_on, screened.answers.accused_office) == (date(2026, 11, 5), "dc-3026")
    assert codes(desk | {"received_on": "23/11/2026"}, is_desk=True) == {"received_on": "date-in-future"}
    assert codes(desk | {"received_on": "20/11/2025"}, is_desk=True) == {"received_on": "date-too-early"}
    assert codes(desk | {"received_on": "21/11/2025"}, is_desk=True) == {}
    assert codes(desk | {"accused_office": "x"}, is_desk=True) == {"accused_office": "accused_office-unknown"}


def named(*slugs: str, is_sure: bool = False) -> Choices:
    """The same choices, where any name written finds these programmes."""
    return dataclasses.replace(
        CHOICES, programmes=CHOICES.programmes | set(slugs), find_programmes=lambda _typed: Found(slugs, is_sure)
    )


@pytest.mark.parametrize(
    ("chosen", "choices", "programme", "words", "code"),
    [
        ("", named("vgf", is_sure=True), "vgf", None, None),
        ("unknown", named("vgf", is_sure=True), "vgf", None, None),
        ("old-age-allowance", named("vgf", is_sure=True), "old-age-allowance", None, None),
        ("", named("vgf", "vwb"), None, "ভিজিএফ", "programme-several"),
        ("", named("vgf"), None, "ভিজিএফ", "programme-perhaps"),
        ("none-of-these", named("vgf", "vwb"), None, "ভিজিএফ", None),
        ("vwb", named("vgf", "vwb"), "vwb", None, None),
        ("", named(), None, "ভিজিএফ", None),
        ("no-such", named("vgf", is_sure=True), None, "ভিজিএফ", "programme-unknown"),
    ],
)
def test_a_programme_may_be_named_instead_of_chosen(
    chosen: str, choices: Choices, programme: str | None, words: str | None, code: str | None
) -> None:
    filling = GOOD | {"programme": chosen, "programme_words": "  ভিজিএফ "}
    screened = screen(filling, choices, TODAY)
    assert [problem.code for problem in screened.problems] == ([code] if code else [])
    assert programme_of(filling, choices) == programme
    if screened.answers is not None:
        assert (screened.answers.programme, screened.answers.programme_words) == (programme, words)


def test_others_come_along_unless_nobody_gives_a_name() -> None:
    told = answers(others="সালমা, ০১৮১২৩৪৫৬৭৮\nজমিলা")
    assert told.others == (Person("সালমা", "+8801812345678"), Person("জমিলা"))
    assert answers(others="সালমা, 12345", anonymous="1").others == (), "and nothing of them is judged"
    assert "others" not in without_identity(GOOD | {"anonymous": "1", "others": "সালমা"})
    assert codes(GOOD | {"others": "সালমা, 12345"}) == {"others": "others-phone"}


def test_a_correction_that_says_what_is_wrong_needs_no_story() -> None:
    choices = dataclasses.replace(CHOICES, categories={"data-correction": False, "payment-not-received": False})
    wrong = {key: value for key, value in GOOD.items() if key != "details"} | {"category": "data-correction"}
    assert {problem.field for problem in screen(wrong, choices, TODAY).problems} == {"details"}
    for field, typed in (("correct_what", "name"), ("correct_to", "রহিমা"), ("correct_from", "রহীমা")):
        screened = screen(wrong | {field: typed}, choices, TODAY)
        assert screened.answers is not None and screened.answers.details == "" and screened.answers.claim is not None
    other = wrong | {"category": "payment-not-received", "correct_what": "name"}
    assert {problem.field for problem in screen(other, choices, TODAY).problems} == {"details"}


FIELDS = [
    "programme", "category", "district", "upazila", "place", "incident_on", "details", "about", "anonymous",
    "on_behalf", "relation", "representative_name", "name", "phone", "email", "sex", "age_group", "disability",
    "language", "preferred_channel", "declaration", "medium", "received_on", "accused_office", "programme_words", "others",
    "period_from", "period_to", "taka_expected", "taka_received", "provider_kind", "provider", "account_note",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=60)), st.booleans())
def test_whatever_is_typed_gets_an_answer(filling: dict[str, str], is_desk: bool) -> None:
    screened = screen(GOOD | filling, CHOICES, TODAY, is_desk=is_desk)
    assert (screened.answers is None) == bool(screened.problems)
    assert {problem.field for problem in screened.problems} <= set(FIELDS)
    if screened.answers is not None:
        for value in (screened.answers.details, screened.answers.place, screened.answers.name or ""):
            assert "\x00" not in value
            value.encode()


@given(st.integers(1_300_000_000, 1_999_999_999).map("0{}".format))
def test_both_scripts_are_one_phone(number: str) -> None:
    told = answers(phone=number)
    assert told.phone == answers(phone=bangla_digits(number)).phone == "+88" + number
