"""What is sent, letter by letter: each message in each language on each channel, and its size as an SMS."""

import os
from datetime import date, timedelta
from pathlib import Path

import pytest

from grm.notifications import rendering
from grm.notifications.catalogue import CATALOGUE, LANGUAGES, LONGEST_PUBLIC_URL, Entry
from grm.notifications.rendering import CannotRender, fill, over_budget, placeholders_of, render
from grm.notifications.sms_text import SmsSize, measure

SNAPSHOTS = Path(__file__).parent / "messages.snapshot.txt"
PARAMS = {
    "tracking_number": "7K3MPQ9XR2TB4",
    "due_on": "2026-12-31",
    "level": 2,
    "code": "042913",
    "hearing_at": "2026-12-30T05:00:00+00:00",
    "covered_until": "2026-12-31",
    "missing": 23,
    "handover_id": 7,
    "bulk_id": 31,
    "bulk_cases": 40,
    "total": 12,
    "leaving_on": "2026-12-31",
    "alarms": 5,
    "return_month": "2026-11-01",
    "return_office": "social-welfare",
    "closed_returns": [
        {
            "name": ["খাদ্য মন্ত্রণালয়", "Ministry of Food"],
            "view": "desk",
            "target": 90,
            "sides": {
                "complaint": {
                    "carried": 1200,
                    "received": 34567,
                    "total": 35767,
                    "disposed": 30000,
                    "sent": 767,
                    "pending": 4000,
                    "overdue": 1000,
                    "rated": 50,
                    "decided": 7,
                    "upheld": 2,
                    "in_time_percent": 87.5,
                    "median_days": 21.0,
                    "ninetieth_days": 44.5,
                    "satisfied_percent": 62.0,
                    "upheld_percent": 28.6,
                },
                "appeal": {
                    "carried": 3,
                    "received": 4,
                    "total": 7,
                    "disposed": 7,
                    "sent": 0,
                    "pending": 0,
                    "overdue": 0,
                    "rated": 0,
                    "decided": 7,
                    "upheld": 2,
                    "in_time_percent": 100.0,
                    "median_days": None,
                    "ninetieth_days": None,
                    "satisfied_percent": None,
                    "upheld_percent": 28.6,
                },
            },
            "is_silent": False,
            "owing": [["খাদ্য মন্ত্রণালয়", "Ministry of Food"]],
            "more": 3,
        },
        {
            "name": None,
            "view": "whole",
            "target": 90,
            "sides": {
                side: {
                    **dict.fromkeys(("carried", "received", "total", "disposed", "sent", "pending", "overdue"), 0),
                    "rated": 0,
                    "decided": 0,
                    "in_time_percent": None,
                    "median_days": None,
                }
                for side in ("complaint", "appeal")
            },
            "is_silent": True,
            "owing": [],
            "more": 0,
        },
    ],
    "digest": {
        "day": "2026-12-31",
        "levels": {"2": 1, "1": 52, "0": 3},
        "sensitive": 2,
        "more": 4,
        "cases": [["7K3MPQ9XR2TB4", "2026-12-15", 2, "resolve"], ["7K3MPQ9XR2TB4", "2027-01-04", 0, "acknowledge"]],
    },
}
URL = "https://grm.example.gov.bd"
LONG_URL = "https://" + "g" * (LONGEST_PUBLIC_URL - len("https://"))

UNITS = Path(__file__).parent / "sms_units.snapshot.txt"
LONGER_IN_BANGLA = {"hearing-set-complainant", "hearing-moved-complainant"}
"""Whoever is to come must find the place: day, hour and address do not always fit into 70 units."""

SMS_ENTRIES = [entry for entry in CATALOGUE.values() if "sms" in entry.channels]


def all_texts() -> str:
    pieces = []
    for entry in CATALOGUE.values():
        for language in LANGUAGES:
            for channel in entry.channels:
                text = render(entry, channel, language, PARAMS, URL)
                size = measure(text.body) if channel == "sms" else None
                note = f" · {size.encoding} {size.units} units, {size.parts} part(s)" if size else ""
                pieces.append(f"=== {entry.key} · {channel} · {language}{note}\n")
                pieces.append(f"[{text.subject}]\n" if text.subject else "")
                pieces.append(text.body.rstrip("\n") + "\n\n")
    return "".join(pieces)


def test_texts_are_as_they_were_approved() -> None:
    """A changed text is a changed promise: look at it, then write the file anew with UPDATE_SNAPSHOTS=1."""
    if os.environ.get("UPDATE_SNAPSHOTS"):
        SNAPSHOTS.write_text(all_texts(), encoding="utf-8")
    assert all_texts() == SNAPSHOTS.read_text(encoding="utf-8")


def worst_size(entry: Entry, language: str) -> SmsSize:
    """The most an SMS of this message can cost: the longest PUBLIC_URL, the widest number, any date."""
    days = [date(2026, 1, 1) + timedelta(days=n) for n in range(0, 365, 7)]
    bodies = [
        render(entry, "sms", language, {**rendering.LONGEST_PARAMS, "due_on": day.isoformat()}, LONG_URL).body
        for day in days
    ]
    return max((measure(body) for body in bodies), key=lambda size: size.units)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("entry", SMS_ENTRIES, ids=lambda entry: entry.key)
def test_worst_case_of_an_sms_is_within_its_parts(entry: Entry, language: str) -> None:
    size = worst_size(entry, language)
    assert size.parts <= entry.sms_parts
    if language == "en":
        assert (size.encoding, size.parts) == ("gsm7", 1)
    elif entry.audience == "complainant" and entry.key not in LONGER_IN_BANGLA:
        assert (size.encoding, size.parts) == ("ucs2", 1) and size.units <= 70
    else:
        assert size.units <= 134


def test_the_worst_cases_are_as_they_were_approved() -> None:
    """One line a message, so that a text that has grown is seen. UPDATE_SNAPSHOTS=1 writes the file anew."""
    lines = [
        f"{worst_size(entry, 'bn').units:4} {worst_size(entry, 'en').units:4}  {entry.key}" for entry in SMS_ENTRIES
    ]
    found = "\n".join([f"{'bn':>4} {'en':>4}  units of the SMS in the worst case", *sorted(lines)]) + "\n"
    if os.environ.get("UPDATE_SNAPSHOTS"):
        UNITS.write_text(found, encoding="utf-8")
    assert found == UNITS.read_text(encoding="utf-8")


def test_public_url_that_would_cost_another_sms_is_found_before_anything_is_sent() -> None:
    assert over_budget(LONG_URL) == ()
    assert "hearing-moved-complainant.bn" in over_budget("https://" + "g" * 90)
    with pytest.raises(CannotRender) as caught:
        render(CATALOGUE["hearing-moved-complainant"], "sms", "bn", PARAMS, "https://" + "g" * 90)
    assert caught.value.code == "sms-too-long"


@pytest.mark.parametrize("language", LANGUAGES)
def test_acknowledgement_names_number_and_date_and_no_secret(language: str) -> None:
    entry = CATALOGUE["case-filed-complainant"]
    sms = render(entry, "sms", language, PARAMS, URL).body
    mail = render(entry, "email", language, PARAMS, URL).body
    assert "7K3M-PQ9X-R2TB4" in sms and "7K3M-PQ9X-R2TB4" in mail
    assert ("৩১/১২/২০২৬" if language == "bn" else "31/12/2026") in sms
    assert ("৩১ ডিসেম্বর ২০২৬" if language == "bn" else "31 December 2026") in mail
    with pytest.raises(CannotRender):
        fill("{secret}", {"secret": "x"}, entry.placeholders["sms"])


def test_addresses_lead_to_public_url_only() -> None:
    for entry in CATALOGUE.values():
        for channel in entry.channels:
            for language in LANGUAGES:
                body = render(entry, channel, language, PARAMS, URL).body
                assert body.count("http") == body.count(URL + "/"), entry.key


def test_sensitive_notice_is_the_same_whatever_the_case() -> None:
    other = {"tracking_number": "0123456789ABC", "due_on": "2027-01-01", "level": 1}
    for key in ("sensitive-notice-complainant", "sensitive-notice-officer"):
        for channel in ("sms", "email"):
            entry = CATALOGUE[key]
            assert render(entry, channel, "bn", PARAMS, URL) == render(entry, channel, "bn", other, URL)


@pytest.mark.parametrize(
    "text",
    ["{x.__class__}", "{x[0]}", "{x!r}", "{x:>9}", "{}", "{0}", "{x", "x}", "{a b}"],
)
def test_only_plain_placeholders_are_understood(text: str) -> None:
    with pytest.raises(CannotRender):
        fill(text, {"x": "1", "a b": "2", "0": "3", "": "4"}, frozenset({"x", "a b", "0", ""}))


def test_what_does_not_fit_is_not_sent() -> None:
    assert fill("{{{x}}}", {"x": "1"}, frozenset({"x"})) == "{1}"
    assert placeholders_of("{x} {y} {x}") == {"x", "y"}
    with pytest.raises(CannotRender, match="message-placeholder-unknown"):
        fill("{x} {y}", {"x": "1", "y": "2"}, frozenset({"x"}))
    for empty in ({}, {"x": ""}, {"x": "\u200b "}):
        with pytest.raises(CannotRender, match="message-placeholder-missing"):
            fill("{x}", empty, frozenset({"x"}))
    with pytest.raises(CannotRender, match="message-empty"):
        fill(" \n", {}, frozenset())


def test_a_missing_file_or_value_stops_the_message(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    entry = CATALOGUE["case-escalated-officer"]
    with pytest.raises(CannotRender, match="message-placeholder-missing"):
        render(entry, "sms", "bn", {"tracking_number": "7K3MPQ9XR2TB4", "due_on": "2026-12-31"}, URL)
    rendering.template.cache_clear()
    monkeypatch.setattr(rendering, "FOLDER", tmp_path)
    with pytest.raises(CannotRender, match="message-text-missing"):
        render(entry, "sms", "bn", PARAMS, URL)
    rendering.template.cache_clear()
