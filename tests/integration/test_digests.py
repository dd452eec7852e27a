"""One message a day and channel for an officer: what goes into it, what no longer does, and what goes into the next."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grm.cases import service
from grm.cases.models import Case
from grm.escalation.events import Climb, LadderClimbed
from grm.escalation.sweep import sweep
from grm.kernel import clock, context
from grm.kernel.transaction import transaction
from grm.notifications import delivery, digests
from grm.notifications.delivery import Post, deliver_due
from grm.notifications.models import Message
from tests.support import build
from tests.support.climbs import climb
from tests.support.mailbox import Mailbox
from tests.support.outbox import later

GRO = "gro.social-welfare"


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


@pytest.fixture
def post(app: Flask, session: Session, server: tuple[Mailbox, int]) -> Post:
    settings = replace(context.settings(), smtp_url=f"smtp://127.0.0.1:{server[1]}", mail_from="grm@grm.example")
    found = delivery.post_for("email", settings)
    assert found is not None
    return found


@contextmanager
def production(app: Flask) -> Iterator[None]:
    """As in production, where digests leave in the morning."""
    own = context.settings()
    app.extensions[context.SETTINGS] = replace(own, grm_env="production")
    try:
        yield
    finally:
        app.extensions[context.SETTINGS] = own


def a_case(session: Session, **columns: Any) -> Case:
    case = build.case(session, **({"preferred_channel": "none"} | columns))
    session.commit()
    return case


def tell(*climbs: Climb, now: datetime | None = None) -> None:
    with transaction(now) as act:
        act.record(LadderClimbed(climbs))


def digests_of(session: Session, officer: int, channel: str = "email") -> list[Message]:
    session.rollback()
    session.expire_all()
    found = select(Message).where(Message.officer_id == officer, Message.channel == channel)
    return list(session.scalars(found.where(Message.template == "digest-officer").order_by(Message.key)))


def body(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


# --- what goes in -----------------------------------------------------------------------------------------------------


def test_a_digest_counts_by_level_and_lists_the_most_urgent_first(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    gro = build.officer_id(session, GRO)
    cases = [a_case(session) for _ in range(3)]
    climbs = [climb(cases[0], 0, gro), climb(cases[1], 1, gro), climb(cases[2], 1, gro), climb(cases[2], 2, gro)]
    tell(*climbs, now=now)
    assert deliver_due(post, now) == {"delivered": 1}
    (mail,) = mailbox.taken
    said = body(mail)
    assert "পর্যায় ২ (এখনও নিষ্পত্তি হয়নি): ১টি" in said and "পর্যায় ১ (শেষ তারিখ অতিক্রান্ত): ২টি" in said
    lines = [line for line in said.splitlines() if "–" in line]
    assert [line[:15].replace("-", "") for line in lines] == [
        case.tracking_number for case in (cases[2], cases[1], cases[2], cases[0])
    ]
    assert f"{context.settings().public_url}/queue" in said
    assert mail["Subject"].endswith("৪টি নথিতে আপনার ব্যবস্থা প্রয়োজন")


def test_a_sensitive_case_is_a_number_and_no_more(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    officer = build.officer_id(session, "appeal.social-welfare")
    secret, open_one = a_case(session, category="bribe-demand", desk="appeal"), a_case(session)
    tell(climb(secret, 1, officer, role="appeal_officer"), climb(open_one, 2, officer, role="appeal_officer"), now=now)
    assert deliver_due(post, now) == {"delivered": 1}
    said = body(mailbox.taken[0])
    assert "সংবেদনশীল নথি ১টি" in said
    number = secret.tracking_number
    assert number not in said and f"{number[:4]}-{number[4:8]}-{number[8:]}" not in said
    [row] = digests_of(session, officer)
    assert number not in str(row.params)


def test_at_most_fifty_are_listed_and_the_others_counted(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    gro = build.officer_id(session, GRO)
    tell(*[climb(a_case(session), 1, gro) for _ in range(60)], now=now)
    deliver_due(post, now)
    said = body(mailbox.taken[0])
    assert sum(" – " in line for line in said.splitlines()) == 2 * 50 / 2
    assert "আরও ১০টি আছে" in said and "পর্যায় ১ (শেষ তারিখ অতিক্রান্ত): ৬০টি" in said


def test_a_reminder_is_no_sms_but_a_level_is(session: Session) -> None:
    gro = build.officer_id(session, GRO)
    case = a_case(session)
    tell(climb(case, 0, gro))
    assert digests_of(session, gro, "sms") == []
    tell(climb(case, 1, gro))
    assert len(digests_of(session, gro, "sms")) == 1 and len(digests_of(session, gro)) == 1


def test_an_officer_whose_mail_comes_back_is_told_by_sms(session: Session) -> None:
    gro = build.officer_id(session, GRO)
    session.execute(text("UPDATE officer SET email_bounced = email WHERE id = :id"), {"id": gro})
    tell(climb(a_case(session), 0, gro), climb(a_case(session), 1, gro))
    assert digests_of(session, gro) == []
    [sms] = digests_of(session, gro, "sms")
    held = "SELECT count(*) FROM digest_item WHERE message_id = :id"
    assert session.execute(text(held), {"id": sms.id}).scalar_one() == 2


def test_where_nothing_reaches_an_officer_whoever_stands_above_is_told(session: Session) -> None:
    gro, appeal = build.officer_id(session, GRO), build.officer_id(session, "appeal.social-welfare")
    session.execute(text("UPDATE officer SET email = NULL, phone = NULL WHERE id = :id"), {"id": gro})
    tell(climb(a_case(session), 1, gro))
    assert digests_of(session, gro) == [] and len(digests_of(session, appeal)) == 1


# --- what is left out when it is sent ------------------------------------------------------------------------------------


def test_what_was_done_in_the_meantime_is_left_out(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    gro = build.officer_id(session, GRO)
    done, open_one = a_case(session), a_case(session)
    tell(climb(done, 1, gro), climb(open_one, 1, gro), now=now)
    service.decline_case(
        build.actor(session, GRO), done.tracking_number, done.version, "before_court", "আদালতে বিচারাধীন বিষয়, তাই।"
    )
    deliver_due(post, later(now, seconds=30))
    mails = [mail for mail in mailbox.taken if "নথিতে" in mail["Subject"]]
    assert len(mails) == 1
    number = open_one.tracking_number
    assert f"{number[:4]}-{number[4:8]}-{number[8:]}" in body(mails[0])
    assert done.tracking_number[:4] not in body(mails[0])
    items = session.execute(text("SELECT written_at IS NOT NULL FROM digest_item WHERE channel = 'email' ORDER BY 1"))
    assert list(items.scalars()) == [False, True]


def test_a_digest_with_nothing_left_is_not_sent(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    gro = build.officer_id(session, GRO)
    case = a_case(session)
    tell(climb(case, 0, gro, kind="acknowledge"), now=now)
    service.acknowledge_case(build.actor(session, GRO), case.tracking_number, case.version)
    assert deliver_due(post, later(now, seconds=30)) == {"skipped": 1}
    [digest] = digests_of(session, gro)
    assert (digest.state, digest.error) == ("expired", "no-longer-needed") and mailbox.taken == []


def test_a_withdrawn_escalation_is_left_out(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    gro = build.officer_id(session, GRO)
    tell(climb(a_case(session), 1, gro), now=now)
    session.execute(text("UPDATE escalation SET withdrawn_at = :now"), {"now": now})
    session.commit()
    assert deliver_due(post, now) == {"skipped": 1}


def test_whoever_has_the_post_now_is_told_instead(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    office, officers = build.office(session)
    case = build.case(session, office=office, preferred_channel="none")
    session.commit()
    gone, successor = officers["gro"], build.officer(session)
    tell(climb(case, 1, gone.id), now=now)
    today = clock.dhaka_date(now)
    session.execute(text("UPDATE posting SET ends_on = :day WHERE officer_id = :id"), {"day": today, "id": gone.id})
    build.posting(session, build.post_id(session, office, "gro"), successor.id, starts_on=today)
    session.commit()
    assert deliver_due(post, now)["delivered"] == 1
    assert [mail["To"] for mail in mailbox.taken] == [successor.email]
    assert [digest.error for digest in digests_of(session, gone.id)] == ["no-longer-needed"]


def test_a_closed_account_gets_nothing(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    gro = build.officer_id(session, GRO)
    tell(climb(a_case(session), 1, gro), now=now)
    session.execute(text("UPDATE officer SET is_active = false WHERE id = :id"), {"id": gro})
    session.commit()
    deliver_due(post, now)
    assert mailbox.taken == []


# --- which day -------------------------------------------------------------------------------------------------------------


def test_what_is_found_after_it_left_goes_into_the_next(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    gro = build.officer_id(session, GRO)
    first, second = a_case(session), a_case(session)
    tell(climb(first, 1, gro), now=now)
    deliver_due(post, now)
    tell(climb(first, 2, gro), climb(second, 1, gro), now=now)
    one, two = digests_of(session, gro)
    assert (one.state, two.state) == ("delivered", "pending")
    days = [date.fromisoformat(each.key.split(":")[2]) for each in (one, two)]
    assert days[1] - days[0] == timedelta(days=1)


def test_in_production_it_leaves_at_eight_and_the_next_a_day_later(app: Flask, session: Session) -> None:
    gro = build.officer_id(session, GRO)
    midnight = build.dhaka(2026, 2, 19, 0, 1)
    with production(app):
        tell(climb(a_case(session), 1, gro), now=midnight)
        session.execute(text("UPDATE message SET state = 'sending', attempts = 1"))
        session.commit()
        tell(climb(a_case(session), 1, gro), now=build.dhaka(2026, 2, 19, 9))
    times = [each.next_attempt_at for each in digests_of(session, gro)]
    assert times == [build.dhaka(2026, 2, 19, 8), build.dhaka(2026, 2, 20, 8)]


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        (build.dhaka(2026, 2, 19, 0, 0), build.dhaka(2026, 2, 19, 8)),
        (build.dhaka(2026, 2, 19, 7, 59), build.dhaka(2026, 2, 19, 8, 4)),
        (build.dhaka(2026, 2, 19, 14, 0), build.dhaka(2026, 2, 19, 14, 5)),
        (build.dhaka(2026, 2, 19, 20, 58), build.dhaka(2026, 2, 20, 8)),
        (build.dhaka(2026, 12, 31, 23, 30), build.dhaka(2027, 1, 1, 8)),
    ],
)
def test_by_day_it_waits_a_moment_for_the_rest_of_the_sweep(
    app: Flask, session: Session, at: datetime, leaves: datetime
) -> None:
    with production(app):
        assert digests.first_digest(at) == (clock.dhaka_date(leaves), leaves)


def test_the_text_stays_as_it_was_at_the_first_attempt(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    gro = build.officer_id(session, GRO)
    tell(climb(a_case(session), 1, gro), now=now)
    mailbox.data_answers = ["451 later"]
    deliver_due(post, now)
    [digest] = digests_of(session, gro)
    written = digest.body
    assert digest.state == "pending" and written is not None
    tell(climb(a_case(session), 1, gro), now=now)
    deliver_due(post, later(now, minutes=5))
    assert digests_of(session, gro)[0].body == written
    assert len({mail["Message-ID"] for mail in mailbox.taken}) == len(mailbox.taken)


# --- many ------------------------------------------------------------------------------------------------------------------


def test_five_thousand_at_once_are_one_digest_for_each_officer(app: Flask, session: Session) -> None:
    offices = [build.office_id(session, slug) for slug in ("social-welfare", "food", "health-services")]
    as_of = build.dhaka(2026, 3, 2, 0)
    build.many_cases(session, 5000, 5000, as_of, offices)
    session.commit()
    with production(app):
        result = sweep(as_of, now=as_of)
    assert sum(result.escalated.values()) == 5000
    per_officer = session.execute(
        text("SELECT officer_id, channel, count(*) FROM message WHERE template = 'digest-officer' GROUP BY 1, 2")
    ).all()
    assert 0 < len(per_officer) <= 2 * 2 * len(offices) and {row.count for row in per_officer} == {1}
    told = "SELECT count(DISTINCT escalation_id) FROM digest_item"
    assert session.execute(text(told)).scalar_one() == 5000
    first = "SELECT min(priority) FROM message WHERE template = 'digest-officer'"
    assert session.execute(text(first)).scalar_one() > 1, "an acknowledgement goes first"
