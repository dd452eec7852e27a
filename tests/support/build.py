"""Rows for tests, made directly: officers, posts and cases in any state of their clocks.

The template database has the whole directory with demo officers (`officer_id(session, "gro.social-welfare")`), so most tests
need only `case(…)`. Nothing here commits; call `session.commit()` before services that open transactions of their own.
"""

import hashlib
import itertools
import secrets
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cases import attachments, history
from grm.cases.attachment_models import Attachment
from grm.cases.models import Accused, Case, CaseEvent, CaseText, Complainant
from grm.deadlines import service as deadlines
from grm.deadlines.calendar import DHAKA, dhaka_date
from grm.deadlines.models import Deadline
from grm.files.store import new_name
from grm.intake.models import Submission
from grm.kernel import context, tracking_number
from grm.kernel.actor import SYSTEM, Actor, complainant
from grm.offices import edition
from grm.offices.models import Office, Post, Posting
from grm.offices.queries import directory

_numbers = itertools.count(1)


def dhaka(year: int, month: int, day: int, hour: int = 10, minute: int = 0) -> datetime:
    """An instant by the wall clock in Dhaka, in UTC."""
    return datetime(year, month, day, hour, minute, tzinfo=DHAKA).astimezone(UTC)


def attachment(session: Session, case: Case, content: bytes = b"a file") -> Attachment:
    """A file of a case, in the store of the running application, with its event; nothing of it was cleaned or scanned."""
    name = new_name()
    attachments.store().put(name, content)
    attachments.store().settle(name)
    history.append(session, case, "attached", SYSTEM, case.filed_at, {"files": [], "is_for_complainant": False})
    session.flush()
    made = Attachment(
        case_id=case.id,
        seq=case.history_length,
        stored_name=name,
        media_type="application/pdf",
        size=len(content),
        sha256=hashlib.sha256(content).digest(),
        state="stored",
        is_for_complainant=False,
        taken_out=[],
        attached_at=case.filed_at,
    )
    session.add(made)
    session.flush()
    return made


# --- directory ------------------------------------------------------------------------------------------------------


def office_id(session: Session, ministry: str = "social-welfare") -> int:
    """The office of a ministry by its slug; `cell` for the Cabinet Division's."""
    known = directory(session)
    return known.cell.id if ministry == "cell" else known.ministry(ministry).office_id


def officer_id(session: Session, username: str) -> int:
    """A demo officer by user name."""
    return session.execute(select(Officer.id).where(Officer.username == username)).scalar_one()


def post_id(session: Session, office: int, role: str) -> int:
    """The post with a role in an office, the highest rank first."""
    statement = select(Post.id).where(Post.office_id == office, Post.role == role).order_by(Post.rank.desc(), Post.id)
    return session.scalars(statement).first() or _no_post(office, role)


def officer(session: Session, username: str | None = None, **columns: Any) -> Officer:
    """A new officer, with no post yet."""
    number = next(_numbers)
    name = username or f"officer-{number}-{secrets.token_hex(3)}"
    values: dict[str, Any] = {
        "username": name,
        "password_hash": "none",
        "name_bn": "পরীক্ষার কর্মকর্তা",
        "name_en": f"Officer {number}",
        "email": f"{name}@grm.example",
        "phone": f"+88017{number:08d}",
        "created_at": dhaka(2020, 1, 1),
    }
    made = Officer(**(values | columns))
    session.add(made)
    session.flush()
    return made


def office(
    session: Session, roles: Sequence[str] = ("gro", "appeal_officer", "case_officer"), parent: int | None = None
) -> tuple[int, dict[str, Officer]]:
    """A new office (of kind ministry, without a ministry) with one filled post for each role: its id and its officers."""
    code = f"office-{next(_numbers)}-{secrets.token_hex(3)}"
    made = Office(code=code, kind="ministry", name_en=code, name_bn="পরীক্ষার দপ্তর", parent_id=parent)
    session.add(made)
    session.flush()
    officers = {}
    for rank, role in enumerate(roles):
        post = Post(office_id=made.id, code=role, role=role, name_en=role, name_bn=role, rank=9 - rank)
        session.add(post)
        session.flush()
        officers[role] = officer(session)
        posting(session, post.id, officers[role].id)
    edition.bump(session)
    return made.id, officers


def posting(
    session: Session,
    post: int,
    officer: int,
    is_alternate: bool = False,
    starts_on: date = date(2020, 1, 1),
    ends_on: date | None = None,
) -> Posting:
    """Post an officer, as regular holder or alternate."""
    made = Posting(post_id=post, officer_id=officer, is_alternate=is_alternate, starts_on=starts_on, ends_on=ends_on)
    session.add(made)
    session.flush()
    return made


def vacate(session: Session, office: int, role: str, on: date = date(2021, 1, 1)) -> int:
    """End all postings to an office's post with a role from a day on, and return the post's id."""
    post = post_id(session, office, role)
    session.execute(update(Posting).where(Posting.post_id == post).values(ends_on=on))
    return post


def _no_post(office: int, role: str) -> int:
    raise LookupError(f"office {office} has no post {role}")


# --- cases ----------------------------------------------------------------------------------------------------------


def case(
    session: Session,
    office: int | None = None,
    desk: str = "gro",
    filed_at: datetime | None = None,
    *,
    assignee: int | None = None,
    programme: str | None = "old-age-allowance",
    category: str = "payment-not-received",
    details: str = "ছয় মাস ধরে ভাতা পাই না",
    phone: str | None = "+8801712345678",
    email: str | None = None,
    preferred_channel: str = "sms",
    language: str = "bn",
    accused_officers: Sequence[int] = (),
    accused_office: int | None = None,
    **columns: Any,
) -> Case:
    """A filed case with submission, complainant, first event and both clocks, as the form would leave it.

    `columns` sets further columns of the case row (`status="in_progress"`, `district_id=…`). Without `filed_at` it was
    filed on 4 January 2026 at 10:00: due, 30 working days later, on 18 February.
    """
    known = directory(session)
    office = office if office is not None else office_id(session)
    filed_at = filed_at or dhaka(2026, 1, 4)
    of_kind = known.category(category)
    number = tracking_number.new_tracking_number()
    planned = deadlines.plan(
        session, deadlines.CaseFacts(office_id=office, programme=programme, category=category), filed_at
    )
    resolve = next(each for each in planned if each.kind == "resolve")
    submission = Submission(key=secrets.token_bytes(16), sealed=b"sealed", channel="web", received_at=filed_at)
    session.add(submission)
    session.flush()
    first = history.first_event(
        number,
        "filed",
        filed_at,
        complainant(number),
        {"office_id": office, "desk": desk, "rule_id": None, "due_on": resolve.due_on},
    )
    has_accused = bool(accused_officers) or accused_office is not None
    values: dict[str, Any] = {
        "tracking_number": number,
        "secret_mac": secrets.token_bytes(32),
        "submission_id": submission.id,
        "status": "filed",
        "office_id": office,
        "desk": desk,
        "assignee_id": assignee,
        "programme_id": known.programme(programme).id if programme else None,
        "category_id": of_kind.id,
        "district_id": known.districts[0].id,
        "place": "",
        "details": details,
        "is_sensitive": of_kind.is_sensitive,
        "is_anonymous": False,
        "has_accused": has_accused,
        "about": "gro" if has_accused else "none",
        "channel": "web",
        "language": language,
        "preferred_channel": preferred_channel,
        "filed_at": filed_at,
        "received_on": dhaka_date(filed_at),
        "due_on": resolve.due_on,
        "due_at": resolve.due_at,
        "history_length": first.tip.length,
        "history_head": first.tip.head,
    }
    made = Case(**(values | columns))
    session.add(made)
    session.flush()
    session.add(CaseEvent(case_id=made.id, **first.values))
    session.add_all(CaseText(case_id=made.id, **row) for row in first.texts)
    session.add(_complainant(made, phone, email))
    session.add_all(Accused(case_id=made.id, officer_id=each) for each in accused_officers)
    if accused_office is not None:
        session.add(Accused(case_id=made.id, office_id=accused_office))
    deadlines.insert(session, made.id, planned)
    session.flush()
    return made


def deadline(session: Session, case_id: int, kind: str = "resolve") -> Deadline:
    """The newest clock of a kind, fresh from the database."""
    statement = select(Deadline).where(Deadline.case_id == case_id, Deadline.kind == kind)
    statement = statement.order_by(Deadline.epoch.desc()).limit(1).execution_options(populate_existing=True)
    return session.scalars(statement).one()


def actor(session: Session, username: str, on: date = date(2026, 1, 4)) -> Actor:
    """A demo officer as an actor with the seats of a day."""
    from grm.offices.signed_in import actor_of

    return actor_of(session, session.get_one(Officer, officer_id(session, username)), on)


def _complainant(case: Case, phone: str | None, email: str | None) -> Complainant:
    keys = context.keyring()
    return Complainant(
        case_id=case.id,
        role="complainant",
        phone_sealed=keys.seal(phone, f"complainant.phone:{case.tracking_number}") if phone else None,
        phone_index=keys.blind_index("phone", phone) if phone else None,
        email_sealed=keys.seal(email, f"complainant.email:{case.tracking_number}") if email else None,
    )


def many_cases(
    session: Session, count: int, overdue: int, as_of: datetime, office_ids: Sequence[int], ahead_days: int = 20
) -> None:
    """`count` open cases with one resolve clock each, `overdue` of which were due a second before `as_of` (level 1 next).

    The rest are due in the `ahead_days` after that. Set-based, a few seconds for a hundred thousand. Their histories have a
    length but no rows: good for measuring, not for `audit verify`.
    """
    parameters = {
        "count": count,
        "overdue": overdue,
        "as_of": as_of,
        "offices": list(office_ids),
        "seconds": ahead_days * 86_400,
        "mark": secrets.token_hex(4),
    }
    session.execute(text("SET LOCAL statement_timeout = 0"))
    session.execute(text("SET LOCAL session_replication_role = replica"))  # the references are right by construction
    for statement in _MANY:
        session.execute(text(statement), parameters)
    session.execute(text("SET LOCAL session_replication_role = origin"))


_MANY = (
    """
    INSERT INTO submission (key, sealed, channel, received_at)
    SELECT decode(md5(:mark || n), 'hex'), '\\x00', 'web', :as_of - interval '60 days'
    FROM generate_series(1, :count) AS n
    """,
    """
    INSERT INTO cases (tracking_number, secret_mac, submission_id, status, tier, level, version, office_id, desk,
        category_id, place, details, is_sensitive, is_anonymous, has_accused, about, channel, language,
        preferred_channel, filed_at, received_on, due_on, due_at, history_length, history_head)
    SELECT 'M' || :mark || n, '\\x00', s.id, 'filed', 'gro', 0, 1,
        (CAST(:offices AS bigint[]))[1 + n % cardinality(CAST(:offices AS bigint[]))], 'gro',
        (SELECT min(id) FROM category), '', 'ছয় মাস ধরে ভাতা পাই না, অফিসে গেলে পরে আসতে বলে', false, false, false,
        'none', 'web', 'bn', 'none', :as_of - interval '60 days', CAST(:as_of - interval '60 days' AS date),
        CAST(:as_of - interval '1 day' AS date), :as_of, 1, sha256(CAST(s.id AS text)::bytea)
    FROM generate_series(1, :count) AS n
    JOIN submission AS s ON s.key = decode(md5(:mark || n), 'hex')
    """,
    """
    INSERT INTO deadline (case_id, kind, epoch, policy_id, calendar_version, started_at, due_on, due_at, state,
        next_level, next_rung_at)
    SELECT c.id, 'resolve', 1, (SELECT id FROM deadline_policy WHERE code = 'resolve'),
        (SELECT max(id) FROM calendar_edition), c.filed_at, c.due_on, at, 'running', 1, at
    FROM (
        SELECT id, filed_at, due_on,
            CASE WHEN row_number() OVER (ORDER BY submission_id % 97, id) <= :overdue THEN :as_of - interval '1 second'
                 ELSE :as_of + (1 + id % :seconds) * interval '1 second' END AS at
        FROM cases WHERE tracking_number LIKE 'M' || :mark || '%'
    ) AS c
    """,
    "ANALYZE cases, deadline",
)
