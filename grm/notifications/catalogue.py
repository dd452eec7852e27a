"""The catalogue of messages: every text this system may send, to whom, on what channel, how urgent and for how long.

Texts are in `templates/messages/<key>/{sms,subject,email}.{bn,en}.txt`; a test holds files and catalogue together. No text
carries a word of a case's content, for phones are shared and operators keep logs: number, date and level only, and for a
sensitive case not even these. Pure: no database, no clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

Channel = Literal["sms", "email"]
Audience = Literal["complainant", "officer"]

CHANNELS: tuple[Channel, ...] = ("sms", "email")
LANGUAGES = ("bn", "en")
LONGEST_LIFE = timedelta(hours=72)
"""Every message ends within this time: delivered, failed, expired or held."""
LONGEST_PUBLIC_URL = 40
"""Characters of PUBLIC_URL up to which no SMS exceeds its parts; `rendering.over_budget` tells for a given one."""

PLACEHOLDERS: Mapping[str, str] = {
    "tracking_number": "the case's public number, in groups of 4-4-5",
    "due_on": "the last day for the answer, as people write it",
    "hearing_on": "the day of a hearing",
    "hearing_time": "its hour in Dhaka",
    "level": "how far the case has climbed, 1 to 3",
    "code": "a one-time code of six digits, in Latin digits as codes are",
    "site": "PUBLIC_URL without https://, which an SMS has no room for",
    "track_url": "where a complainant reads and answers: PUBLIC_URL/track",
    "case_url": "the case's page for officers: PUBLIC_URL/cases/<tracking number>",
    "queue_url": "the officer's queue, for texts that must not name a case",
    "admin_url": "the administrators' page: PUBLIC_URL/admin",
    "covered_until": "the last day up to which holidays are announced",
    "missing": "how many of the next working days lie beyond it",
    "handover_url": "the page of a handover: PUBLIC_URL/people/handovers/<number>",
    "bulk_url": "the page of a bulk act: PUBLIC_URL/bulk/<number>",
    "people_url": "the page of posts and officers: PUBLIC_URL/people",
    "review_url": "the page of a review: PUBLIC_URL/reports/reviews/<tracking number>",
    "alarms_url": "the page of alarms: PUBLIC_URL/reports/alarms",
    "files_url": "the officer's prepared files: PUBLIC_URL/reports/exports",
    "return_url": "the page of a monthly return: PUBLIC_URL/reports/returns/<month>/office/<code>, or of all of a month",
    "returns": "a closed month's figures, a block for each unit: numbers, shares, days and offices that had not submitted",
    "month": "the month of a return, with its year",
    "day": "the day of a digest; or of leaving a post",
    "total": "how many cases a digest tells of; or how many duties were handed over; or cases of a bulk act; or new alarms",
    "counts": "how many of them at which level",
    "cases": "the most urgent of them, a line each: number, what is due and when; sensitive ones only as a number",
}
"""Everything a text may name. There is no placeholder for what somebody typed, so none can reach a message."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One kind of message.

    `placeholders` lists per channel exactly what its texts name; the channels are its keys. A lower `priority` is sent
    first. `life` counts from the act; afterwards the message is of no use. `sms_parts` is the most parts an SMS of it may
    take. `may_resend` says what happens when a provider's answer was lost (ADR 0012): True sends once more (an SMS after
    waiting for a delivery report, an e-mail with the same Message-ID); False never does. `only_while_open` drops a message
    that is still unsent when the case has ended. `keeps_text` is False for a text that stands in no row, as it opens something.
    """

    key: str
    audience: Audience
    placeholders: Mapping[Channel, frozenset[str]]
    priority: int
    life: timedelta = LONGEST_LIFE
    sms_parts: int = 2
    may_resend: bool = True
    only_while_open: bool = False
    keeps_text: bool = True

    @property
    def channels(self) -> tuple[Channel, ...]:
        """The channels this message has texts for."""
        return tuple(channel for channel in CHANNELS if channel in self.placeholders)

    def template_names(self) -> tuple[str, ...]:
        """The file names this entry must have in its folder, without language and suffix."""
        parts = {"sms": ("sms",), "email": ("subject", "email")}
        return tuple(name for channel in self.channels for name in parts[channel])


def _to_complainant(
    key: str, sms: str, email: str, priority: int, *, parts: int = 2, while_open: bool = False
) -> Entry:
    named: dict[Channel, frozenset[str]] = {"sms": frozenset(sms.split()), "email": frozenset(email.split())}
    return Entry(key, "complainant", named, priority, sms_parts=parts, only_while_open=while_open)


def _to_officer(key: str, email: str, priority: int, *, sms: str | None = None, while_open: bool = False) -> Entry:
    named: dict[Channel, frozenset[str]] = {"email": frozenset(email.split())}
    if sms is not None:
        named["sms"] = frozenset(sms.split())
    return Entry(key, "officer", named, priority, only_while_open=while_open)


DIGEST = "digest-officer"
SENSITIVE_COMPLAINANT = "sensitive-notice-complainant"
SENSITIVE_OFFICER = "sensitive-notice-officer"
RESTORED = "system-restored-officer"
"""The one notice after a restore, instead of everything that may have been told before (ADR 0019)."""

CALENDAR_SHORT = "calendar-short-officer"
WORK_HANDED = "work-handed-officer"
HANDOVER_DUE = "handover-due-officer"
TRACK_CODE = "track-code-complainant"
"""A one-time code for the tracking page (`grm/notifications/codes.py`): of no use after ten minutes, never sent twice."""
REVIEW_FINDING, ALARMS_RAISED = "review-finding-officer", "alarms-raised-officer"
RETURN_PREPARED, RETURN_LATE = "return-prepared-officer", "return-late-officer"
RETURNS_CLOSED = "returns-closed-officer"
FILE_READY = "file-ready-officer"
BULK_ASKED, BULK_DECIDED = "bulk-asked-officer", "bulk-decided-officer"
REMINDED_OF_MANY = "cases-reminded-officer"
"""One for each holder, however many cases somebody reminds of at once."""

_ENTRIES = (
    # What a person is waiting for goes first, whatever a sweep has just put into the outbox.
    Entry(
        TRACK_CODE,
        "complainant",
        {"sms": frozenset({"code"})},
        1,
        life=timedelta(minutes=10),
        sms_parts=1,
        may_resend=False,
        keeps_text=False,
    ),
    _to_complainant("case-filed-complainant", "tracking_number due_on", "tracking_number due_on track_url", 1),
    _to_complainant(
        "case-question-complainant", "tracking_number site", "tracking_number track_url", 2, while_open=True
    ),
    _to_complainant("case-resolved-complainant", "tracking_number site", "tracking_number track_url", 2),
    _to_complainant("case-declined-complainant", "tracking_number site", "tracking_number track_url", 2),
    _to_complainant("case-recommended-complainant", "tracking_number site", "tracking_number due_on track_url", 2),
    _to_complainant("case-complied-complainant", "tracking_number", "tracking_number track_url", 2),
    _to_complainant("case-appealed-complainant", "tracking_number due_on", "tracking_number due_on track_url", 2),
    # Somebody would come in vain, or not at all.
    *(
        _to_complainant(
            f"hearing-{what}-complainant",
            f"tracking_number hearing_on hearing_time{where}",
            "tracking_number hearing_on hearing_time track_url",
            2,
            while_open=True,
        )
        for what, where in (("set", " site"), ("moved", " site"), ("near", ""))
    ),
    _to_complainant(
        "hearing-cancelled-complainant", "tracking_number hearing_on", "tracking_number hearing_on track_url", 2
    ),
    _to_complainant("case-written-complainant", "tracking_number site", "tracking_number track_url", 2),
    *(
        _to_complainant(key, "tracking_number due_on", "tracking_number due_on track_url", 2)
        for key in ("case-merged-complainant", "case-unmerged-complainant", "case-joined-complainant")
    ),
    _to_complainant(SENSITIVE_COMPLAINANT, "site", "track_url", 2),
    _to_officer(
        "case-escalated-officer",
        "tracking_number level due_on case_url",
        3,
        sms="tracking_number level due_on",
    ),
    _to_officer(SENSITIVE_OFFICER, "queue_url", 3, sms="queue_url"),
    _to_complainant("case-referred-complainant", "tracking_number due_on", "tracking_number due_on track_url", 4),
    _to_complainant("case-taken-up-complainant", "tracking_number due_on", "tracking_number due_on track_url", 4),
    _to_complainant("case-closed-complainant", "tracking_number", "tracking_number track_url", 4, parts=1),
    _to_complainant("case-late-complainant", "tracking_number", "tracking_number due_on track_url", 4, while_open=True),
    *(
        _to_officer(f"hearing-{what}-officer", "tracking_number hearing_on hearing_time case_url", 3, while_open=True)
        for what in ("set", "moved", "near")
    ),
    _to_officer("hearing-cancelled-officer", "tracking_number hearing_on hearing_time case_url", 3),
    _to_complainant("case-sent-back-complainant", "tracking_number due_on", "tracking_number due_on track_url", 4),
    _to_officer("case-sent-back-officer", "tracking_number due_on case_url", 4, while_open=True),
    _to_officer("case-assigned-officer", "tracking_number due_on case_url", 4, while_open=True),
    _to_officer("case-referred-officer", "tracking_number due_on case_url", 4, while_open=True),
    *(
        _to_officer(key, "tracking_number due_on case_url", 4, while_open=True)
        for key in (
            *("case-returned-officer", "case-part-officer", "case-part-back-officer", "case-directed-officer"),
            "case-direction-answered-officer",
        )
    ),
    _to_officer("case-reminded-officer", "tracking_number due_on case_url", 4, while_open=True),
    _to_officer(REMINDED_OF_MANY, "queue_url", 4),
    _to_officer("case-taken-up-officer", "tracking_number due_on", 4),
    _to_officer("case-appealed-officer", "tracking_number due_on case_url", 4, while_open=True),
    _to_officer("case-recommended-officer", "tracking_number due_on case_url", 4, while_open=True),
    _to_officer("case-investigation-officer", "tracking_number due_on case_url", 4, while_open=True),
    _to_officer("case-answered-officer", "tracking_number due_on case_url", 4, while_open=True),
    _to_complainant(
        "case-extended-complainant", "tracking_number due_on", "tracking_number due_on track_url", 4, while_open=True
    ),
    *(
        _to_officer(key, "tracking_number due_on case_url", 4, while_open=True)
        for key in (
            *("case-reported-officer", "case-extension-asked-officer", "case-extension-decided-officer"),
            *("case-information-officer", "case-resumed-officer"),
            *("case-permission-asked-officer", "case-permission-decided-officer"),
        )
    ),
    _to_officer("case-unmerged-officer", "tracking_number due_on case_url", 4, while_open=True),
    _to_officer("case-withdrawn-officer", "tracking_number case_url", 4),
    _to_officer(DIGEST, "day total counts cases queue_url", 5, sms="counts queue_url"),
    _to_officer(RESTORED, "queue_url", 3),
    _to_officer(WORK_HANDED, "total handover_url", 4),
    _to_officer(HANDOVER_DUE, "day people_url", 4),
    _to_officer(BULK_ASKED, "bulk_url", 4),
    _to_officer(BULK_DECIDED, "total bulk_url", 4),
    _to_officer(REVIEW_FINDING, "tracking_number review_url", 5),
    _to_officer(ALARMS_RAISED, "total alarms_url", 4),
    _to_officer(FILE_READY, "files_url", 5),
    _to_officer(RETURN_PREPARED, "month due_on return_url", 5),
    _to_officer(RETURN_LATE, "month due_on return_url", 4),
    _to_officer(RETURNS_CLOSED, "month returns return_url", 5),
    _to_officer(CALENDAR_SHORT, "covered_until missing admin_url", 5),
    # Reminders go by digest. These are for what still lies in the outbox from before.
    _to_officer("case-unacknowledged-officer", "tracking_number due_on case_url", 5, while_open=True),
    _to_officer("case-warned-officer", "tracking_number due_on case_url", 5, while_open=True),
)

CATALOGUE: Mapping[str, Entry] = {entry.key: entry for entry in _ENTRIES}


def entry_of(key: str) -> Entry:
    """The entry of a message key. Raises KeyError for a key that is not in the catalogue."""
    return CATALOGUE[key]


def template_for(key: str, is_sensitive: bool) -> Entry:
    """The entry whose text is really sent: for a sensitive case the bare notice, which says only "you have a message".

    All sensitive notices share one entry, so that nothing about them (priority, life, text) tells what they stand for.
    """
    entry = CATALOGUE[key]
    if not is_sensitive:
        return entry
    return CATALOGUE[SENSITIVE_COMPLAINANT if entry.audience == "complainant" else SENSITIVE_OFFICER]
