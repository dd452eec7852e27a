"""Mail that comes back days later: through a real SMTP server out, and as a notification into `flask messages bounce`."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.orm import Session

from grm.accounts.models import Officer
from grm.cli import register
from grm.escalation.events import Climb, LadderClimbed
from grm.kernel import clock, context
from grm.kernel.transaction import transaction
from grm.notifications import delivery
from grm.notifications.bounces import Taken, take
from grm.notifications.delivery import Post, deliver_due
from grm.notifications.undelivered import follow_up
from tests.support import build
from tests.support.climbs import climb
from tests.support.dsn import BARE_REPORT, EXIM_HEADERS_ONLY, HOLIDAY_NOTICE, POSTFIX, READ_RECEIPT, returned
from tests.support.mailbox import Mailbox
from tests.support.outbox import add_message, later, message

GRO, APPEAL = "gro.social-welfare", "appeal.social-welfare"
ADDRESS = "rahima@example.org"


@pytest.fixture
def now(session: Session) -> datetime:
    return clock.now(session)


@pytest.fixture
def post(app: Flask, session: Session, server: tuple[Mailbox, int]) -> Iterator[Post]:
    """Delivery with a mailbox for what comes back."""
    own = context.settings()
    changed = replace(
        own,
        smtp_url=f"smtp://127.0.0.1:{server[1]}",
        mail_from="grm@grm.example",
        mail_bounce_to="bounces@grm.example",
    )
    app.extensions[context.SETTINGS] = changed
    found = delivery.post_for("email", changed)
    assert found is not None
    yield found
    app.extensions[context.SETTINGS] = own


def come_back(mail: bytes, came_to: str = "", now: datetime | None = None) -> Taken:
    settings = context.settings()
    with transaction(now) as act:
        return take(act, mail, came_to, (settings.secret_key, *settings.secret_key_fallbacks))


def tell(*climbs: Climb, now: datetime) -> None:
    with transaction(now) as act:
        act.record(LadderClimbed(climbs))


def sent_to_officer(session: Session, mailbox: Mailbox, post: Post, now: datetime, level: int = 1) -> tuple[int, Any]:
    """A digest that has left for the GRO: its message, and the mail as it arrived."""
    case = build.case(session, preferred_channel="none")
    session.commit()
    tell(climb(case, level, build.officer_id(session, GRO)), now=now)
    assert deliver_due(post, now) == {"delivered": 1}
    (mail,) = mailbox.taken
    return session.execute(text("SELECT id FROM message WHERE channel = 'email'")).scalar_one(), mail


def officer(session: Session, username: str = GRO) -> Officer:
    session.rollback()
    session.expire_all()
    return session.get_one(Officer, build.officer_id(session, username))


def receipts(session: Session) -> list[tuple[int | None, str]]:
    session.rollback()
    rows = session.execute(text("SELECT message_id, status FROM receipt ORDER BY id"))
    return [(row.message_id, row.status) for row in rows]


# --- officers ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [POSTFIX, EXIM_HEADERS_ONLY, BARE_REPORT])
def test_the_return_address_of_a_mail_finds_it_again(
    session: Session, mailbox: Mailbox, post: Post, now: datetime, form: str
) -> None:
    message_id, mail = sent_to_officer(session, mailbox, post, now)
    [path] = mailbox.return_paths
    taken = come_back(returned(form, to=path, address=mail["To"]), now=later(now, days=5))
    assert taken == Taken("failed", message_id, True)
    row = message(session, message_id)
    assert row.state == "failed" and (row.error or "").startswith("bounced: 5.")
    assert row.ended_at == later(now, days=5)
    marked = officer(session)
    assert marked.email_bounced == marked.email and marked.email_bounced_at == later(now, days=5)


def test_the_whole_message_id_will_do(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    message_id, mail = sent_to_officer(session, mailbox, post, now)
    taken = come_back(returned(message_id=mail["Message-ID"], address=mail["To"]))
    assert taken.verdict == "failed" and taken.message_id == message_id


def test_what_came_back_goes_to_whoever_stands_above(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    _, mail = sent_to_officer(session, mailbox, post, now)
    come_back(returned(to=mailbox.return_paths[0], address=mail["To"]), now=now)
    assert follow_up(now).passed_on == 1 and follow_up(now).passed_on == 0
    above = build.officer_id(session, APPEAL)
    rows = session.execute(text("SELECT channel FROM message WHERE officer_id = :id ORDER BY 1"), {"id": above})
    assert list(rows.scalars()) == ["email", "sms"]
    assert deliver_due(post, later(now, seconds=5)) == {"delivered": 1}
    assert mailbox.taken[1]["To"] == officer(session, APPEAL).email


def test_a_reminder_that_came_back_goes_to_the_same_officer_by_sms(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    _, mail = sent_to_officer(session, mailbox, post, now, level=0)
    come_back(returned(to=mailbox.return_paths[0], address=mail["To"]), now=now)
    follow_up(now)
    rows = session.execute(text("SELECT channel, officer_id FROM message WHERE state = 'pending'")).all()
    assert [tuple(row) for row in rows] == [("sms", build.officer_id(session, GRO))]


def test_the_top_of_the_ladder_has_nobody_above(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    case = build.case(session, preferred_channel="none")
    session.commit()
    cell = build.officer_id(session, "cabinet")
    rung = replace(climb(case, 3, cell), role="cell_officer")
    session.execute(
        text("UPDATE escalation SET role = 'cell_officer', office_id = :o"), {"o": build.office_id(session, "cell")}
    )
    tell(rung, now=now)
    deliver_due(post, now)
    count = session.execute(text("SELECT count(*) FROM message")).scalar_one()
    taken = come_back(returned(to=mailbox.return_paths[0], address=mailbox.taken[0]["To"]))
    assert taken.verdict == "failed"
    follow_up(now)
    colleagues = session.execute(text("SELECT count(*) FROM message")).scalar_one() - count
    assert colleagues in (0, 2), "another officer of the cell, if there is one"


def test_a_new_address_lifts_the_mark(session: Session, mailbox: Mailbox, post: Post, now: datetime) -> None:
    from grm.notifications.audience import officers_of

    _, mail = sent_to_officer(session, mailbox, post, now)
    come_back(returned(to=mailbox.return_paths[0], address=mail["To"]))
    gro = build.officer_id(session, GRO)
    assert officers_of(session, [gro])[gro].channels == {"sms"}
    session.execute(text("UPDATE officer SET email = 'new@ministry.example' WHERE id = :id"), {"id": gro})
    assert officers_of(session, [gro])[gro].channels == {"sms", "email"}


def test_a_report_about_a_former_address_marks_not_the_new_one(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    _, mail = sent_to_officer(session, mailbox, post, now)
    session.execute(text("UPDATE officer SET email = 'new@ministry.example' WHERE username = :name"), {"name": GRO})
    session.commit()
    assert not come_back(returned(to=mailbox.return_paths[0], address=mail["To"])).is_address_marked
    assert officer(session).email_bounced is None


@pytest.mark.parametrize(
    ("action", "status", "verdict"),
    [
        ("failed", "5.7.1", "failed"),
        ("failed", "4.4.7", "failed"),
        ("delayed", "4.4.1", "noted"),
        ("delayed", "", "noted"),
    ],
)
def test_only_a_fault_of_the_address_marks_it_and_a_delay_is_noted(
    session: Session, mailbox: Mailbox, post: Post, now: datetime, action: str, status: str, verdict: str
) -> None:
    message_id, mail = sent_to_officer(session, mailbox, post, now)
    mail_back = returned(to=mailbox.return_paths[0], address=mail["To"], action=action, status=status, code=450)
    assert come_back(mail_back).verdict == verdict
    assert officer(session).email_bounced is None
    assert message(session, message_id).state == ("failed" if verdict == "failed" else "delivered")
    assert [row[0] for row in receipts(session)] == [message_id]


def test_the_same_notification_twice_changes_nothing_more(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    _, mail = sent_to_officer(session, mailbox, post, now)
    mail_back = returned(to=mailbox.return_paths[0], address=mail["To"])
    verdicts = []
    for _ in range(3):
        verdicts.append(come_back(mail_back, now=now).verdict)
        follow_up(now)
    assert verdicts == ["failed", "noted", "noted"]
    assert len(receipts(session)) == 1
    assert session.execute(text("SELECT count(*) FROM digest_item")).scalar_one() == 4, "two of the GRO, two above"


def test_an_address_that_the_server_refuses_is_marked_too_and_its_news_go_on(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    case = build.case(session, preferred_channel="none")
    session.commit()
    tell(climb(case, 1, build.officer_id(session, GRO)), now=now)
    address = officer(session).email or ""
    mailbox.refusals[address] = "550 5.1.1 no such user"
    assert deliver_due(post, now) == {"refused": 1}
    assert follow_up(now).passed_on == 1
    assert officer(session).email_bounced == address
    mailbox.refusals[officer(session, APPEAL).email or ""] = "550 5.7.1 not wanted"
    assert deliver_due(post, later(now, seconds=5)) == {"refused": 1}
    assert follow_up(later(now, seconds=5)).passed_on == 1
    assert officer(session, APPEAL).email_bounced is None, "the content was refused, not the address"
    told = session.execute(text("SELECT DISTINCT o.username FROM digest_item i JOIN officer o ON o.id = i.officer_id"))
    assert set(told.scalars()) >= {GRO, APPEAL} and session.rollback() is None


# --- complainants -----------------------------------------------------------------------------------------------------


def test_a_complainant_whose_mail_came_back_is_to_be_called(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    case = build.case(session, preferred_channel="email", email=ADDRESS)
    session.commit()
    message_id = add_message(
        session, now, f"case-filed-complainant:{case.id}:email", channel="email", address=ADDRESS, case_id=case.id
    )
    deliver_due(post, now)
    follow_up(now)
    assert come_back(returned(to=mailbox.return_paths[0], address=ADDRESS), now=now) == Taken("failed", message_id)
    follow_up(now)
    session.refresh(case)
    assert case.is_not_informed
    [task] = session.execute(text("SELECT reason, channel FROM contact_task")).all()
    assert task.reason.startswith("bounced: 5.1.1") and ADDRESS not in task.reason


# --- what changes nothing ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", [HOLIDAY_NOTICE, READ_RECEIPT])
def test_an_answer_by_a_person_or_a_machine_changes_nothing(
    session: Session, mailbox: Mailbox, post: Post, now: datetime, form: str
) -> None:
    message_id, mail = sent_to_officer(session, mailbox, post, now)
    back = returned(form, to=mailbox.return_paths[0], address=mail["To"], message_id=mail["Message-ID"])
    assert come_back(back) == Taken("no-report")
    assert message(session, message_id).state == "delivered" and receipts(session) == []


def test_a_forged_or_unknown_one_is_kept_and_changes_nothing(
    session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    message_id, mail = sent_to_officer(session, mailbox, post, now)
    genuine = mail["Message-ID"]
    forged = genuine[:-30] + ("0" if genuine[-30] != "0" else "1") + genuine[-29:]
    guessed = f"<grm.{message_id}.{'0' * 16}@grm.example>"
    for quoted in (guessed, "<grm.999999.0123456789abcdef@grm.example>", "<somebody@else.example>"):
        assert come_back(returned(message_id=quoted, address=mail["To"])).verdict == "unknown"
    assert (
        come_back(returned(to=f"bounces+{message_id}.{'0' * 20}@grm.example", message_id=guessed)).verdict == "unknown"
    )
    assert forged != genuine
    assert message(session, message_id).state == "delivered" and officer(session).email_bounced is None
    assert {row[0] for row in receipts(session)} == {None}


def test_what_was_never_sent_cannot_come_back(session: Session, post: Post, now: datetime) -> None:
    from grm.notifications import dsn

    message_id = add_message(session, now, channel="email", address=ADDRESS)
    path = dsn.return_path("bounces@grm.example", context.settings().secret_key)(message_id)
    assert come_back(returned(to=path or "", address=ADDRESS)).verdict == "noted"
    assert message(session, message_id).state == "pending"


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_takes_it_from_a_pipe_and_never_fails(
    app: Flask, session: Session, mailbox: Mailbox, post: Post, now: datetime
) -> None:
    message_id, mail = sent_to_officer(session, mailbox, post, now)
    runner = register(app).test_cli_runner()
    genuine = returned(to="bounces@grm.example", address=mail["To"])
    path = mailbox.return_paths[0]
    for given, arguments, expected in (
        (b"", [], "no-report"),
        (b"\xff\x00" * 100, [], "no-report"),
        (genuine, [], "unknown"),
        (genuine, ["--to", path], f"failed message={message_id}"),
        (genuine, ["--to", path], f"noted message={message_id}"),
    ):
        done = runner.invoke(args=["messages", "bounce", *arguments], input=given)
        assert done.exit_code == 0 and done.output.strip() == expected, done.output
    assert officer(session).email_bounced is not None
    assert runner.invoke(args=["messages", "clear-bounce", GRO]).exit_code == 0
    assert officer(session).email_bounced is None
    assert runner.invoke(args=["messages", "clear-bounce", GRO]).exit_code == 1
