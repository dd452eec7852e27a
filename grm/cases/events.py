"""What has happened to a case, in the past tense; `grm/reactions.py` lists what follows from each.

An event carries ids and what a message may say. It holds no case text, and personal values only where the filing
has them at hand anyway (never printed: ``repr=False``). All fields are given by name.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from grm.cases.models import Case
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
class CodeAsked(Event):
    """Somebody asked for a one-time code. Without a `case_id` nobody is to be told: the same is done then, and nothing sent."""

    code_id: int
    case_id: int | None
    language: str
    phone: str = field(repr=False)
    made_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationAsked(CaseFact):
    """The complainant has asked to have a late case sent higher: up to `level` on the ladder of this clock."""

    deadline_id: int
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRated(CaseFact):
    """The complainant has said how good the answer was: 1 to 5 stars."""

    stage: str
    stars: int


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
class PermissionAsked(CaseFact):
    """Permission to investigate is asked for; `officer_id` decides on it, None: whoever answers for the cell."""

    officer_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionDecided(CaseFact):
    """An investigation was permitted or refused; `officer_id` is who asked, or now has the case (None: nobody)."""

    officer_id: int | None


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
    """More time was granted or refused; `officer_id` is who asked (None: has left), `due_on` the date that holds now."""

    officer_id: int | None
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


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterWritten(CaseFact):
    """The office wrote to the complainant how the matter stands; nothing ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSentBack(CaseFact):
    """The superior is not content with the answer: `officer_id`, who has the case, works on it again, until `due_on`. A case
    merged into it is `is_with_lead`: nobody works on that."""

    officer_id: int | None
    due_on: date
    is_with_lead: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingFact(CaseFact):
    """What every fact about a hearing says: which one, when it is (or was to be), and who has the case."""

    hearing_id: int
    at: datetime
    officer_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingSet(HearingFact):
    """A hearing was set, or moved to another day, hour or place. `officer_is_told`: somebody else did it."""

    is_moved: bool
    officer_is_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingCancelled(HearingFact):
    """A hearing to come is called off."""

    officer_is_told: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class HearingNear(HearingFact):
    """A hearing is tomorrow."""


def about(case: Case) -> dict[str, Any]:
    """The fields that every fact about a case has."""
    return {
        "case_id": case.id,
        "tracking_number": case.tracking_number,
        "is_sensitive": case.is_sensitive,
        "office_id": case.office_id,
        "desk": case.desk,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReturned(CaseFact):
    """An office did not take what was referred to it: the case lies at the sender's desk again (`office_id`, `desk`)."""

    from_office_id: int
    to_office_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SubcaseSent(CaseFact):
    """A part of a case was sent to another office as a case of its own, which this fact is about."""

    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class SubcaseBack(CaseFact):
    """A part of this case was answered, or returned; `officer_id` is who handles the whole, if anybody does."""

    officer_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDirected(CaseFact):
    """The Cabinet Division has given a direction, to be answered by `due_on`; `officer_id` is who handles the case."""

    officer_id: int | None
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectionAnswered(CaseFact):
    """The direction is answered; `officer_id` is who gave it."""

    officer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReminded(CaseFact):
    """A superior or overseer has reminded who has the case: `officer_id`, or the desk where nobody has it. `bulk_id` is the act
    on many cases that it is a part of, which tells each holder once."""

    officer_id: int | None
    due_on: date
    bulk_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTakenUp(CaseFact):
    """A superior has taken up a late case on the tier `tier`; `former_officer_id` is who had it at the desk it came from."""

    from_office_id: int
    from_desk: str
    former_officer_id: int | None
    tier: str
    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMerged(CaseFact):
    """The case is a duplicate and is answered together with another, by `due_on`."""

    due_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseUnmerged(CaseFact):
    """The case is answered by itself again; `officer_id` is who has it and did not set it apart. `is_by_officer`: an officer
    did."""

    officer_id: int | None
    is_by_officer: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAnsweredTogether(CaseFact):
    """A merged case has the answer of its lead; `decision` is the kind of it: resolved, declined, recommended or complied."""

    decision: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplainantAdded(CaseFact):
    """Somebody has joined in the complaint (`complainant_id`)."""

    complainant_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkHandedOver(Event):
    """An officer's open work went to others in one act. `counts` says how many duties each successor got, to be told once."""

    handover_id: int
    counts: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoverDue(Event):
    """A posting is to end on `leaving_on`, and something is not handed over on the Dhaka date `on`: who is to be reminded."""

    posting_id: int
    leaving_on: date
    on: date
    officer_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkAsked(Event):
    """A bulk act waits for somebody's approval; `roles` may give it in the office, the nearest above the asker first."""

    bulk_id: int
    office_id: int
    asker_id: int
    roles: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkDecided(Event):
    """Somebody has approved or refused a bulk act that `asker_id` asked for."""

    bulk_id: int
    asker_id: int
    cases: int
