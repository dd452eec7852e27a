"""A mail comes back days after the server had taken it: the address is marked, and what it told of reaches somebody else."""

import subprocess
import sys
import time
from email.message import EmailMessage

import pytest

from grm.kernel import context
from grm.notifications import bounces, undelivered
from tests.support.dsn import POSTFIX
from tests.support.fault_table import Findings
from tests.support.faults import ROOT, FaultRig, check

pytestmark = pytest.mark.faults

GONE = {"action": "failed", "status": "5.1.1", "code": "550", "said": "User unknown"}
SLOW = {"action": "delayed", "status": "4.4.1", "code": "451", "said": "Host does not answer, will try again"}
ELSEWHERE = """
    SELECT i.message_id FROM escalation AS e JOIN digest_item AS i ON i.escalation_id = e.id
    WHERE e.officer_id = %s AND e.level > 0 AND i.officer_id <> e.officer_id AND i.channel = 'email'
"""
"""Digests by which somebody else hears of what was an officer's."""


def report(mail: EmailMessage, address: str, fault: dict[str, str], message_id: str = "") -> bytes:
    """What a mail server writes about a mail that it could not deliver."""
    named = message_id or str(mail["Message-ID"])
    return POSTFIX.format(to="grm@grm.example", address=address, message_id=named, **fault).encode()


def pipe_in(rig: FaultRig, mail: bytes) -> str:
    """Give it to the command that the mail server pipes it to; what the command said."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "messages", "bounce"]
    done = subprocess.run(command, input=mail, cwd=ROOT, env=rig.env, capture_output=True, timeout=60, check=True)
    return done.stdout.decode().split()[0]


def hand_in(rig: FaultRig, mail: bytes) -> str:
    """The same without the start of a process."""
    with rig.app.app_context():
        from grm.kernel.transaction import transaction

        with transaction() as act:
            return bounces.take(act, mail, "", (context.settings().secret_key,)).verdict


def passed_on(rig: FaultRig, address: str, before: int) -> list[EmailMessage]:
    """What has come to an address since, once something has. Beat follows up failed messages, too; here it need not wait."""

    def look() -> list[EmailMessage]:
        with rig.app.app_context():
            undelivered.follow_up()
        return mails_to(rig, address)[before:]

    found = rig.wait_until(look, "the news at whoever stands above", 30)
    rig.drain()
    return found


def shown(rig: FaultRig) -> str:
    """The tracking number of the only case, as people read it."""
    [row] = rig.rows("SELECT tracking_number FROM cases")
    number = str(row["tracking_number"])
    return f"{number[:4]}-{number[4:8]}-{number[8:]}"


def reach(rig: FaultRig, username: str) -> tuple[int, str, str]:
    [row] = rig.rows("SELECT id, email, phone FROM officer WHERE username = %s", username)
    return row["id"], row["email"], row["phone"]


def mails_to(rig: FaultRig, address: str) -> list[EmailMessage]:
    return [mail for mail in rig.mail.taken if mail["To"] == address]


def test_a_mail_returned_days_later_marks_the_address_and_goes_to_whoever_stands_above(
    rig: FaultRig, findings: Findings
) -> None:
    gro, gro_mail, gro_phone = reach(rig, "gro.social-welfare")
    _, above_mail, _ = reach(rig, "appeal.social-welfare")
    rig.overdue_cases(1)
    rig.drain()
    [told, *_] = mails_to(rig, gro_mail)
    before = len(mails_to(rig, above_mail))
    message_id = int(str(told["Message-ID"]).split(".")[1])
    rig.do(  # four days pass: the message's life is over, too
        "UPDATE message SET ended_at = ended_at - interval '4 days', expires_at = expires_at - interval '4 days'"
    )
    try:
        assert hand_in(rig, report(told, gro_mail, SLOW)) == "noted", "it may still arrive"
        assert rig.number("SELECT count(*) FROM message WHERE id = %s AND state = 'delivered'", message_id) == 1
        forged = str(told["Message-ID"]).replace(".", ".0", 2)
        assert hand_in(rig, report(told, gro_mail, GONE, forged)) == "unknown"
        assert rig.number("SELECT count(*) FROM officer WHERE email_bounced IS NOT NULL") == 0
        assert pipe_in(rig, report(told, gro_mail, GONE)) == "failed"
        assert hand_in(rig, report(told, gro_mail, GONE)) == "noted", "the second time changes nothing"
        news = passed_on(rig, above_mail, before)
        [row] = rig.rows("SELECT state, error FROM message WHERE id = %s", message_id)
        assert row["state"] == "failed" and row["error"].startswith("bounced")
        assert rig.number("SELECT count(*) FROM officer WHERE email_bounced = email AND id = %s", gro) == 1
        assert len(news) == 1 and shown(rig) in news[0].get_content(), "whoever stands above reads which case it is"
        mails, texts = len(mails_to(rig, gro_mail)), len([sms for sms in rig.sms.accepted if sms["to"] == gro_phone])
        rig.overdue_cases(1)
        rig.drain()
        time.sleep(0.5)
        after = len([sms for sms in rig.sms.accepted if sms["to"] == gro_phone])
        ledger = check(rig)
        findings.add(24, "a mail returned after four days", ledger.figures, passed_on=len(news))
        assert len(mails_to(rig, gro_mail)) == mails, "mail still goes to an address that returns it"
        assert after > texts, "told by SMS from now on"
        assert ledger.faults == []
    finally:
        rig.do("UPDATE officer SET email_bounced = NULL, email_bounced_at = NULL")


def test_an_address_refused_at_the_door_is_marked_and_whoever_stands_above_is_told(
    rig: FaultRig, findings: Findings
) -> None:
    """The mail server itself says 550: the same as a return, at once, and nobody else's mail is delayed by it."""
    gro, gro_mail, _ = reach(rig, "gro.social-welfare")
    _, above_mail, _ = reach(rig, "appeal.social-welfare")
    rig.mail.refusals[gro_mail] = "550 5.1.1 No such user"
    try:
        rig.overdue_cases(1)
        rig.drain()
        assert mails_to(rig, gro_mail) == []
        with rig.app.app_context():
            undelivered.follow_up()
        rig.drain()
        digests = {row["message_id"] for row in rig.rows(ELSEWHERE, gro)}
        news = [mail for mail in mails_to(rig, above_mail) if int(str(mail["Message-ID"]).split(".")[1]) in digests]
        findings.add(23, "550 at an officer's address", lost=0, passed_on=len(news))
        assert rig.number("SELECT count(*) FROM officer WHERE email_bounced = email AND id = %s", gro) == 1
        assert news and shown(rig) in news[-1].get_content()
        refused = rig.rows("SELECT error FROM message WHERE state = 'failed' AND officer_id = %s", gro)
        assert refused and all(row["error"].startswith("SMTP 550") for row in refused)
    finally:
        rig.mail.refusals.clear()
        rig.do("UPDATE officer SET email_bounced = NULL, email_bounced_at = NULL")
