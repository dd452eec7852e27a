"""A mail comes back days after the server had taken it: the address is marked, and what it told of reaches somebody else."""

import subprocess
import sys
import time
from email.message import EmailMessage

import pytest

from grm.kernel import context
from grm.notifications import bounces
from tests.support.dsn import POSTFIX
from tests.support.fault_table import Findings
from tests.support.faults import ROOT, FaultRig, check

pytestmark = pytest.mark.faults

GONE = {"action": "failed", "status": "5.1.1", "code": "550", "said": "User unknown"}
SLOW = {"action": "delayed", "status": "4.4.1", "code": "451", "said": "Host does not answer, will try again"}


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
        rig.drain()
        [row] = rig.rows("SELECT state, error FROM message WHERE id = %s", message_id)
        assert row["state"] == "failed" and row["error"].startswith("bounced")
        assert rig.number("SELECT count(*) FROM officer WHERE email_bounced = email AND id = %s", gro) == 1
        [number] = [row["tracking_number"] for row in rig.rows("SELECT tracking_number FROM cases")]
        passed_on = mails_to(rig, above_mail)[before:]
        assert len(passed_on) == 1
        shown = f"{number[:4]}-{number[4:8]}-{number[8:]}"
        assert shown in passed_on[0].get_content(), "whoever stands above reads which case it is"
        mails, texts = len(mails_to(rig, gro_mail)), len([sms for sms in rig.sms.accepted if sms["to"] == gro_phone])
        rig.overdue_cases(1)
        rig.drain()
        time.sleep(0.5)
        after = len([sms for sms in rig.sms.accepted if sms["to"] == gro_phone])
        ledger = check(rig)
        findings.add(24, "a mail returned after four days", ledger.figures, passed_on=len(passed_on))
        assert len(mails_to(rig, gro_mail)) == mails, "mail still goes to an address that returns it"
        assert after > texts, "told by SMS from now on"
        assert ledger.faults == []
    finally:
        rig.do("UPDATE officer SET email_bounced = NULL, email_bounced_at = NULL")
