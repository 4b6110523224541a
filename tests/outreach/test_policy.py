"""Every gate alone turns exactly the kinds of mail red that it is for (decisions 9)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable

import pytest
from django.db import transaction
from django.db.models import F

from accounts import clock
from accounts.models import Workspace
from mailbox.models import Mailbox, MailboxState, SendSlot
from outreach import policy
from outreach.models import (
    Basis,
    Campaign,
    CampaignState,
    CaseState,
    Contact,
    Enrollment,
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    RemovalCase,
    SuppressionReason,
)
from outreach.models import Verdict as CaseVerdict
from outreach.pipeline.queue import queue_due
from outreach.suppression import suppress
from tests.factories import (
    make_campaign,
    make_contact,
    make_enrollment,
    make_mailbox,
    make_message,
    make_project,
    make_reply,
    make_suppression,
    make_thread,
)

FIRST, FOLLOW_UP, REMOVAL = MessageKind.FIRST, MessageKind.FOLLOW_UP, MessageKind.REMOVAL
ANSWER, TEST = MessageKind.ANSWER, MessageKind.TEST
SEQUENCE, EVERY = {FIRST, FOLLOW_UP, REMOVAL}, set(MessageKind)


def ready(kind: MessageKind) -> Message:
    """A queued mail of this kind that may leave; the queue stage has rendered those of a sequence."""
    mailbox = make_mailbox(days_old=100)
    if kind == TEST:
        row = Message(kind=TEST, project=make_project(), compose_id=uuid.uuid4(), mailbox=mailbox)
        row.to_address, row.subject, row.text = "mira@fernhill.example", "Hi", "Hello"
        row.state = MessageState.QUEUED
        row.save()
        return row
    steps = [("Your hut table", "<p>Hello</p>"), ("", "<p>Again</p>")]
    campaign_kind = "removal" if kind == REMOVAL else "outreach"
    campaign = make_campaign(mailbox=mailbox, steps=steps, kind=campaign_kind, state=CampaignState.RUNNING)
    contact = make_contact(f"{uuid.uuid4().hex[:8]}@{uuid.uuid4().hex[:8]}.example")
    enrollment = make_enrollment(campaign, contact, state=EnrollmentState.RUNNING)
    if kind == REMOVAL:
        assert contact.site is not None
        RemovalCase.objects.create(
            project=campaign.project,
            site=contact.site,
            contact=contact,
            enrollment=enrollment,
            verdict=CaseVerdict.REMOVE,
        )
    if kind == ANSWER:
        return Message.objects.create(
            kind=ANSWER,
            project=campaign.project,
            compose_id=uuid.uuid4(),
            thread=make_thread(enrollment),
            contact=contact,
            mailbox=mailbox,
            to_address=contact.address,
            subject="Re: Hi",
            text="Hello",
            state=MessageState.QUEUED,
        )
    if kind == FOLLOW_UP:
        make_message(enrollment, state=MessageState.SENT)
    row = make_message(enrollment, position=2 if kind == FOLLOW_UP else 1)
    if kind == FOLLOW_UP:
        Message.objects.filter(pk=row.pk).update(thread=make_thread(enrollment))
    queue_due()
    return fresh(row)


def fresh(row: Message) -> Message:
    return Message.objects.select_related(
        "mailbox", "campaign", "enrollment", "contact", "step", "thread", "workspace"
    ).get(pk=row.pk)


def _update(model: type, **values: object) -> None:
    model.objects.update(**values)  # type: ignore[attr-defined]


def _opted_out(row: Message) -> None:
    # Written behind the product's back, so that only the gate can notice.
    state, reason = row.state, row.reason
    suppress(row.to_address, reason=SuppressionReason.OPTED_OUT)
    Message.objects.filter(pk=row.pk).update(state=state, reason=reason)
    Enrollment.objects.update(state=EnrollmentState.RUNNING)


def _whole_domain(row: Message) -> None:
    state = row.state
    make_suppression(row.to_address, scope="domain")
    Message.objects.filter(pk=row.pk).update(state=state)
    Enrollment.objects.update(state=EnrollmentState.RUNNING)


def _text(row: Message, **values: str | None) -> None:
    found = Message.objects.get(pk=row.pk)
    for name, value in values.items():
        setattr(found, name, value)
    found.save()


def _bounced_before(row: Message, *, count: int = 5) -> None:
    campaign = make_campaign(mailbox=row.mailbox)
    for number in range(count):
        sent = make_message(make_enrollment(campaign), state=MessageState.SENT)
        Message.objects.filter(pk=sent.pk).update(
            bounce_kind="hard" if number % 2 else "blocked", bounced_at=clock.now(), sent_at=clock.now()
        )


def _four_hard_in_a_row(row: Message) -> None:
    campaign = make_campaign(mailbox=row.mailbox)
    for number in range(4):
        sent = make_message(make_enrollment(campaign), state=MessageState.SENT)
        at = clock.now() + dt.timedelta(seconds=number + 1)
        Message.objects.filter(pk=sent.pk).update(bounce_kind="hard", bounced_at=at, sent_at=at)


def _wrote_lately(row: Message) -> None:
    if row.contact is not None:
        make_message(make_enrollment(make_campaign(), row.contact), state=MessageState.SENT)


def _site_is_full(row: Message) -> None:
    site = row.contact.site if row.contact else None
    for _ in range(4):
        make_message(make_enrollment(make_campaign(), make_contact(site=site)), state=MessageState.SENT)


def _bulk(row: Message) -> None:
    if row.campaign is None:
        return
    sent = []
    for _ in range(50):
        sent.append(make_message(make_enrollment(row.campaign), state=MessageState.SENT))
    Message.objects.filter(pk__in=[each.pk for each in sent]).update(
        step=row.step, kind=row.kind, attempted_at=clock.now(), enrollment=F("enrollment")
    )


def _answered(row: Message) -> None:
    if row.thread is not None:
        make_reply(row)


def _closed_window(row: Message) -> None:
    tomorrow = (clock.now() + dt.timedelta(days=1)).weekday()
    Campaign.objects.update(weekdays=[tomorrow], timezone="UTC")


def _full(row: Message) -> None:
    assert row.mailbox is not None
    for _ in range(400):
        SendSlot.objects.create(identity_id=row.mailbox.identity, key=uuid.uuid4())


def _complaints(row: Message) -> None:
    for number in range(3):
        suppress(f"c{number}@complains.example", reason=SuppressionReason.COMPLAINED)


Break = Callable[[Message], None]
TWO = "a@b.example,c@d.example"
LINK = "http://x@evil.example/"
# What goes wrong, the code, and which kinds must not leave; the last word says whether the row ends.
TABLE: list[tuple[str, Break, str, set[MessageKind], bool]] = [
    ("G1 address", _opted_out, "opted_out", SEQUENCE, True),
    ("G1 domain", _whole_domain, "by_hand", SEQUENCE, True),
    ("G2 source", lambda row: _update(Contact, source=" "), "no_source", SEQUENCE, True),
    ("G2 basis", lambda row: _update(Contact, basis="hope"), "no_basis", SEQUENCE, True),
    ("G2 bulk", _bulk, "bulk", {FIRST}, False),
    ("G3 identity", lambda row: _nameless(row), "identity", EVERY, True),
    ("G3 false answer", lambda row: _text(row, subject="RE: your table"), "pretends", {FIRST}, True),
    ("G4 address", lambda row: _update(Workspace, postal_address=""), "no_postal_address", SEQUENCE, False),
    ("G5 body", lambda row: _text(row, text="Hello"), "no_opt_out", SEQUENCE, True),
    ("G5 header", lambda row: _text(row, headers="[]"), "no_opt_out", SEQUENCE, True),
    ("G7 window", _closed_window, "window", SEQUENCE, False),
    ("G7 cap", _full, "cap_reached", SEQUENCE | {ANSWER}, False),
    ("G8 5 %", _bounced_before, "bounces", SEQUENCE, False),
    ("G8 in a row", _four_hard_in_a_row, "bounces", SEQUENCE, False),
    ("G9 complaints", _complaints, "complaints", SEQUENCE, False),
    ("G10 placeholder", lambda row: _text(row, subject="Hi [name]"), "placeholder", SEQUENCE, True),
    ("G10 field", lambda row: _more_text(row, "{{ name }}"), "placeholder", SEQUENCE, True),
    ("G11 link", lambda row: _more_text(row, LINK), "link_hides", SEQUENCE, True),
    ("G12 cool-down", _wrote_lately, "cool_down", {FIRST}, False),
    ("G12 site", _site_is_full, "site_budget", {REMOVAL}, False),
    ("G13 paused", lambda row: _update(Campaign, state="paused"), "campaign_paused", SEQUENCE, False),
    ("G13 person", lambda row: _update(Enrollment, paused_at=clock.now()), "person_paused", SEQUENCE, False),
    ("G13 ended", lambda row: _update(Campaign, state="cancelled"), "campaign_cancelled", SEQUENCE, True),
    ("G13 replied", lambda row: _update(Enrollment, state="replied"), "replied", SEQUENCE, True),
    ("G13 bounced", lambda row: _update(Enrollment, state="bounced"), "bounced", SEQUENCE, True),
    ("G13 out", lambda row: _update(Enrollment, state="cancelled"), "stopped", SEQUENCE, True),
    ("G13 no reply yet", _answered, "replied", {FOLLOW_UP, REMOVAL}, True),
    ("G13 case", lambda row: _update(RemovalCase, state=CaseState.GONE), "links_gone", {REMOVAL}, True),
    ("G13 verdict", lambda row: _update(RemovalCase, verdict="keep"), "case_closed", {REMOVAL}, True),
    ("G13 broken", lambda row: _update(Mailbox, state="broken"), "mailbox_disconnected", EVERY, False),
    ("G13 revoked", lambda row: _update(Mailbox, state="revoked"), "mailbox_removed", EVERY, True),
    ("G13 throttled", lambda row: _throttled(), "provider_wait", EVERY, False),
    ("G13 suspended", lambda row: _suspended(), "workspace_suspended", EVERY, False),
    ("G14 region", lambda row: _update(Contact, country="DE"), "consent_needed", SEQUENCE, True),
    ("G15 two people", lambda row: _text(row, to_address=TWO), "one_recipient", EVERY, True),
    ("G15 size", lambda row: _more_text(row, "x" * 20_000_000), "too_big", EVERY, True),
]  # fmt: skip


def _more_text(row: Message, more: str) -> None:
    found = Message.objects.get(pk=row.pk)
    _text(
        row, text=f"{found.text}\n{more}", html=f'{found.html}<a href="{more}">x</a>' if found.html else None
    )


def _nameless(row: Message) -> None:
    mailbox = Mailbox.objects.get()
    mailbox.address = ""
    mailbox.save()


def _suspended() -> None:
    Workspace.objects.update(suspended_at=clock.now())


def _throttled() -> None:
    Mailbox.objects.update(
        state=MailboxState.THROTTLED, throttled_until=clock.now() + dt.timedelta(minutes=5)
    )


@pytest.mark.parametrize("kind", list(MessageKind))
def test_it_lets_a_right_mail_of_each_kind_go(in_ws: Workspace, kind: MessageKind) -> None:
    row = ready(kind)
    assert row.state == MessageState.QUEUED
    assert policy.may_queue(row).ok
    assert policy.may_send(row) == policy.Verdict(ok=True)


@pytest.mark.parametrize(
    ("breaks", "code", "kinds", "ends"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_it_turns_red_exactly_for_its_kinds(
    in_ws: Workspace, breaks: Break, code: str, kinds: set[MessageKind], ends: bool
) -> None:
    for kind in MessageKind:
        with transaction.atomic():
            row = ready(kind)
            breaks(row)
            verdict = policy.may_send(fresh(row))
            transaction.set_rollback(True)
        assert verdict.ok == (kind not in kinds), (kind, verdict)
        if not verdict.ok:
            assert verdict.code == code
            assert verdict.sentence.endswith((".", "/"))
            assert (verdict.ends is not None) == ends


def test_it_asks_every_gate_of_the_table() -> None:
    known = {gate.number for gate in policy.GATES}
    # G6 warns and stops nothing.
    assert known == {row[0].split()[0] for row in TABLE} | {"G6"}
    assert known == {f"G{number}" for number in range(1, 16)}


def test_it_lets_a_suppressed_persons_state_decide_between_ended_and_suppressed(in_ws: Workspace) -> None:
    row = ready(FOLLOW_UP)
    _opted_out(row)
    assert policy.may_send(fresh(row)).ends == MessageState.SUPPRESSED


@pytest.mark.parametrize(
    ("country", "basis", "goes"),
    [
        ("AT", Basis.LEGITIMATE, False),
        ("AT", Basis.CONSENT, True),
        ("DE", Basis.CUSTOMER, True),
        ("FR", Basis.LEGITIMATE, True),
        ("", Basis.LEGITIMATE, True),
    ],
)
def test_it_asks_for_consent_by_country(in_ws: Workspace, country: str, basis: Basis, goes: bool) -> None:
    row = ready(FIRST)
    Contact.objects.update(country=country, basis=basis)
    assert policy.may_send(fresh(row)).ok is goes


def test_it_needs_no_second_place_in_the_cap(in_ws: Workspace) -> None:
    row = ready(FIRST)
    assert row.mailbox is not None
    SendSlot.objects.create(identity_id=row.mailbox.identity, key=row.pk)
    _full(row)
    assert policy.may_send(fresh(row)).ok


def test_it_lets_bulk_go_with_consent_and_through_microsoft(in_ws: Workspace) -> None:
    row = ready(FIRST)
    _bulk(row)
    assert not policy.may_send(fresh(row)).ok
    Contact.objects.update(basis=Basis.CONSENT)
    assert policy.may_send(fresh(row)).ok
    Contact.objects.update(basis=Basis.LEGITIMATE)
    Mailbox.objects.update(provider="microsoft")
    assert policy.may_send(fresh(row)).ok


def test_it_forgets_an_old_first_mail(in_ws: Workspace) -> None:
    row = ready(FIRST)
    _wrote_lately(row)
    verdict = policy.may_send(fresh(row))
    assert verdict.until is not None
    Message.objects.filter(state="sent").update(sent_at=clock.now() - dt.timedelta(days=31))
    assert policy.may_send(fresh(row)).ok


def test_it_warns_of_four_bounces_and_does_not_stop(in_ws: Workspace) -> None:
    row = ready(FIRST)
    _bounced_before(row, count=4)
    assert policy.may_send(fresh(row)).ok


def test_it_asks_what_ends_a_mail_for_good_before_what_waits_for_a_time(in_ws: Workspace) -> None:
    """Both are so: the person has opted out, and the window is closed."""
    row = ready(FIRST)
    _opted_out(row)
    _closed_window(row)
    assert policy.may_send(fresh(row)).code == "opted_out"


# --- what only warns --------------------------------------------------------------------------------


def _said(row: Message, number: str) -> list[policy.Verdict]:
    found = policy.asked(fresh(row), now=clock.now())
    return [verdict for gate, verdict in found if gate.number == number]


def test_it_warns_of_a_domain_that_cannot_be_checked_and_stops_nothing(in_ws: Workspace) -> None:
    """G6 (decisions 9)."""
    row = ready(FIRST)
    (verdict,) = _said(row, "G6")
    assert (verdict.ok, verdict.code) == (True, "domain_unknown")
    assert "fernhill.example" in verdict.sentence
    assert policy.may_send(fresh(row)) == policy.Verdict(ok=True)
    mailbox = Mailbox.objects.get()
    mailbox.address = "mira@gmail.com"
    mailbox.save()
    assert _said(row, "G6") == [policy.Verdict(ok=True)]


@pytest.mark.parametrize(("count", "code"), [(2, ""), (3, "bounces_near"), (4, "bounces_near")])
def test_it_warns_of_bounces_before_it_stops(in_ws: Workspace, count: int, code: str) -> None:
    """G8: 3 of the last 100 warn, 5 stop (decisions 10)."""
    row = ready(FIRST)
    _bounced_before(row, count=count)
    (verdict,) = _said(row, "G8")
    assert (verdict.ok, verdict.code) == (True, code)
    assert policy.may_send(fresh(row)).ok
