"""Returned mails as mail servers write them, for tests of bounces."""

POSTFIX = """\
Return-Path: <>
Received: by mx.grm.example (Postfix) id 4F9C21; Sun, 22 Nov 2026 09:14:02 +0600 (+06)
Date: Sun, 22 Nov 2026 09:14:02 +0600 (+06)
From: MAILER-DAEMON@mx.grm.example (Mail Delivery System)
Subject: Undelivered Mail Returned to Sender
To: {to}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4F9C21.1795317242/mx.grm.example"
Message-Id: <20261122031402.5D1A7@mx.grm.example>

This is a MIME-encapsulated message.

--4F9C21.1795317242/mx.grm.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.grm.example.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{address}>: host mail.example.org[203.0.113.5] said: {code} {status}
    <{address}>: {said} (in reply to RCPT TO command)

--4F9C21.1795317242/mx.grm.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.grm.example
X-Postfix-Queue-ID: 4F9C21
X-Postfix-Sender: rfc822; grm@grm.example
Arrival-Date: Sun, 22 Nov 2026 08:00:03 +0600 (+06)

Final-Recipient: rfc822; {address}
Original-Recipient: rfc822;{address}
Action: {action}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; {code} {status} <{address}>: {said}

--4F9C21.1795317242/mx.grm.example
Content-Description: Undelivered Message
Content-Type: message/rfc822

Return-Path: <grm@grm.example>
Received: from app.grm.example by mx.grm.example (Postfix) with ESMTPS id 4F9C21
From: Grievance Redress <grm@grm.example>
To: {address}
Subject: =?utf-8?b?4KaG4Kaq4Kao4Ka+4Kaw?=
Message-ID: {message_id}
MIME-Version: 1.0
Content-Type: text/plain; charset="utf-8"
Content-Transfer-Encoding: base64

4KaG4Kaq4Kao4Ka+4KawCg==

--4F9C21.1795317242/mx.grm.example--
"""

EXIM_HEADERS_ONLY = """\
From: Mail Delivery System <Mailer-Daemon@exim.example.net>
To: {to}
Subject: Mail delivery failed: returning message to sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=17953-eximdsn-1

--17953-eximdsn-1
Content-type: text/plain; charset=us-ascii

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error.

--17953-eximdsn-1
Content-type: message/delivery-status

Reporting-MTA: dns; exim.example.net

Action: {action}
Final-Recipient: rfc822;{address}
Status: {status}
Remote-MTA: dns; mail.example.org
Diagnostic-Code: smtp; {code} {said}

--17953-eximdsn-1
Content-type: text/rfc822-headers

Return-path: <grm@grm.example>
From: Grievance Redress <grm@grm.example>
To: {address}
Message-ID: {message_id}

--17953-eximdsn-1--
"""

BARE_REPORT = """\
From: postmaster@old.example.org
To: {to}
Subject: Delivery Status Notification (Failure)
MIME-Version: 1.0
Content-Type: multipart/report; boundary="x"

--x
Content-Type: text/plain

Could not deliver.

--x
Content-Type: message/delivery-status

Reporting-MTA: dns;old.example.org

Final-Recipient: rfc822;{address}
Action: {action}
Diagnostic-Code: smtp;{code} {said}

--x--
"""

HOLIDAY_NOTICE = """\
From: Officer <{address}>
To: grm@grm.example
Subject: Out of office: {said}
In-Reply-To: {message_id}
References: {message_id}
Auto-Submitted: auto-replied
Content-Type: text/plain; charset=utf-8

I am on leave until {status}.
"""

READ_RECEIPT = """\
From: Officer <{address}>
To: {to}
Subject: Read: your message
MIME-Version: 1.0
Content-Type: multipart/report; report-type=disposition-notification; boundary="r"

--r
Content-Type: text/plain

Your message was read.

--r
Content-Type: message/disposition-notification

Final-Recipient: rfc822;{address}
Original-Message-ID: {message_id}
Disposition: manual-action/MDN-sent-manually; displayed

--r--
"""


def returned(
    form: str = POSTFIX,
    *,
    to: str = "grm@grm.example",
    address: str = "gro@ministry.example",
    message_id: str = "<none@grm.example>",
    action: str = "failed",
    status: str = "5.1.1",
    code: int = 550,
    said: str = "User unknown in virtual mailbox table",
) -> bytes:
    """One returned mail."""
    filled = form.format(
        to=to, address=address, message_id=message_id, action=action, status=status, code=code, said=said
    )
    return filled.replace("\n", "\r\n").encode()
