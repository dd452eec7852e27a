"""Writing the directory: importing reference files, and appointing officers to posts.

The import is idempotent. Rows are found by code or slug; a changed name is changed in place; what a file no longer names is
reported, never removed, because cases refer to it (end it with `valid_to`). Nothing is written if any file has a fault.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.kernel import audit
from grm.kernel.actor import SYSTEM, Actor
from grm.kernel.errors import Conflict, IllegalAction, InvalidInput, NotFound
from grm.offices import edition, layouts, reference_tables
from grm.offices.layouts import LAYOUTS, SHIPPED
from grm.offices.models import Office, Post, Posting
from grm.offices.reference_files import read_folder
from grm.offices.upsert import Tally

_IMPORT_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('reference-import', 0))")


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, by table; `unlisted` names what is in force but in none of the files (table, code)."""

    tallies: Mapping[str, Tally]
    unlisted: tuple[tuple[str, str], ...]
    edition: int

    @property
    def is_change(self) -> bool:
        """Whether anything was written, and so a new edition begun."""
        return any(tally.is_change for tally in self.tallies.values())


def import_reference_data(
    session: Session, now: datetime, folder: Path = SHIPPED, actor: Actor = SYSTEM
) -> ImportReport:
    """Bring the directory to what a folder of CSV files says, within the caller's transaction.

    Files that the folder lacks are left as they are; offices and posts follow from ministries, districts and the two
    pattern files. Raises `BadFiles` with every fault before anything is written.
    """
    session.execute(_IMPORT_LOCK)
    files = read_folder(folder, LAYOUTS, reference_tables.known(session))
    patterns = read_folder(SHIPPED, (layouts.OFFICE_PATTERNS, layouts.POST_PATTERNS), {})
    tallies = reference_tables.import_tables(session, files, patterns)
    unlisted = tuple(
        (table, "/".join(str(part) for part in key)) for table, tally in tallies.items() for key in tally.unlisted
    )
    report = ImportReport(tallies, unlisted, edition.current(session))
    if not report.is_change:
        return report
    changes = {table: [tally.created, tally.changed] for table, tally in tallies.items() if tally.is_change}
    audit.record(session, "directory", "reference-data-imported", actor, now, changes=changes)
    return replace(report, edition=edition.bump(session))


def post_officer(
    session: Session,
    now: datetime,
    officer_id: int,
    post_id: int,
    starts_on: date,
    *,
    ends_on: date | None = None,
    is_alternate: bool = False,
    actor: Actor = SYSTEM,
) -> Posting:
    """Appoint an officer to a post from a day on (`ends_on` is exclusive).

    A post has one regular holder at a time: raises `Conflict` `post-is-held` where the time overlaps another regular
    posting, which must be ended first, or announced to end by then: until all is handed over, both sit there. Alternates may
    be several. Raises `NotFound` for an unknown officer or post, `IllegalAction` `own-appointment` for who would appoint
    himself, and `administrator-holds-no-post`, for an administrator sees no case.
    """
    post = session.scalar(select(Post).where(Post.id == post_id).with_for_update())
    if post is None:
        raise NotFound("no-such-post", post_id=post_id)
    officer = session.get(Officer, officer_id)
    if officer is None:
        raise NotFound("no-such-officer", officer_id=officer_id)
    if officer.is_admin:
        raise IllegalAction("administrator-holds-no-post")
    if actor.officer_id == officer_id:
        raise IllegalAction("own-appointment")
    if ends_on is not None and ends_on <= starts_on:
        raise InvalidInput("posting-ends-before-start", fields={"ends_on": "posting-ends-before-start"})
    overlapping = select(Posting.id).where(
        Posting.post_id == post_id,
        Posting.is_alternate == is_alternate,
        or_(Posting.ends_on.is_(None), Posting.ends_on > starts_on),
        or_(Posting.leaving_on.is_(None), Posting.leaving_on > starts_on),
        *([Posting.starts_on < ends_on] if ends_on is not None else []),
        *([Posting.officer_id == officer_id] if is_alternate else []),
    )
    if session.scalar(overlapping.limit(1)) is not None:
        raise Conflict("post-is-held", post_id=post_id)
    posting = Posting(
        post_id=post_id, officer_id=officer_id, is_alternate=is_alternate, starts_on=starts_on, ends_on=ends_on
    )
    session.add(posting)
    session.flush()
    audit.record(
        session,
        "directory",
        "officer-posted",
        actor,
        now,
        posting_id=posting.id,
        post_id=post_id,
        officer_id=officer_id,
        is_alternate=is_alternate,
        starts_on=starts_on.isoformat(),
    )
    return posting


def end_posting(session: Session, now: datetime, posting_id: int, ends_on: date, *, actor: Actor = SYSTEM) -> Posting:
    """End a posting: the officer holds the post until the day before `ends_on`. Where work may be left behind, the end goes
    through `grm/cases/handover.py`; the database refuses to leave a case with nobody.

    Raises `NotFound` for an unknown posting, `Conflict` `posting-has-ended` where it ends earlier already, and
    `InvalidInput` for an end on or before its first day.
    """
    posting = session.scalar(select(Posting).where(Posting.id == posting_id).with_for_update())
    if posting is None:
        raise NotFound("no-such-posting", posting_id=posting_id)
    if posting.ends_on is not None and posting.ends_on <= ends_on:
        raise Conflict("posting-has-ended", posting_id=posting_id)
    if ends_on <= posting.starts_on:
        raise InvalidInput("posting-ends-before-start", fields={"ends_on": "posting-ends-before-start"})
    posting.ends_on = ends_on
    session.flush()
    audit.record(session, "directory", "posting-ended", actor, now, posting_id=posting_id, ends_on=ends_on.isoformat())
    return posting


def close_posting(session: Session, posting_id: int, today: date) -> None:
    """End a posting at once, as part of a handover, which records it; one that has not begun was never in force."""
    posting = session.get_one(Posting, posting_id, with_for_update=True, populate_existing=True)
    posting.ends_on = max(today, posting.starts_on)
    session.flush()


def post_of(session: Session, office_code: str, role: str) -> Post:
    """The first post with a role in an office. Raises `NotFound` `no-such-office` or `no-such-post`."""
    office_id = session.scalar(select(Office.id).where(Office.code == office_code))
    if office_id is None:
        raise NotFound("no-such-office", office=office_code)
    post = session.scalar(select(Post).where(Post.office_id == office_id, Post.role == role).order_by(Post.id).limit(1))
    if post is None:
        raise NotFound("no-such-post", office=office_code, role=role)
    return post
