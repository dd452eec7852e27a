"""Filing a grievance: everything or nothing, once, and never refused for lack of an office."""

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grm.cases import claims, history
from grm.cases.events import CaseFiled
from grm.cases.models import Case
from grm.cases.sealing import sealed
from grm.deadlines import service as deadlines
from grm.deadlines.policy import CaseFacts
from grm.intake import routes
from grm.intake.draft_file_rows import NO_FILES, Files, files_to_file
from grm.intake.models import Submission
from grm.intake.screening import Answers, without_identity
from grm.intake.statement import FilesCame, NewCase, insert_case
from grm.kernel import context, tracking_number
from grm.kernel.actor import Actor, complainant
from grm.kernel.clock import DHAKA, dhaka_date
from grm.kernel.transaction import transaction
from grm.offices.directory import Directory
from grm.offices.queries import directory

_TRIES = 3
"""A tracking number has 60 random bits; drawing one that is taken twice running means that the randomness is broken."""
_CLOCK = tuple(each.name for each in fields(deadlines.Planned))
_NUMBER_TAKEN = "uq__cases__tracking_number"


@dataclass(frozen=True, slots=True)
class Filing:
    """A screened form on its way in. `token` names the rendered form: any number of filings under it make one case."""

    answers: Answers
    token: str = field(repr=False)
    verbatim: Mapping[str, str] = field(repr=False)
    """What was typed, field by field; kept sealed and unchanged, an anonymous one without identity."""
    channel: str = "web"
    filed_by_office_id: int | None = None
    has_files: bool = False
    """Whether files may have been handed in with it; a form without any is not asked for them."""


@dataclass(frozen=True, slots=True)
class Filed:
    """What the receipt says. `is_new` is False where the same form had been filed before."""

    tracking_number: str
    secret: str = field(repr=False)
    office_id: int
    due_on: date
    filed_at: datetime
    category_id: int
    is_anonymous: bool
    is_new: bool


def file_grievance(
    filing: Filing, actor: Actor | None = None, now: datetime | None = None, number: str | None = None
) -> Filed:
    """File a screened grievance in one transaction: two statements, a third for the messages (ADR 0010).

    `actor` is the officer at a desk; None where the complainant files. `now` is given where the caller has read the
    database's clock in this transaction already. The same token again returns the first filing's receipt. `number` is
    the tracking number where it must not be random: in the demo.
    """
    if number is not None:
        return _with_late_files(filing, actor, now, number)
    for _ in range(_TRIES - 1):
        try:
            return _with_late_files(filing, actor, now, tracking_number.new_tracking_number())
        except IntegrityError as error:
            if _NUMBER_TAKEN not in str(error.orig):
                raise
    return _with_late_files(filing, actor, now, tracking_number.new_tracking_number())


def _with_late_files(filing: Filing, actor: Actor | None, now: datetime | None, number: str) -> Filed:
    """File, and once more where a file was added in the meantime: then nothing has been committed yet."""
    try:
        return _file(filing, actor, now, number)
    except FilesCame:
        return _file(replace(filing, has_files=True), actor, now, number)


def submission_key(token: str) -> bytes:
    """The unique key of the submission made from the form with this token: a keyed hash, so the table shows no token."""
    return hmac.digest(context.settings().tracking_key, b"grm:submission:" + token.encode(), "sha256")


def secret_of(token: str) -> str:
    """The secret of the case filed from the form with this token."""
    return tracking_number.derive_secret(context.settings().tracking_key, token.encode())


def find_filed(session: Session, token: str) -> Filed | None:
    """The receipt of the form with this token, if it was filed (one statement)."""
    columns = (Case.tracking_number, Case.office_id, Case.due_on, Case.filed_at, Case.category_id, Case.is_anonymous)
    row = session.execute(
        select(*columns)
        .join(Submission, Submission.id == Case.submission_id)
        .where(Submission.key == submission_key(token))
    ).one_or_none()
    if row is None:
        return None
    return Filed(secret=secret_of(token), is_new=False, **row._mapping)


def started_at(received_on: date | None, now: datetime) -> datetime:
    """When the clocks start: at the filing, or at noon in Dhaka of the earlier day on which the paper was received."""
    if received_on is None or received_on >= dhaka_date(now):
        return now
    return datetime.combine(received_on, time(12), DHAKA).astimezone(UTC)


def _file(filing: Filing, actor: Actor | None, now: datetime | None, number: str) -> Filed:
    with transaction(now) as act:
        book = directory(act.session)
        files = files_to_file(act.session, draft_hash(filing.token)) if filing.has_files else NO_FILES
        new = _compose(act.session, book, filing, actor or complainant(number), act.now, number, files)
        case_id = insert_case(act.session, new, dhaka_date(act.now))
        if case_id is None:
            found = find_filed(act.session, filing.token)
            assert found is not None, "a submission without its case"
            return found
        answers = filing.answers
        case = new.case
        act.record(
            CaseFiled(
                case_id=case_id,
                tracking_number=number,
                is_sensitive=case["is_sensitive"],
                office_id=case["office_id"],
                desk=case["desk"],
                language=answers.language,
                preferred_channel=answers.preferred_channel,
                phone=answers.phone,
                email=answers.email,
                due_on=case["due_on"],
            )
        )
    return Filed(
        tracking_number=number,
        secret=secret_of(filing.token),
        office_id=case["office_id"],
        due_on=case["due_on"],
        filed_at=case["filed_at"],
        category_id=case["category_id"],
        is_anonymous=case["is_anonymous"],
        is_new=True,
    )


def _compose(
    session: Session, book: Directory, filing: Filing, actor: Actor, now: datetime, number: str, files: Files
) -> NewCase:
    """All column values, from caches and the form; nothing is written."""
    answers = filing.answers
    route = routes.choose(session, book, answers, dhaka_date(now))
    start = started_at(answers.received_on, now)
    category = book.category(answers.category)
    facts = CaseFacts(route.office_id, answers.programme, answers.category, category.priority, "gro")
    planned = deadlines.plan(session, facts, start)
    due = next(each for each in planned if each.kind == "resolve")
    submission = _submission(filing, now)
    event = history.first_event(
        number,
        "filed",
        now,
        actor,
        {
            "office_id": route.office_id,
            "desk": route.desk,
            "rule_id": route.rule_id,
            "due_on": due.due_on,
            "channel": filing.channel,
            "received_on": dhaka_date(start),
            # Ties the form as received to the chain, without a word of it.
            "submission": hashlib.sha256(submission["sealed"]).hexdigest(),
            **files.data,
        },
    )
    case = {
        "tracking_number": number,
        "secret_mac": tracking_number.secret_mac(context.settings().tracking_key, number, secret_of(filing.token)),
        "status": "filed",
        "office_id": route.office_id,
        "desk": route.desk,
        "routing_rule_id": route.rule_id,
        "programme_id": book.programme(answers.programme).id if answers.programme else None,
        "programme_words": answers.programme_words,
        "category_id": category.id,
        "priority": category.priority,
        "district_id": book.place(answers.district).id if answers.district else None,
        "upazila_id": book.place(answers.upazila).id if answers.upazila else None,
        "place": answers.place,
        "incident_on": answers.incident_on,
        "details": answers.details,
        "is_sensitive": answers.is_sensitive,
        "is_anonymous": answers.is_anonymous,
        "has_accused": bool(route.accused_office_ids or route.accused_posts),
        "about": route.about,
        "channel": filing.channel,
        "language": answers.language,
        "preferred_channel": answers.preferred_channel,
        "filed_by_id": actor.officer_id,
        "filed_by_office_id": filing.filed_by_office_id,
        "filed_at": now,
        "received_on": dhaka_date(start),
        "due_on": due.due_on,
        "due_at": due.due_at,
        "history_length": event.tip.length,
        "history_head": event.tip.head,
    }
    return NewCase(
        submission=submission,
        case=case,
        event=event.values,
        texts=event.texts,
        people=_people(answers, number),
        deadlines=[{name: getattr(each, name) for name in _CLOCK} for each in planned],
        accused_office_ids=route.accused_office_ids,
        accused_posts=route.accused_posts,
        claim=_claim(answers, book, number),
        file_ids=files.ids,
        draft_hash=draft_hash(filing.token),
    )


def _claim(answers: Answers, book: Directory, number: str) -> dict[str, Any] | None:
    """The facts of a payment or a correction, where there are any."""
    told = answers.claim
    if told is None:
        return None
    return claims.values_of(number, told, book.office(told.provider).id if told.provider else None)


def draft_hash(token: str) -> bytes:
    """What the draft table keeps of a form's token; it has 128 random bits, so a plain hash suffices."""
    return hashlib.sha256(b"grm:draft:" + token.encode()).digest()


def new_token() -> str:
    """A token for a form about to be shown: 128 random bits."""
    return secrets.token_urlsafe(16)


def _submission(filing: Filing, now: datetime) -> dict[str, Any]:
    key = submission_key(filing.token)
    form = json.dumps(without_identity(filing.verbatim), ensure_ascii=True)  # lone surrogates survive as \u escapes
    return {
        "key": key,
        "sealed": context.keyring().seal(form, f"submission:{key.hex()}"),
        "channel": filing.channel,
        "received_at": now,
    }


def _people(answers: Answers, number: str) -> list[dict[str, Any]]:
    """The complainant, who files for them, and who complains with them. Phone and e-mail of the form belong to whoever is to
    be told of everything: the one who files."""
    facts = {"sex": answers.sex, "age_group": answers.age_group, "disability": answers.disability}
    contact = sealed(number, phone=answers.phone, email=answers.email)
    nobody = sealed(number, phone=None, email=None)
    person = {"role": "complainant", **sealed(number, name=answers.name), **facts, "relation": None}
    members = [
        {"role": "member", **sealed(number, name=each.name, phone=each.phone, email=None)} for each in answers.others
    ]
    if not answers.is_on_behalf:
        return [person | contact, *members]
    representative = {
        "role": "representative",
        **sealed(number, name=answers.representative_name),
        **dict.fromkeys(facts),
        "relation": answers.relation,
    }
    return [person | nobody, representative | contact, *members]
