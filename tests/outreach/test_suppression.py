"""Who is never written to, and what stops when somebody joins that list."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from accounts.models import AuditEvent, User, Workspace
from accounts.tenancy import workspace
from accounts.workspaces import create_workspace
from outreach import suppression
from outreach.models import (
    EnrollmentState,
    Message,
    MessageKind,
    MessageState,
    Suppression,
    SuppressionReason,
)
from tests.factories import make_campaign, make_contact, make_enrollment, make_message

BY_HAND, OPTED_OUT = SuppressionReason.BY_HAND, SuppressionReason.OPTED_OUT
DOMAIN = Suppression.Scope.DOMAIN


@pytest.mark.parametrize("given", ["ANA@Site.Example", " ana@site.example "])
def test_it_knows_an_address_however_it_is_written(in_ws: Workspace, given: str) -> None:
    suppression.suppress("Ana@site.example", reason=OPTED_OUT)
    assert suppression.is_suppressed(given) is not None
    assert suppression.is_suppressed("anna@site.example") is None


def test_it_blocks_a_domain_and_what_lies_below_it(in_ws: Workspace) -> None:
    suppression.suppress("Site.Example", reason=BY_HAND, scope=DOMAIN)
    assert suppression.is_suppressed("ana@site.example")
    assert suppression.is_suppressed("ana@mail.site.example")
    assert suppression.is_suppressed("ana@othersite.example") is None


def test_it_takes_the_domain_of_an_address_where_a_domain_is_meant(in_ws: Workspace) -> None:
    row = suppression.suppress("ana@münchen.example", reason=BY_HAND, scope=DOMAIN)
    assert row.value == "xn--mnchen-3ya.example"
    assert suppression.is_suppressed("bo@MÜNCHEN.example")


@pytest.mark.parametrize(
    "value", ["ana", "ana@", "@site.example", "a b@site.example", "ana@x\r\nBcc: b@c.example"]
)
def test_it_refuses_what_is_no_address(in_ws: Workspace, value: str) -> None:
    with pytest.raises(suppression.BadValue):
        suppression.suppress(value, reason=BY_HAND)


@pytest.mark.parametrize("value", ["", "com", "-.example", "a b.example", "site.example/path"])
def test_it_refuses_what_is_no_domain(in_ws: Workspace, value: str) -> None:
    with pytest.raises(suppression.BadValue):
        suppression.suppress(value, reason=BY_HAND, scope=DOMAIN)


def test_it_stops_what_waits_and_leaves_what_was_handed_over(in_ws: Workspace) -> None:
    contact = make_contact("ana@site.example")
    rows = {}
    for state in (MessageState.PLANNED, MessageState.DRAFTED, MessageState.SUBMITTING, MessageState.SENT):
        campaign = make_campaign(state="running")
        rows[state] = make_message(
            make_enrollment(campaign, contact, state=EnrollmentState.RUNNING), state=state
        )
    other = make_message(state=MessageState.QUEUED)
    suppression.suppress("ana@site.example", reason=OPTED_OUT)
    ended = {state: Message.objects.get(pk=row.pk) for state, row in rows.items()}
    assert ended[MessageState.PLANNED].state == MessageState.SUPPRESSED
    assert ended[MessageState.DRAFTED].state == MessageState.SUPPRESSED
    assert ended[MessageState.DRAFTED].fence == rows[MessageState.DRAFTED].fence + 1
    assert ended[MessageState.DRAFTED].reason == OPTED_OUT
    assert ended[MessageState.SUBMITTING].state == MessageState.SUBMITTING
    assert ended[MessageState.SENT].state == MessageState.SENT
    other.refresh_from_db()
    assert other.state == MessageState.QUEUED
    enrollment = rows[MessageState.SUBMITTING].enrollment
    assert enrollment is not None
    enrollment.refresh_from_db()
    assert (enrollment.state, enrollment.reason) == (EnrollmentState.SUPPRESSED, OPTED_OUT)


def test_it_stops_a_whole_domain(in_ws: Workspace) -> None:
    inside = make_message(make_enrollment(make_campaign(), make_contact("ana@mail.site.example")))
    outside = make_message(make_enrollment(make_campaign(), make_contact("bo@other.example")))
    suppression.suppress("site.example", reason=OPTED_OUT, scope=DOMAIN)
    inside.refresh_from_db()
    outside.refresh_from_db()
    assert (inside.state, outside.state) == (MessageState.SUPPRESSED, MessageState.PLANNED)


def test_it_leaves_a_test_to_oneself_alone(in_ws: Workspace) -> None:
    contact = make_contact("ana@site.example")
    row = make_message(make_enrollment(make_campaign(), contact), state=MessageState.QUEUED)
    Message.objects.filter(pk=row.pk).update(kind=MessageKind.TEST)
    suppression.suppress("ana@site.example", reason=BY_HAND)
    row.refresh_from_db()
    assert row.state == MessageState.QUEUED


def test_it_marks_a_bounce_as_a_bounce(in_ws: Workspace) -> None:
    enrollment = make_enrollment(make_campaign(), make_contact("ana@site.example"))
    suppression.suppress("ana@site.example", reason=SuppressionReason.BOUNCED)
    enrollment.refresh_from_db()
    assert enrollment.state == EnrollmentState.BOUNCED


def test_it_keeps_one_row_and_the_stronger_reason(in_ws: Workspace) -> None:
    first = suppression.suppress("ana@site.example", reason=BY_HAND)
    suppression.suppress("ana@site.example", reason=OPTED_OUT)
    suppression.suppress("ana@site.example", reason=BY_HAND)
    row = Suppression.objects.get()
    assert (row.pk, row.reason) == (first.pk, OPTED_OUT)


def test_it_lifts_what_a_person_added_and_tells(in_ws: Workspace, owner: User) -> None:
    row = suppression.suppress("ana@site.example", reason=BY_HAND)
    suppression.lift(row, actor=owner)
    assert suppression.is_suppressed("ana@site.example") is None
    assert AuditEvent.objects.filter(action="suppression.lifted", actor=owner).exists()


def test_it_never_lifts_the_other_sides_own_word(in_ws: Workspace, owner: User) -> None:
    row = suppression.suppress("ana@site.example", reason=OPTED_OUT)
    with pytest.raises(suppression.CannotLift):
        suppression.lift(row, actor=owner)
    assert suppression.is_suppressed("ana@site.example")


def test_it_finds_all_blocked_of_many_with_one_query(
    in_ws: Workspace, django_assert_num_queries: object
) -> None:
    suppression.suppress("a1@site.example", reason=BY_HAND)
    suppression.suppress("other.example", reason=BY_HAND, scope=DOMAIN)
    asked = [f"a{number}@site.example" for number in range(50)] + ["b@other.example"]
    with django_assert_num_queries(1):  # type: ignore[operator]
        found = suppression.blocking(asked)
    assert set(found) == {"a1@site.example", "b@other.example"}


def test_it_stays_within_the_workspace(in_ws: Workspace, stranger: User) -> None:
    suppression.suppress("ana@site.example", reason=OPTED_OUT)
    with workspace(create_workspace(stranger, name="Elsewhere too")):
        assert suppression.is_suppressed("ana@site.example") is None


@pytest.mark.parametrize("scope", [Suppression.Scope.ADDRESS, DOMAIN])
def test_it_never_marks_a_mail_that_was_handed_over_meanwhile(
    transactional_db: None, in_ws: Workspace, scope: str
) -> None:
    contact = make_contact("ana@site.example")
    campaign = make_campaign(state="running")
    row = make_message(
        make_enrollment(campaign, contact, state=EnrollmentState.RUNNING), state=MessageState.DRAFTED
    )
    locked, waiting = threading.Event(), threading.Event()

    def hand_over() -> None:
        try:
            with workspace(in_ws), transaction.atomic():
                Message.objects.filter(pk=row.pk).update(state=MessageState.SUBMITTING)
                locked.set()
                waiting.wait(5)
        finally:
            connection.close()

    def let_go_once_somebody_waits() -> None:
        try:
            for _ in range(200):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                    if cursor.fetchone()[0]:
                        break
                waiting.wait(0.02)
            waiting.set()
        finally:
            connection.close()

    sender = threading.Thread(target=hand_over)
    sender.start()
    assert locked.wait(5)
    watcher = threading.Thread(target=let_go_once_somebody_waits)
    watcher.start()
    suppression.suppress(
        "ana@site.example" if scope == Suppression.Scope.ADDRESS else "site.example",
        reason=OPTED_OUT,
        scope=scope,
    )
    sender.join()
    watcher.join()
    row.refresh_from_db()
    assert row.state == MessageState.SUBMITTING
