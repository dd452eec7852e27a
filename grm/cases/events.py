"""What has happened to a case, in the past tense; `grm/reactions.py` lists what follows from each.

An event carries ids and what a message may say. It holds no case text, and personal values only where the filing
has them at hand anyway (never printed: ``repr=False``). All fields are given by name.
"""

from dataclasses import dataclass, field
from datetime import date

from grm.kernel.events import Event


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFact(Event):
    """What every fact about a case says: which case, and which office and desk held it when the fact was recorded."""

    case_id: int
    tracking_number: str
    is_sensitive: bool
    office_id: int
    desk: str = "gro"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFiled(CaseFact):
    """A grievance was filed. `phone` (E.164) and `email` are of who wants to be told; None for anonymous cases."""

    language: str
    preferred_channel: str
    phone: str | None = field(repr=False)
    email: str | None = field(repr=False)
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAcknowledged(CaseFact):
    """An officer has looked at the case for the first time, by saying so or by acting on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAssigned(CaseFact):
    """The office gave the case to an officer, or the officer took it (`is_claim`): nobody need be told then."""

    officer_id: int
    is_claim: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionAsked(CaseFact):
    """The complainant was asked something; without an answer the case goes on after `answer_by_on` (a Dhaka date)."""

    answer_by_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplainantAnswered(CaseFact):
    """The complainant answered the question; `officer_id` is who handles the case, if anybody does."""

    officer_id: int | None
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationAdded(CaseFact):
    """The complainant added something unasked; `officer_id` is who handles the case, if anybody does."""

    officer_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResumed(CaseFact):
    """The wait for the complainant ran out unanswered and the clock goes on."""

    officer_id: int | None
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReferred(CaseFact):
    """Another office holds the case now: `office_id` and `desk` are the new holder's."""

    from_office_id: int
    to_office_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseResolved(CaseFact):
    """The officer's answer is recorded; the complainant has until `confirm_by_on` (a Dhaka date) to object. `contact` says how
    they were in touch before (`states.CONTACTS`)."""

    outcome: str
    contact: str = ""
    confirm_by_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDeclined(CaseFact):
    """The case is out of scope, for one of the admissible reasons."""

    reason_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseClosed(CaseFact):
    """The file is ended after the answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseWithdrawn(CaseFact):
    """The complainant ended the case; `officer_id` is who handled it, if anybody did."""

    officer_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationStarted(CaseFact):
    """Officers were appointed to investigate, the first of whom leads; their report is due on `due_on`."""

    officer_ids: tuple[int, ...]
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class InvestigationReported(CaseFact):
    """The report of the investigation is there; `officer_id` is who handles the case, if anybody does."""

    officer_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionRequested(CaseFact):
    """More time to decide is asked for; somebody else than the requester decides on it."""

    requester_id: int
    working_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtensionDecided(CaseFact):
    """More time was granted or refused; `officer_id` is who asked, `due_on` the date that holds now."""

    officer_id: int
    is_approved: bool
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseContested(CaseFact):
    """The complainant says that the answer has not solved it: the desk above (`office_id`, `desk`) decides anew."""

    from_office_id: int
    tier: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class AppealFiled(CaseFact):
    """The complainant appeals to the instance `tier` (`appeal` or `cell`), at `office_id` and `desk`; `is_silence` where
    there was no decision in time."""

    from_office_id: int
    tier: str
    is_silence: bool
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecommended(CaseFact):
    """The cell has decided a second appeal and recommends something to the ministry that holds the case now, to be done by
    `due_on`. A decision of which the complainant is told; `contact` says how they were reached."""

    outcome: str
    contact: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseComplied(CaseFact):
    """The ministry has done what the cell recommended; the complainant has until `confirm_by_on` to object."""

    confirm_by_on: date
