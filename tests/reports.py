"""Reports that mail servers write about mails that they could not deliver. People and hosts are invented."""

from dataclasses import dataclass

TO_WHOM = "budi@nusajaya.example"


@dataclass(frozen=True)
class Sample:
    """One message that comes to the return path. `means` is `hard 5.1.1`, `soft 5.2.2`, or some words of the
    reason why it is not a failure."""

    name: str
    means: str
    message: str


def dsn(
    groups: str, *, notice: str = "I'm sorry to have to inform you", returned: str = "text/rfc822-headers"
) -> str:
    """A report after RFC 3464 with these per-recipient fields."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.example (Mail Delivery System)
To: {{to}}
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status;
\tboundary="4XyZ.1700000000/mx.example"

This is a MIME-encapsulated message.

--4XyZ.1700000000/mx.example
Content-Description: Notification
Content-Type: text/plain; charset=us-ascii

{notice}

--4XyZ.1700000000/mx.example
Content-Description: Delivery report
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example
Arrival-Date: Tue,  3 Aug 2021 09:00:00 +0700 (WIB)

{groups}

--4XyZ.1700000000/mx.example
Content-Description: Undelivered Message Headers
Content-Type: {returned}

Return-Path: <{{to}}>
Subject: Token reset password
To: {TO_WHOM}

--4XyZ.1700000000/mx.example--
"""


def failed(status: str, words: str, action: str = "failed", recipient: str = TO_WHOM) -> str:
    code = f"\nDiagnostic-Code: smtp; {words}" if words else ""
    return f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}{code}"


POSTFIX = f"""Final-Recipient: rfc822; {TO_WHOM}
Original-Recipient: rfc822;{TO_WHOM}
Action: failed
Status: 5.1.1
Remote-MTA: dns; mx.nusajaya.example
Diagnostic-Code: smtp; 550 5.1.1 <{TO_WHOM}>: Recipient address rejected:
    User unknown in virtual mailbox table"""
EXIM = f"""Action: failed
Final-Recipient: rfc822;{TO_WHOM}
Status: 5.0.0
Remote-MTA: dns; mx.nusajaya.example
Diagnostic-Code: smtp; 550 5.1.1 No such user here"""
EXCHANGE = f"""Final-Recipient: rfc822;{TO_WHOM}
Action: failed
Status: 5.1.10
Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup
X-Display-Name: Budi"""
GMAIL = f"""Final-Recipient: rfc822; {TO_WHOM}
Action: failed
Status: 5.1.1
Remote-MTA: dns; gmail-smtp-in.l.example. (192.0.2.27, the server for the domain nusajaya.example.)
Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist. Please try
 550-5.1.1 double-checking the recipient's email address for typos or
 550-5.1.1 unnecessary spaces. 550 5.1.1  https://support.example/?p=NoSuchUser x1-20020a - gsmtp
Last-Attempt-Date: Tue, 03 Aug 2021 02:00:00 -0700 (PDT)"""
SENDMAIL = f"""Final-Recipient: RFC822; {TO_WHOM}
Action: failed
Status: 5.1.1
Remote-MTA: DNS; mx.nusajaya.example
Diagnostic-Code: SMTP; 550 5.1.1 <{TO_WHOM}>... User unknown
Last-Attempt-Date: Tue, 3 Aug 2021 09:00:01 +0700"""
QMAIL = f"""From: MAILER-DAEMON@mx.example
To: {{to}}
Subject: failure notice

Hi. This is the qmail-send program at mx.example.
I'm afraid I wasn't able to deliver your message to the following addresses.

<{TO_WHOM}>:
192.0.2.1 does not like recipient.
Remote host said: 550 5.1.1 User unknown

--- Below this line is a copy of the message.
"""
VACATION = f"""From: Budi <{TO_WHOM}>
To: {{to}}
Subject: Cuti
Auto-Submitted: auto-replied (vacation)
Precedence: bulk

Saya cuti. Status: 5.1.1 Action: failed
"""
FORWARDED = """From: Budi <budi@nusajaya.example>
To: {to}
Subject: Fwd: Undelivered Mail
Content-Type: multipart/mixed; boundary=luar

--luar
Content-Type: message/rfc822

""" + dsn(POSTFIX)
READ_RECEIPT = dsn(POSTFIX).replace("report-type=delivery-status", "report-type=disposition-notification")

SAMPLES = [
    Sample("Postfix, no such user", "hard 5.1.1", dsn(POSTFIX)),
    Sample("Postfix, whole letter returned", "hard 5.1.1", dsn(POSTFIX, returned="message/rfc822")),
    Sample("Exim, number only in the words", "hard 5.1.1", dsn(EXIM)),
    Sample("Exim, no number at all", "hard 5.0.0", dsn(failed("5.0.0", "550 Unknown user"))),
    Sample("Exim, answer of several lines", "hard 5.1.1", dsn(EXIM.replace("550 5.1.1", "550-5.1.1"))),
    Sample("Exchange", "hard 5.1.10", dsn(EXCHANGE)),
    Sample("Exchange, no such domain", "hard 5.4.310", dsn(failed("5.4.310", "550 5.4.310 DNS domain x "
        "does not exist"))),
    Sample("Gmail", "hard 5.1.1", dsn(GMAIL)),
    Sample("Gmail, disabled", "hard 5.2.1", dsn(failed("5.2.1", "550 5.2.1 The email account is disabled."))),
    Sample("Exchange, not in the directory", "hard 5.4.1", dsn(failed("5.4.1", "550 Recipient address "
        "rejected: Access denied"))),
    Sample("Exchange, policy", "soft 5.7.1", dsn(failed("5.7.1", "550 5.7.1 Access denied, bad reputation"))),
    Sample("Postfix, number of policy", "hard 5.7.1", dsn(failed("5.7.1", "550 5.7.1 Recipient address "
        "rejected: User unknown"))),
    Sample("Yahoo, number of protocol", "hard 5.5.1", dsn(failed("5.5.1", "554 This user doesn't have a "
        "x.example account"))),
    Sample("Sendmail", "hard 5.1.1", dsn(SENDMAIL)),
    Sample("Postfix, no such domain", "hard 5.4.4", dsn(failed("5.4.4", "").replace("smtp", "X-Postfix"))),
    Sample("Yahoo, words alone", "hard 5.0.0", dsn(failed("5.0.0", "554 This user doesn't have a "
        "yahoo.example account"))),
    Sample("no number and no words", "soft 5.0.0", dsn(failed("5.0.0", ""))),
    Sample("status that is none", "hard 5.1.1", dsn(failed("unknown", "550 5.1.1 nobody here"))),
    Sample("status with a remark", "hard 5.1.1", dsn(failed("5.1.1 (bad destination mailbox address)", ""))),
    Sample("full", "soft 5.2.2", dsn(failed("5.2.2", "552 5.2.2 The email account that you tried to reach "
        "is over quota"))),
    Sample("full, under a wrong number", "soft 5.1.1", dsn(failed("5.1.1", "550 5.1.1 mailbox full"))),
    Sample("policy", "soft 5.7.1", dsn(failed("5.7.1", "550 5.7.1 Message rejected as spam by content "
        "filtering"))),
    Sample("O365, our sender", "soft 5.1.8", dsn(failed("5.1.8", "550 5.1.8 Access denied, bad outbound "
        "sender"))),
    Sample("our sender, under a vague number", "soft 5.1.0", dsn(failed("5.1.0", "550 5.1.0 Sender denied"))),
    Sample("too fast", "soft 5.2.1", dsn(failed("5.2.1", "550 5.2.1 receiving mail at a rate that prevents "
        "delivery"))),
    Sample("given up after days", "soft 4.4.1", dsn(failed("4.4.1", "connect to mx.example[192.0.2.1]:25: "
        "timed out"))),
    Sample("success that failed", "soft 2.0.0", dsn(failed("2.0.0", ""))),
    Sample("delayed", "delayed", dsn(failed("4.4.1", "451 4.4.1 later", action="delayed"))),
    Sample("delivered", "delivered", dsn(failed("2.0.0", "", action="delivered"))),
    Sample("relayed", "relayed", dsn(failed("2.0.0", "", action="relayed (to a gateway)"))),
    Sample("expanded", "expanded", dsn(failed("2.0.0", "", action="expanded"))),
    Sample("one of two reached", "delivered",
           dsn(f"{failed('5.1.1', '')}\n\n{failed('2.0.0', '', action='delivered')}")),
    Sample("two failed, one only full", "soft 5.2.2", dsn(f"{failed('5.1.1', '')}\n\n{failed('5.2.2', '')}")),
    Sample("action nobody knows", "unknown fate", dsn(failed("5.1.1", "", action="exploded"))),
    Sample("no recipient", "names no recipient", dsn("X-Nothing: here")),
    Sample("qmail, without a report", "no report", QMAIL),
    Sample("vacation", "no report", VACATION),
    Sample("a report inside another message", "no report", FORWARDED),
    Sample("a read receipt", "no report", READ_RECEIPT),
    Sample("a report inside a "
        "report", "without a part", dsn(POSTFIX).replace("message/delivery-status", "message/rfc822")),
]  # fmt: skip
