"""Who is told, where and in which language.

Complainants choose a channel when they file; who files anonymously left no address and gets no message. Officers are
told at the address on file when the message is sent. Nobody whom a grievance is against is ever told of it.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, select
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases.models import Accused, Case, Complainant
from grm.cases.permissions import DESK_ROLE
from grm.kernel.crypto import Keyring
from grm.notifications.catalogue import Channel
from grm.offices.queries import StaffedPost, directory, holders, is_on_leave


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody who has joined in a complaint, and where they are told."""

    complainant_id: int
    channel: Channel
    address: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class CaseContact:
    """What a message about a case needs: facts of the case, and the complainant's choice and addresses. `members` are the others
    who are told, each once: nobody with the address of another."""

    case_id: int
    tracking_number: str
    is_sensitive: bool
    office_id: int
    desk: str
    due_on: date
    history_length: int
    language: str
    channel: Channel | None
    address: str | None = field(repr=False)
    members: tuple[Member, ...] = ()


@dataclass(frozen=True, slots=True)
class OfficerContact:
    """An active officer, and the channels that reach them: an address is on file, and no mail has come back from it."""

    officer_id: int
    language: str
    channels: frozenset[Channel]


def chosen(preferred: str, phone: str | None, email: str | None) -> tuple[Channel, str] | None:
    """The channel and address for somebody who prefers `preferred` (sms, email or none).

    Who asked for one channel but left an address only for the other is told there; who asked for no message gets none.
    """
    if preferred == "none":
        return None
    sms: tuple[Channel, str] | None = ("sms", phone) if phone else None
    mail: tuple[Channel, str] | None = ("email", email) if email else None
    return (mail or sms) if preferred == "email" else (sms or mail)


def contacts_of(session: Session, keyring: Keyring, case_ids: Collection[int]) -> dict[int, CaseContact]:
    """The contacts of cases by case id, in one statement however many they are.

    The complainant's own address comes before a representative's; who has joined in is told beside them.
    """
    rows = session.execute(
        select(
            Case.id,
            Case.tracking_number,
            Case.is_sensitive,
            Case.is_anonymous,
            Case.office_id,
            Case.desk,
            Case.due_on,
            Case.history_length,
            Case.language,
            Case.preferred_channel,
            Complainant.id.label("complainant_id"),
            Complainant.role,
            Complainant.phone_sealed,
            Complainant.email_sealed,
        )
        .outerjoin(Complainant, Complainant.case_id == Case.id)
        # One array, not a thousand parameters: a batch of the sweep asks for as many.
        .where(Case.id == any_(bindparam(None, sorted(set(case_ids)), ARRAY(BigInteger))))
        .order_by(Case.id, Complainant.role, Complainant.id)
    )
    grouped: dict[int, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.id, []).append(row)
    return {case_id: _contact(keyring, people) for case_id, people in grouped.items()}


def officers_of(session: Session, officer_ids: Collection[int]) -> dict[int, OfficerContact]:
    """The active ones among the officers, by id, in one statement."""
    wanted = sorted(set(officer_ids))
    if not wanted:
        return {}
    rows = session.execute(
        select(Officer.id, Officer.language, Officer.email, Officer.phone, Officer.email_bounced).where(
            Officer.id.in_(wanted), Officer.is_active
        )
    )
    return {
        row.id: OfficerContact(
            row.id,
            row.language,
            frozenset(_channels(email=row.email if row.email != row.email_bounced else None, phone=row.phone)),
        )
        for row in rows
    }


def desk_holder(session: Session, case_id: int, office_id: int, desk: str, on: date) -> int | None:
    """The officer who answers for a desk on a day (regular holder, on leave the alternate), or None for an empty chair.

    A post whose holder the grievance is against is passed over with its alternates: they are subordinates. Where all are on
    leave the message waits for the holder: it is no rung of the ladder, which would pass the post.
    """
    accused = accused_of(session, [case_id]).get(case_id, ())
    return _answering(holders(session, [office_id], on), desk, accused)


def stand_in(session: Session, case_id: int, office_id: int, desk: str, officer_id: int, on: date) -> int:
    """Whom a message about a case to an officer goes to: the officer; on leave, who stands in at that office, or who answers
    for the desk. Where nobody does, the officer all the same."""
    if not session.execute(select(is_on_leave(officer_id, on))).scalar_one():
        return officer_id
    accused = accused_of(session, [case_id]).get(case_id, ())
    seats = holders(session, [office_id], on)
    for post in seats:
        is_own = any(each.officer_id == officer_id for each in (post.regular, *post.alternates) if each)
        if is_own and post.acting is not None and not is_tainted(post, accused):
            return post.acting.officer_id
    return _answering(seats, desk, accused) or officer_id


def _answering(seats: Collection[StaffedPost], desk: str, accused: Collection[Any]) -> int | None:
    fitting = [post for post in seats if post.role == DESK_ROLE[desk] and not is_tainted(post, accused)]
    present = (post.acting.officer_id for post in fitting if post.acting is not None)
    absent = (post.regular.officer_id for post in fitting if post.regular is not None)
    return next(present, None) or next(absent, None)


def accused_of(session: Session, case_ids: Collection[int]) -> dict[int, Sequence[Any]]:
    """Whom the cases are against (officer, post or office), by case id; without a line where they accuse nobody."""
    found: dict[int, list[Any]] = {}
    if case_ids:
        columns = (Accused.case_id, Accused.officer_id, Accused.post_id, Accused.office_id)
        for row in session.execute(select(*columns).where(Accused.case_id.in_(set(case_ids)))):
            found.setdefault(row.case_id, []).append(row)
    return dict(found)


_ABOVE = {"gro": "appeal_officer", "appeal_officer": "cell_officer", "cell_officer": None}


def seat_above(
    session: Session,
    office_id: int,
    role: str,
    on: date,
    accused: Collection[Any],
    passed_over: Collection[int] = (),
) -> StaffedPost | None:
    """The first filled post above one of an office that no accused sits in; None above the Cabinet Division cell.

    Where the officer who answers is one of `passed_over`, the search goes on above. A post that is missing in the office is
    looked for in the offices above it, and in the cell.
    """
    book = directory(session)
    chain: list[int] = []
    current: int | None = office_id
    while current is not None and current not in chain:
        chain.append(current)
        current = book.office(current).parent_id
    seats = holders(session, {*chain, book.cell.id}, on)
    wanted = _ABOVE.get(role, "gro")
    while wanted is not None:
        for place in (*chain, book.cell.id):
            for seat in seats:
                if seat.office_id != place or seat.role != wanted or seat.acting is None:
                    continue
                if seat.acting.officer_id not in passed_over and not is_tainted(seat, accused):
                    return seat
        wanted = _ABOVE[wanted]
    return None


def is_tainted(post: StaffedPost, accused: Collection[Any]) -> bool:
    """Whether one who sits in a post is accused: then nobody in it may hear of the case."""
    sitting = {holder.officer_id for holder in (post.regular, *post.alternates) if holder is not None}
    return any(
        row.officer_id in sitting
        if row.officer_id is not None
        else row.post_id == post.post_id
        if row.post_id is not None
        else row.office_id == post.office_id
        for row in accused
    )


def _contact(keyring: Keyring, people: list[Any]) -> CaseContact:
    case = people[0]
    number = case.tracking_number
    filers = [person for person in people if person.role != "member"]
    phone = next((person.phone_sealed for person in filers if person.phone_sealed), None)
    email = next((person.email_sealed for person in filers if person.email_sealed), None)
    found = None
    if not case.is_anonymous:
        found = chosen(
            case.preferred_channel,
            keyring.open(phone, f"complainant.phone:{number}") if phone else None,
            keyring.open(email, f"complainant.email:{number}") if email else None,
        )
    channel, address = found or (None, None)
    return CaseContact(
        case.id,
        number,
        case.is_sensitive,
        case.office_id,
        case.desk,
        case.due_on,
        case.history_length,
        case.language,
        channel,
        address,
        tuple(_members(keyring, number, people, found)),
    )


def _members(keyring: Keyring, number: str, people: list[Any], filer: tuple[Channel, str] | None) -> Iterator[Member]:
    """Who has joined in and left an address that nobody before them has: a phone that is shared gets one message."""
    taken = {filer[1].casefold()} if filer else set()
    for person in people:
        if person.role != "member":
            continue
        phone, email = person.phone_sealed, person.email_sealed
        found = chosen(
            "sms",
            keyring.open(phone, f"complainant.phone:{number}") if phone else None,
            keyring.open(email, f"complainant.email:{number}") if email else None,
        )
        if found is not None and found[1].casefold() not in taken:
            taken.add(found[1].casefold())
            yield Member(person.complainant_id, *found)


def _channels(*, email: str | None, phone: str | None) -> list[Channel]:
    found: list[Channel] = []
    if email:
        found.append("email")
    if phone:
        found.append("sms")
    return found
