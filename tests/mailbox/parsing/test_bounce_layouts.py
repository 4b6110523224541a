"""Reports in shapes that the collection lacks: one for each rule, after the server or RFC it is for."""

from __future__ import annotations

import json

import pytest

from mailbox.parsing.bounces import BounceReport, Category, FailedRecipient, parse

ANN = "ann@far.example"
ORIGINAL = (
    "Message-ID: <ours@ours.example>\nFrom: me@ours.example\nTo: ann@far.example\nSubject: hello\n\nhello\n"
)


def prose(words: str, *, sender: str = "MAILER-DAEMON@mx.example", subject: str = "failure notice") -> bytes:
    return f"From: {sender}\nTo: me@ours.example\nSubject: {subject}\n\n{words}".encode()


def read(raw: bytes) -> BounceReport:
    found = parse(raw)
    assert found is not None
    return found


def only(raw: bytes) -> FailedRecipient:
    (one,) = read(raw).recipients
    return one


def status_report(group: str, *, words: str = "It came back.", headers: str = "") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\nTo: me@ours.example\nSubject: Undelivered\n"
        f"{headers}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\nContent-Type: text/plain\n\n{words}\n"
        f"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.example\n\n{group}\n\n"
        f"--b\nContent-Type: message/rfc822\n\n{ORIGINAL}\n--b--\n"
    ).encode()


@pytest.mark.parametrize(
    ("words", "category"),
    [
        # qmail-send
        (
            "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver "
            "your message "
            f"to the following addresses.\n\n<{ANN}>:\n192.0.2.1 does not like recipient.\nRemote host "
            f"said: 550 "
            f"no such user\nGiving up on 192.0.2.1.\n\n--- Below this line is a copy of the "
            f"message.\n\n{ORIGINAL}",
            Category.INVALID,
        ),
        # Exim
        (
            "This message was created automatically by mail delivery software.\n\nA message that you "
            "sent could "
            "not be delivered to one or more of its\nrecipients. The following address(es) failed:\n\n"
            f"  {ANN}\n    host mx.far.example [192.0.2.1]\n    SMTP error from remote mail server "
            f"after end of "
            "data:\n    552 5.2.2 over quota\n\n------ This is a copy of the message, including all the "
            "headers. "
            f"------\n\n{ORIGINAL}",
            Category.TEMPORARY,
        ),
        # Sendmail before 8.8
        (
            "The original message was received at Mon, 3 Jun 2024 10:00:00 +0200\nfrom ours.example\n\n"
            f"   ----- The following addresses had permanent fatal errors -----\n<{ANN}>\n\n"
            "   ----- Transcript of session follows -----\n... while talking to mx.far.example.:\n"
            f">>> RCPT To:<{ANN}>\n<<< 550 User unknown\n550 <{ANN}>... User unknown\n\n"
            f"   ----- Original message follows -----\n\n{ORIGINAL}",
            Category.INVALID,
        ),
        # Exchange 5.5 with an X.400 address
        (
            "Your message\n\n  To:      list@other.example\n  Subject: hello\n  Sent:    Mon, 3 Jun "
            "2024 10:00\n\n"
            f"did not reach the following recipient(s):\n\nc=US;a= ;p=FAR;o=X;dda:SMTP={ANN}; on Mon, 3 "
            f"Jun 2024\n"
            "    The recipient name is not recognized\n",
            Category.INVALID,
        ),
        # Domino
        (
            "Your message\n\n  Subject: hello\n\nwas not delivered to:\n\n"
            f"  {ANN}\n\nbecause:\n\n  User ann ({ANN}) not listed in Domino Directory\n",
            Category.INVALID,
        ),
        # IMail, GroupWise, MailMarshal and their like
        (f"Undeliverable to: {ANN}\nUser mailbox exceeds allowed size: {ANN}\n", Category.TEMPORARY),
        (f"The message could not be delivered to the following recipients:\n\n{ANN}: 550 5.7.1 Access "
         f"denied, "
         "message is spam\n", Category.BLOCKED),
        (f"Delivery failed 20 attempts: {ANN}\n", Category.TEMPORARY),
        (f"The message that you sent was undeliverable to the following:\n\t{ANN} (user not found)\n",
         Category.INVALID),
    ],
)  # fmt: skip
def test_it_reads_the_prose_of(words: str, category: Category) -> None:
    one = only(prose(words))
    assert (one.address, one.category, one.action) == (ANN, category, "failed")


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        (
            "Unzustellbar: hello",
            f"Ihre Nachricht wurde nicht zugestellt an:\n\n{ANN}\n\nDer Empfänger ist unbekannt.",
        ),
        ("Non remis : hello", f"Votre message n'a pas pu être remis à\n{ANN}\nUtilisateur inconnu."),
        (
            "No se puede entregar: hello",
            f"No se ha podido entregar el mensaje a:\n{ANN}\nEl usuario no existe.",
        ),
        (
            "Mail delivery failed",
            f"Non è stato possibile recapitare il messaggio a:\n{ANN}\nUtente sconosciuto.",
        ),
    ],
)
def test_it_reads_prose_in_other_languages(subject: str, words: str) -> None:
    one = only(prose(words, subject=subject))
    assert (one.address, one.category) == (ANN, Category.INVALID)


def test_a_warning_in_prose_is_a_delay() -> None:
    words = (
        f"Warning: your message to\n\n{ANN}\n\nis delayed. It will be retried. You do not need to resend it."
    )
    one = only(prose(words, subject="Warning: could not send message for past 4 hours"))
    assert (one.category, one.action) == (Category.TEMPORARY, "delayed")


def test_it_names_the_address_that_was_written_to_beside_the_one_that_failed() -> None:
    """RFC 3464, 2.3.1: the mail was forwarded, and its sender knows only the first address."""
    group = (
        f"Original-Recipient: rfc822; {ANN}\nFinal-Recipient: rfc822; ann@home.example\n"
        "Action: failed\nStatus: 5.1.1"
    )
    one = only(status_report(group))
    assert (one.address, one.original) == ("ann@home.example", ANN)


def test_prose_names_it_as_well() -> None:
    words = f"The following address(es) failed:\n\n<ann@home.example> (expanded from <{ANN}>): user unknown\n"
    one = only(prose(words))
    assert (one.address, one.original) == ("ann@home.example", ANN)


def test_it_takes_powermtas_own_word_for_it() -> None:
    group = (
        f"Final-Recipient: rfc822; {ANN}\nAction: failed\nStatus: 5.0.0\n"
        "Diagnostic-Code: smtp;550 no\nX-PowerMTA-BounceCategory: inactive-mailbox"
    )
    assert only(status_report(group)).category is Category.INVALID


def test_it_looks_into_a_report_that_a_gateway_wrapped() -> None:
    inner = status_report(f"Final-Recipient: rfc822; {ANN}\nAction: failed\nStatus: 5.1.1").decode()
    raw = (
        "From: MAILER-DAEMON@gateway.example\nTo: me@ours.example\nSubject: Undeliverable\n"
        f"Content-Type: multipart/mixed; boundary=w\n\n--w\nContent-Type: text/plain\n\nSee below.\n"
        f"--w\nContent-Type: message/rfc822\n\n{inner}\n--w--\n"
    ).encode()
    found = read(raw)
    assert [(one.address, one.category) for one in found.recipients] == [(ANN, Category.INVALID)]
    assert found.original_message_ids == ("<ours@ours.example>",)
    # A person who sends the same on has no bounce of their own.
    assert (
        parse(raw.replace(b"MAILER-DAEMON@gateway", b"bob@far").replace(b"Undeliverable", b"FW: see")) is None
    )


def test_it_takes_a_refusal_by_the_recipients_filter_for_a_failure() -> None:
    """RFC 5429: Sieve's reject, as Dovecot sends it, comes in the shape of a receipt."""
    raw = (
        "From: Mail Delivery Subsystem <postmaster@far.example>\nTo: me@ours.example\n"
        "Subject: Automatically rejected mail\nAuto-Submitted: auto-replied (rejected)\n"
        "Content-Type: multipart/report; report-type=disposition-notification; boundary=b\n\n--b\n\n"
        f"Your message to <{ANN}> was automatically rejected:\nQuota exceeded\n--b\n"
        f"Content-Type: message/disposition-notification\n\nFinal-Recipient: rfc822; {ANN}\n"
        "Original-Message-ID: <ours@ours.example>\n"
        "Disposition: automatic-action/MDN-sent-automatically; deleted\n--b--\n"
    )
    assert only(raw.encode()).category is Category.TEMPORARY
    receipt = raw.replace(
        "automatic-action/MDN-sent-automatically; deleted", "manual-action/MDN-sent-manually; displayed"
    )
    receipt = receipt.replace("was automatically rejected:\nQuota exceeded", "was read.")
    assert parse(receipt.replace("Automatically rejected mail", "Read: hello").encode()) is None


def notice(kind: str, **section: object) -> bytes:
    name = {"DeliveryDelay": "deliveryDelay"}.get(kind, kind.lower())
    about = {"messageId": "0102", "commonHeaders": {"messageId": "<ours@ours.example>"}}
    body = json.dumps({"notificationType": kind, name: section, "mail": about})
    return prose(body, sender="AWS <no-reply@sns.amazonaws.com>", subject="AWS Notification Message")


def test_it_reads_amazons_notifications() -> None:
    one = {"emailAddress": ANN, "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    found = read(notice("Bounce", bounceType="Permanent", bouncedRecipients=[one]))
    assert found.original_message_ids == ("<ours@ours.example>", "<0102@email.amazonses.com>")
    assert [(each.address, each.category) for each in found.recipients] == [(ANN, Category.INVALID)]
    assert only(notice("Complaint", complainedRecipients=[one])).category is Category.COMPLAINT
    assert only(notice("Delivery", recipients=[ANN])).category is Category.DELIVERED
    assert only(notice("DeliveryDelay", delayedRecipients=[one])).action == "delayed"
    bare = {"emailAddress": ANN}
    assert (
        only(notice("Bounce", bounceType="Transient", bouncedRecipients=[bare])).category
        is Category.TEMPORARY
    )
    wrapped = json.dumps(
        {
            "Type": "Notification",
            "Message": notice("Delivery", recipients=[ANN]).decode().partition("\n\n")[2],
        }
    )
    assert only(prose(wrapped, subject="AWS Notification Message")).category is Category.DELIVERED


@pytest.mark.parametrize(
    "body",
    ["{", "{}", "[]", '{"notificationType": "Bounce"}',
     '{"notificationType": "Bounce", "bounce": 1, "mail": {}}',
     '{"notificationType": "Bounce", "bounce": {"bouncedRecipients": [1, null, {}]}, "mail": {}}', "{" * 5000,
     '{"a":' * 100_000],
)  # fmt: skip
def test_it_makes_nothing_of_other_json(body: str) -> None:
    assert parse(prose(body, subject="hello", sender="ann@far.example")) is None


@pytest.mark.parametrize(
    ("result", "category", "action"),
    [
        ("Delivery-Result: reject\n", Category.BLOCKED, "failed"),
        ("Delivery-Result: policy\n", Category.BLOCKED, "failed"),
        ("Delivery-Result: delivered\n", Category.DELIVERED, "delivered"),
        ("", Category.UNKNOWN, ""),
    ],
)
def test_it_reads_what_became_of_a_mail_whose_signature_did_not_hold(
    result: str, category: Category, action: str
) -> None:
    """RFC 6591."""
    raw = (
        "From: dmarc@far.example\nContent-Type: multipart/report; report-type=feedback-report; boundary=b\n\n"
        f"--b\nContent-Type: message/feedback-report\n\nFeedback-Type: auth-failure\n{result}"
        f"Original-Rcpt-To: {ANN}\n\n--b\nContent-Type: message/rfc822\n\n{ORIGINAL}\n--b--\n"
    )
    one = only(raw.encode())
    assert (one.address, one.category, one.action) == (ANN, category, action)


@pytest.mark.parametrize("word", ["nicht möglich", "impossible", "не можете", "できません"])
def test_it_knows_a_group_that_lets_nobody_post_in_any_language(word: str) -> None:
    link = "https://groups.google.com/support/"
    words = f"{word}\n\nlist@googlegroups.com\n\n{link}\n\n----- Original message -----\n\n{ORIGINAL}"
    raw = prose(words, subject="Delivery Status Notification (Failure)")
    raw = b"X-Failed-Recipients: list@googlegroups.com\n" + raw
    assert only(raw).category is Category.BLOCKED


@pytest.mark.parametrize(
    ("sender", "subject", "words"),
    [
        ("ann@far.example", "Re: hello", "The parcel could not be delivered to bob@far.example."),
        ("ann@far.example", "Fwd: failure notice", "Your message to bob@far.example could not be delivered."),
        ("ann@far.example", "Delivery of the goods", "We deliver to bob@far.example on Monday."),
        ("no-reply@shop.example", "Your order", "Your order for bob@far.example was rejected."),
        ("ann@far.example", "Mail delivery failed", "Hi, write to bob@far.example please, mine is full."),
        ("support@far.example", "Ticket 12", "We could not reach you at bob@far.example, please call."),
    ],
)
def test_it_sees_no_bounce_in_ordinary_mail(sender: str, subject: str, words: str) -> None:
    assert parse(prose(words, sender=sender, subject=subject)) is None


def test_a_person_who_writes_about_a_bounce_and_encloses_it_has_none() -> None:
    inner = status_report(f"Final-Recipient: rfc822; {ANN}\nAction: failed\nStatus: 5.1.1").decode()
    raw = (
        "From: Ann <ann@far.example>\nTo: me@ours.example\nSubject: Re: your bounce question\n"
        "Content-Type: multipart/mixed; boundary=w\n\n--w\n\n"
        "We saw user unknown for bob@far.example, see below.\n"
        f"--w\nContent-Type: message/rfc822\n\n{inner}\n--w--\n"
    )
    assert parse(raw.encode()) is None
