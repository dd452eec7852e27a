"""What the Cabinet Division has done with the demo's past: closures drawn and reviewed, directions given, and this
morning's alarms.

Comes after the stories, with the true services at instants of the past. Again it adds nothing but for what is new.
"""

import contextlib
from datetime import date, datetime, timedelta
from random import Random

from sqlalchemy import delete, select

from grm.accounts.models import Officer
from grm.alarms.looking import look
from grm.alarms.models import AlarmCount, AlarmRun
from grm.cases import samples
from grm.cases.closing_models import ClosureSample, SampleMonth
from grm.cases.directions import direct_case
from grm.cases.models import Case
from grm.deadlines.calendar import dhaka_midnight
from grm.demo import past_messages
from grm.kernel.actor import Actor
from grm.kernel.db import db
from grm.kernel.errors import GrmError
from grm.kernel.transaction import transaction
from grm.offices.queries import directory, holders
from grm.offices.signed_in import actor_of
from grm.reviews import assigning
from grm.reviews.findings import Written
from grm.reviews.service import report_month, write_review
from grm.tallies.folding import fold_all

MONTHS = 3
"""So many months were drawn; all but the last are reviewed, and all but the last two reported."""
SHARE_REVIEWED = 0.85
_MORNING = timedelta(hours=6, minutes=30)
_FOUND = (
    ("contacted", "no", "অভিযোগকারী জানিয়েছেন, নিষ্পত্তির আগে কেউ তাঁর সঙ্গে কথা বলেননি।"),
    ("contacted", "no", "ফোন নম্বর দেওয়া ছিল, তবু যোগাযোগের কোনো চেষ্টা নথিতে নেই।"),
    ("to_the_point", "no", "জবাবে শুধু বলা হয়েছে ব্যবস্থা নেওয়া হচ্ছে; অভিযোগের উত্তর নেই।"),
    ("passed_on", "yes", "উপজেলা কার্যালয়ে পাঠিয়েই নিষ্পত্তি দেখানো হয়েছে।"),
    ("reopen", "yes", "তালিকা থেকে বাদ পড়ার কারণ যাচাই করা হয়নি; আপিল করলে সফল হবেন।"),
)
_ORDERS = (
    "বকেয়া ভাতা কেন দেওয়া হয়নি, হিসাব মিলিয়ে নিষ্পত্তি করে প্রতিবেদন দিন।",
    "সরেজমিন তদন্ত করে সিদ্ধান্ত নিন এবং অভিযোগকারীকে জানিয়ে প্রতিবেদন দিন।",
    "বিলম্বের কারণ ব্যাখ্যা করুন এবং নির্ধারিত তারিখের মধ্যে নিষ্পত্তি করুন।",
)
_DIRECTED = 6


def watch(today: date, seed: int) -> int:
    """Draw, review and report as of the beginning of a Dhaka date, and look for its morning's alarms; how many are new."""
    fold_all()
    with transaction(dhaka_midnight(today)) as act:  # a system that ran before has drawn already, of nothing
        act.session.execute(delete(SampleMonth).where(SampleMonth.drawn == 0, SampleMonth.reported_at.is_(None)))
    months = [samples.month_before(today)]
    while len(months) < MONTHS:
        months.append(samples.month_before(months[-1]))
    for position, month in enumerate(reversed(months)):
        drawn_at = dhaka_midnight((month + timedelta(days=31)).replace(day=1)) + _MORNING
        samples.draw_month(month, drawn_at)
        if position < MONTHS - 1:
            assigning.assign_open(drawn_at)
            _review(month, min(drawn_at + timedelta(days=6), dhaka_midnight(today)), seed)
        if position < MONTHS - 2:
            _report(month, drawn_at + timedelta(days=20))
    assigning.assign_open()
    _direct(dhaka_midnight(today))
    at = dhaka_midnight(today) + _MORNING
    with transaction(at) as act:  # a system that ran before has looked already, at nothing
        act.session.execute(delete(AlarmRun).where(AlarmRun.day == today))
        act.session.execute(delete(AlarmCount))
    raised = look(at).raised
    with transaction(at) as act:
        past_messages.settle(act.session, (), at + timedelta(minutes=1))
    return raised


def _review(month: date, at: datetime, seed: int) -> None:
    session = db.session()
    rows = session.execute(
        select(Case.tracking_number, Case.is_sensitive, Case.category_id, ClosureSample.reviewer_id)
        .join(ClosureSample, ClosureSample.case_id == Case.id)
        .where(ClosureSample.month == month, ClosureSample.state == "open", ClosureSample.reviewer_id.is_not(None))
        .order_by(ClosureSample.id)
    ).all()
    book = directory(session)
    session.rollback()
    for row in rows:
        rng = Random(f"grm demo review {seed} {row.tracking_number}")  # noqa: S311 - made up, not secret
        if rng.random() > SHARE_REVIEWED:
            continue
        evidence = "yes" if book.category(row.category_id).needs_visit else "not_needed"
        answers = {"contacted": "yes", "to_the_point": "yes", "passed_on": "no", "evidence": evidence, "reopen": "no"}
        remark = ""
        if rng.random() < 0.3 and not row.is_sensitive:
            question, answer, remark = rng.choice(_FOUND)
            answers[question] = answer
        try:
            write_review(
                _officer(row.reviewer_id, at.date()), row.tracking_number, Written(**answers, remark=remark), 0, now=at
            )
        except GrmError:  # a story of its own: he has decided it, say
            continue


def _report(month: date, at: datetime) -> None:
    cell = _cell(at.date())
    if cell is not None:
        try:
            report_month(cell, month, is_confirmed=True, now=at)
        except GrmError:  # a demo of a few cases has nothing to report
            return


def _direct(at: datetime) -> None:
    """The cell directs the offices that have the cases of level 3 longest."""
    cell = _cell(at.date())
    session = db.session()
    late = select(Case.tracking_number).where(Case.is_open, Case.level == 3, Case.desk == "gro", ~Case.is_sensitive)
    numbers = session.scalars(late.order_by(Case.due_at, Case.id).limit(_DIRECTED)).all()
    session.rollback()
    if cell is None:
        return
    for position, number in enumerate(numbers):
        with contextlib.suppress(GrmError):  # directed already, say
            direct_case(cell, number, None, _ORDERS[position % len(_ORDERS)], now=at)


def _cell(on: date) -> Actor | None:
    session = db.session()
    seats = holders(session, [directory(session).cell.id], on)
    found = next((seat.acting for seat in seats if seat.role == "cell_officer" and seat.acting), None)
    session.rollback()
    return _officer(found.officer_id, on) if found else None


def _officer(officer_id: int, on: date) -> Actor:
    session = db.session()
    return actor_of(session, session.get_one(Officer, officer_id), on)
