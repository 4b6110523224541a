"""What servers say when they refuse a mail, and what it means for the address."""

from __future__ import annotations

import pytest

from mailbox.parsing import bounce_reasons, bounce_words
from mailbox.parsing.bounce_reasons import Category

# Stated status, the server's words. The wordings are those of the servers' own sources and manuals.
SAID = {
    Category.INVALID: (
        (
            "5.1.1",
            "550 5.1.1 <ann@far.example>: Recipient address rejected: User unknown in virtual mailbox table",
        ),
        (
            "5.1.1",
            "550-5.1.1 The email account that you tried to reach does not exist. Please try double-checking "
            "the recipient's email address",
        ),
        ("5.1.10", "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup"),
        ("5.1.1", "RESOLVER.ADR.ExRecipNotFound; not found"),
        ("5.5.0", "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302)"),
        ("", "550 Requested action not taken: mailbox unavailable [COL004-MC2F8.hotmail.com]"),
        (
            "",
            "554 delivery error: dd This user doesn't have a yahoo.com account (ann@yahoo.com) [0] - "
            "mta1.yahoo.com",
        ),
        ("", "Sorry, no mailbox here by that name. (#5.1.1)"),
        ("", "Sorry, I couldn't find any host named far.example. (#5.1.2)"),
        ("", "Unrouteable address"),
        ("", "all relevant MX records point to non-existent hosts"),
        (
            "5.1.2",
            "smtp; Host or domain name not found. Name service error for name=far.example type=AAAA: Host "
            "not found",
        ),
        ("", "User ann (ann@far.example) not listed in Domino Directory"),
        ("", "550 No such person at this address"),
        ("", "550 5.2.1 The email account that you tried to reach is disabled"),
        ("5.2.1", "550 5.2.1 Mailbox disabled for this recipient"),
        (
            "",
            "554 30 Sorry, your message to ann@far.example cannot be delivered. This mailbox is disabled "
            "(554.30).",
        ),
        ("", "550 The user's mailbox is inactive"),
        ("5.1.6", "550 5.1.6 recipient no longer on server: ann@far.example"),
        ("", "ann has moved to ann@new.example"),
        ("", "550 Account deactivated"),
        ("", "551 User not local; please try <ann@other.example>"),
        ("", "550 Invalid recipient <ann@far.example>"),
        ("", "550 #5.1.0 Address rejected ann@far.example"),
        ("", "550 unknown user account"),
        ("", "550 5.0.350 Remote server returned an error -> 550 User ann@far.example does not exist"),
        ("5.4.310", "550 5.4.310 DNS domain far.example does not exist [Message=InfoDomainNonexistent]"),
        ("", "550 Empfängeradresse unbekannt"),
        ("", "550 Utilisateur inconnu"),
        ("", "550 Nessun utente simile in questo indirizzo"),
        ("", "550 El usuario no existe"),
        ("5.2.1", "550 account disabled"),
        ("5.1.2", ""),
        ("5.4.1", "550 5.4.1 Recipient address rejected: Access denied"),
        ("", "550 5.1.1 gone"),
        ("5.0.0", "550 no such user here"),
    ),
    Category.TEMPORARY: (
        ("5.2.2", "552-5.2.2 The email account that you tried to reach is over quota"),
        ("", "552 Requested mail action aborted: exceeded storage allocation"),
        ("", "552 4.2.2 Mailbox full"),
        ("", "550 5.2.0 Quota exceeded (mailbox for user is full)"),
        ("", "452 4.1.1 mailbox full"),
        (
            "5.2.2",
            "554 5.2.2 mailbox full; "
            "STOREDRV.Deliver.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
        ),
        ("", "retry timeout exceeded"),
        ("", "Message expired: unable to deliver in 840 minutes"),
        ("4.4.1", "connect to far.example[192.0.2.1]:25: Connection timed out"),
        ("5.4.6", "554 5.4.6 Too many hops"),
        ("5.4.14", "554 5.4.14 Hop count exceeded - possible mail loop ATTR34"),
        ("5.3.0", "554 5.3.0 Can't create transcript file"),
        ("", "mail for far.example loops back to myself"),
        ("", "451 4.7.1 Greylisting in action, please come back later"),
        ("", "421 4.7.0 Try again later, closing connection"),
        ("", "450 4.2.1 The user you are trying to contact is receiving mail too quickly"),
        (
            "5.2.1",
            "550-5.2.1 The user you are trying to contact is receiving mail at a rate that prevents "
            "additional messages from being delivered",
        ),
        ("5.4.5", "550 5.4.5 Daily user sending quota exceeded"),
        ("", 'Command died with status 1: "/usr/bin/procmail"'),
        ("", "can't create (user) output file"),
        ("", "451 4.3.0 Temporary lookup failure"),
        ("", "454 4.7.5 Certificate validation failure"),
        ("5.3.1", "553 5.3.1 Mail system full"),
        ("5.1.1", "552 sorry, that mailbox is over quota"),
        ("4.4.7", "message expired"),
        ("4.1.1", "450 4.1.1 user unknown"),
        ("5.2.3", "552 5.2.3 Message length exceeds administrative limit"),
    ),
    Category.BLOCKED: (
        ("5.7.1", "550 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org"),
        (
            "5.7.1",
            "550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet "
            "service provider since part of their network is on our block list (S3140)",
        ),
        ("", "550-5.7.26 This message does not pass authentication checks (SPF and DKIM both do not pass)"),
        ("", "554 5.7.1 Message rejected due to content restrictions"),
        ("", "550 5.7.1 Our system has detected that this message is likely unsolicited mail"),
        ("", "550 5.7.1 Delivery not authorized, message refused"),
        (
            "",
            "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; sender is "
            "not authenticated to group",
        ),
        ("5.7.1", "550 5.7.1 RESOLVER.RST.NotAuthorized; not authorized"),
        ("", "554 5.7.9 Message not accepted for policy reasons"),
        ("", "550 relay not permitted"),
        ("", "550 5.7.1 Unable to relay"),
        ("", "550-Verification failed for <me@ours.example> 550 Sender verify failed"),
        ("", "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)"),
        ("", "552 5.3.4 Message size exceeds fixed limit"),
        ("", "552-5.7.0 This message was blocked because its content presents a potential security issue"),
        ("", "550 5.7.1 Message contains a virus"),
        ("", "554 RBL rejection: 192.0.2.1 listed"),
        ("", "521 5.2.1 :  AOL will not accept delivery of this message."),
        ("", "550 Rule imposed mailbox access for ann@far.example refused: user invalid"),
        ("", "550 Administrative prohibition"),
        ("", "571 Delivery not authorized, message refused"),
        ("", "550 High probability of spam"),
        ("", "550 spf check failed"),
        ("", "550 5.1.8 Access denied, bad outbound sender"),
        ("", "550 Message was blocked by server"),
        ("", "554 Denied (Mode: normal)"),
        ("", "556 5.1.10 Recipient address has null MX"),
        ("", "550 Mail is rejected by recipients"),
        ("", "501 5.1.7 Bad sender address syntax"),
        ("5.1.8", "550 5.1.8 sender address rejected"),
        ("5.7.1", "550 5.7.1 user unknown"),
        ("5.0.0", "554 your mail looks like spam"),
        ("5.1.1", "550 5.1.1 blocked using zen.spamhaus.org"),
        ("4.7.650", "451 4.7.650 temporarily rate limited due to IP reputation"),
        ("5.2.1", "550 5.2.1 User unknown"),
    ),
    Category.UNKNOWN: (
        ("5.0.0", ""),
        ("", ""),
        ("5.0.0", "554 5.0.0 we had a bad day"),
    ),
}


@pytest.mark.parametrize(
    ("category", "status", "words"), [(name, *one) for name, all_ in SAID.items() for one in all_]
)
def test_it_judges_by_status_and_words(category: Category, status: str, words: str) -> None:
    assert bounce_reasons.judge(status, words) is category


@pytest.mark.parametrize(
    ("step", "status", "words", "category"),
    [
        (
            "rcpt",
            "5.7.1",
            "554 5.7.1 <ann@far.example>: Recipient address rejected: Access denied",
            Category.INVALID,
        ),
        ("data", "5.0.0", "550 no such user", Category.BLOCKED),
        ("data", "5.1.1", "550 5.1.1 no such user", Category.INVALID),
        ("rcpt", "5.2.1", "550 5.2.1 user unknown", Category.INVALID),
        ("rcpt", "5.0.0", "550 <ann@far.example>: Recipient address rejected.", Category.INVALID),
        ("", "5.0.0", "smtp; 550 : User unknown", Category.BLOCKED),
        ("", "5.0.0", "smtp; 550 <ann@far.example>: User unknown", Category.INVALID),
        ("open", "5.0.0", "550 go away", Category.BLOCKED),
    ],
)
def test_it_matters_at_which_step_of_smtp_it_was_said(
    step: str, status: str, words: str, category: Category
) -> None:
    assert bounce_reasons.judge(status, words, step=step) is category


@pytest.mark.parametrize(
    ("words", "step"),
    [
        ("host mx.far.example said: 550 no (in reply to RCPT TO command)", "rcpt"),
        ("said: 550 no (in reply to end of DATA command)", "data"),
        ("SMTP error from remote mail server after RCPT TO:<ann@far.example>: 550 no", "rcpt"),
        ("SMTP error from remote mail server after end of data: 550 no", "data"),
        ("SMTP error from remote mail server after initial connection: 550 no", "open"),
        (">>> MAIL FROM:<me@ours.example> <<< 550 no", "mail"),
        (">>> DATA <<< 550 no", "data"),
        (">>> DATA <<< 550 no <<< 503 5.0.0 Need RCPT (recipient)", ""),
        ("192.0.2.1 does not like recipient. Remote host said: 550 no", "rcpt"),
        ("192.0.2.1 failed after I sent the message. Remote host said: 554 no", "data"),
        ("did not like our RCPT TO: 550 no", "rcpt"),
        ("Remote host said: 550 no [RCPT_TO]", "rcpt"),
        ("550 no", ""),
    ],
)
def test_it_finds_the_step_in_what_each_server_writes(words: str, step: str) -> None:
    assert bounce_words.step(words) == step


def test_letters_of_an_address_are_no_reason() -> None:
    assert bounce_reasons.judge("5.1.1", "550 5.1.1 <spam.blacklist@far.example> gone") is Category.INVALID


@pytest.mark.parametrize(("name", "category"), bounce_reasons.POWERMTA.items())
def test_powermtas_own_names_are_known(name: str, category: Category) -> None:
    assert category in (Category.INVALID, Category.TEMPORARY, Category.BLOCKED), name
