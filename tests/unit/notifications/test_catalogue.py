"""Catalogue and text files belong to one another, file by file and placeholder by placeholder."""

from datetime import timedelta
from pathlib import Path

import pytest

from grm.notifications.catalogue import (
    CATALOGUE,
    DIGEST,
    LANGUAGES,
    LONGEST_LIFE,
    PLACEHOLDERS,
    SENSITIVE_COMPLAINANT,
    SENSITIVE_OFFICER,
    TRACK_CODE,
    Entry,
    entry_of,
    template_for,
)
from grm.notifications.rendering import FOLDER, placeholders_of, template

ENTRIES = list(CATALOGUE.values())


def expected_files() -> set[str]:
    return {
        f"{entry.key}/{name}.{language}.txt"
        for entry in ENTRIES
        for name in entry.template_names()
        for language in LANGUAGES
    }


def test_every_file_belongs_to_the_catalogue_and_the_other_way_round() -> None:
    found = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*") if path.is_file()}
    assert found == expected_files()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_texts_name_exactly_what_the_entry_declares(entry: Entry, language: str) -> None:
    for channel, names in {"sms": ("sms",), "email": ("subject", "email")}.items():
        if channel in entry.channels:
            used = [placeholders_of(template(entry.key, name, language)) for name in names]
            assert frozenset().union(*used) == entry.placeholders[channel], channel  # type: ignore[index]


def test_every_placeholder_is_explained_and_used() -> None:
    used = {name for entry in ENTRIES for names in entry.placeholders.values() for name in names}
    assert used == set(PLACEHOLDERS)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_rules_of_an_entry_are_within_the_promises(entry: Entry) -> None:
    assert timedelta() < entry.life <= LONGEST_LIFE
    assert 1 <= entry.sms_parts <= 2
    assert entry.channels
    assert entry.key.endswith("-" + entry.audience)


def test_complainants_can_choose_either_channel_for_every_message() -> None:
    for entry in ENTRIES:
        if entry.audience == "complainant":  # a code goes to the phone on file and nowhere else
            assert entry.channels == (("sms",) if entry.key == TRACK_CODE else ("sms", "email")), entry.key


def test_officers_get_an_sms_only_when_a_case_has_risen_to_them() -> None:
    with_sms = {entry.key for entry in ENTRIES if entry.audience == "officer" and "sms" in entry.channels}
    assert with_sms == {"case-escalated-officer", DIGEST, SENSITIVE_OFFICER}


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.key)
def test_a_sensitive_case_sends_only_the_notice(entry: Entry) -> None:
    shown = template_for(entry.key, is_sensitive=True)
    assert shown.key == (SENSITIVE_COMPLAINANT if entry.audience == "complainant" else SENSITIVE_OFFICER)
    for names in shown.placeholders.values():
        assert names <= {"site", "track_url", "queue_url"}
    assert template_for(entry.key, is_sensitive=False) is entry


def test_unknown_key_is_an_error() -> None:
    with pytest.raises(KeyError):
        entry_of("case-field-complainant")


def test_texts_are_plain_lines_without_markup_or_addresses_of_their_own() -> None:
    for path in sorted(Path(FOLDER).rglob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert "http" not in text and "www" not in text and "<" not in text, path
        assert text == text.strip("\n") + "\n" and "\r" not in text and "\t" not in text, path
        assert path.name.startswith("email") or text.count("\n") == 1, path
