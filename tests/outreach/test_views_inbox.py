"""The inbox through the front door: what waits, one conversation, label, done, answer, the safe frame."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import User, Workspace
from mailbox.models import Mailbox, MailboxState
from mailbox.parsing import html
from outreach.inbox import conversation
from outreach.models import (
    Backlink,
    Enrollment,
    EnrollmentState,
    Label,
    LinkState,
    Message,
    MessageKind,
    MessageState,
    Reply,
    ReplyKind,
    Thread,
)
from outreach.suppression import is_suppressed
from tests import factories
from tests.outreach.removal_cast import make_asked, make_list
from tests.outreach.talks import again, talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


@pytest.fixture
def mailbox(in_ws: Workspace) -> Mailbox:
    return factories.make_mailbox()


def answered(mailbox: Mailbox, address: str = "", *, text: str = "Thank you", **values: Any) -> Reply:
    """A first mail that was accepted, and a person's answer that waits."""
    campaign = factories.make_campaign(mailbox=mailbox, state="running", project=factories.make_project())
    contact = factories.make_contact(address, name="Brisa Bell")
    enrollment = factories.make_enrollment(campaign, contact, state=EnrollmentState.REPLIED)
    mail = factories.make_message(enrollment, state=MessageState.SENT, replied_at=clock.now())
    reply = factories.make_reply(mail, text=text, **values)
    if reply.kind == ReplyKind.REPLY:
        Thread.objects.filter(pk=reply.thread_id).update(waits_since=reply.received_at)
    return reply


def at(ws: Workspace, path: str) -> str:
    return f"/w/{ws.slug}/{path}"


def test_it_lists_who_waits_and_opens_the_first(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    answered(mailbox, "brisa@huts.example", text="We would gladly look at yours.")
    done = answered(mailbox, text="An old answer")
    Thread.objects.filter(pk=done.thread_id).update(waits_since=None, done_at=clock.now())
    body = me.get(at(in_ws, "inbox/")).content.decode()
    assert body.count("We would gladly look at yours.") == 2
    assert "An old answer" not in body
    assert "An old answer" in me.get(at(in_ws, "inbox/?show=done")).content.decode()
    assert body.count("<h1") == 1


def test_it_shows_an_empty_inbox(me: Client, in_ws: Workspace) -> None:
    assert "No reply waits" in me.get(at(in_ws, "inbox/")).content.decode()


def test_it_shows_the_list_anew_only_when_something_has_come(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    answered(mailbox)
    body = me.get(at(in_ws, "inbox/?live=")).content.decode()
    seen = body.split("live=")[1][:20]
    assert me.get(at(in_ws, f"inbox/?live={seen}")).status_code == 204
    answered(mailbox)
    assert me.get(at(in_ws, f"inbox/?live={seen}")).status_code == 200


def test_it_shows_quotes_attachments_and_what_was_cut_off(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    reply = answered(
        mailbox,
        text="New words",
        quoted="> one\n> two",
        attachments=json.dumps([["invoice <b>.pdf", "application/pdf", 1_300_000]]),
        truncated=True,
        size=25 * 1024 * 1024,
        different_sender=True,
    )
    body = me.get(at(in_ws, f"inbox/{reply.thread_id}/")).content.decode()
    assert "Show 2 quoted lines" in body
    assert "invoice &lt;b&gt;.pdf" in body
    assert "1.2 MB" in body
    assert "25.0\xa0MB" in body
    assert "Only its beginning was read" in body
    assert "another address than the one written to" in body


def test_it_shows_bounces_and_automatic_answers_as_what_they_are(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    reply = answered(
        mailbox,
        kind=ReplyKind.BOUNCE,
        bounce_kind="hard",
        bounce_status="5.1.1",
        diagnostic="550 5.1.1 user unknown",
        text="",
    )
    assert reply.message is not None
    factories.make_reply(reply.message, kind=ReplyKind.AUTO_REPLY, text="Away until Monday")
    body = me.get(at(in_ws, f"inbox/{reply.thread_id}/")).content.decode()
    assert "550 5.1.1 user unknown" in body
    assert "Auto-reply" in body
    assert "Away until Monday" in body
    assert reply.thread.waits_since is None


def test_it_shows_a_hostile_original_in_a_frame_that_can_do_nothing(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    hostile = (
        '<p onclick="steal()">Hello</p><script>steal()</script><img src="https://track.example/p.gif">'
        '<a href="javascript:steal()">x</a><a href="https://huts.example/">good</a><style>p{}</style>'
        '<iframe src="https://evil.example"></iframe><form action="https://evil.example"><input></form>'
    )
    reply = answered(mailbox, html=html.keep(hostile))
    page = me.get(at(in_ws, f"inbox/{reply.thread_id}/")).content.decode()
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    frame = me.get(at(in_ws, f"replies/{reply.pk}/original/"))
    body = frame.content.decode()
    for wrong in ("steal", "track.example", "evil.example", "onclick", "<img", "<form", "<script", "<style"):
        assert wrong not in body
    assert 'href="https://huts.example/"' in body
    policy = frame["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert policy.startswith("sandbox allow-popups")
    assert "script" not in policy
    assert "allow-same-origin" not in policy
    assert frame["Cache-Control"] == "no-store, private"


def test_it_escapes_markup_in_the_plain_text_of_a_reply(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    reply = answered(mailbox, text="<script>steal()</script>", from_name="<b>Eve</b>")
    body = me.get(at(in_ws, f"inbox/{reply.thread_id}/")).content.decode()
    assert "<script>steal" not in body
    assert "<b>Eve</b>" not in body


def test_it_queues_one_answer_for_two_presses(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    reply = answered(mailbox, "brisa@huts.example")
    form = {"compose_id": str(uuid.uuid4()), "text": "Gladly.\n\nMira"}
    url = at(in_ws, f"inbox/{reply.thread_id}/answer/")
    assert me.post(url, form).status_code == 302
    assert me.post(url, form).status_code == 302
    mail = Message.objects.get(kind=MessageKind.ANSWER)
    assert (mail.to_address, mail.state) == ("brisa@huts.example", MessageState.QUEUED)
    assert mail.subject == "Re: Your hut table"
    thread = Thread.objects.get()
    assert thread.waits_since is None
    body = me.get(at(in_ws, f"inbox/{thread.pk}/")).content.decode()
    assert "Gladly." in body
    assert "Queued" in body


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"text": "   "}, "The answer is empty."),
        ({"text": "x" * 50_001}, "an answer takes 50,000"),
        ({"text": "Hello", "compose_id": "nonsense"}, "The page was too old."),
    ],
)
def test_it_keeps_the_typed_text_where_an_answer_cannot_go(
    form: dict[str, str], words: str, me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    reply = answered(mailbox)
    sent = {"compose_id": str(uuid.uuid4()), **form}
    answer = me.post(at(in_ws, f"inbox/{reply.thread_id}/answer/"), sent)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert form["text"] in answer.content.decode()
    assert not Message.objects.filter(kind=MessageKind.ANSWER).exists()


def test_it_asks_before_it_answers_a_suppressed_person(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    reply = answered(mailbox, "brisa@huts.example")
    factories.make_suppression("brisa@huts.example")
    page = me.get(at(in_ws, f"inbox/{reply.thread_id}/")).content.decode()
    assert "Send it all the same" in page
    form = {"compose_id": str(uuid.uuid4()), "text": "As you asked."}
    url = at(in_ws, f"inbox/{reply.thread_id}/answer/")
    refused = me.post(url, form)
    assert refused.status_code == 422
    assert "As you asked." in refused.content.decode()
    assert me.post(url, {**form, "confirmed": "yes"}).status_code == 302
    assert Message.objects.filter(kind=MessageKind.ANSWER).count() == 1


@pytest.mark.parametrize("state", [MailboxState.REVOKED, MailboxState.BROKEN])
def test_it_says_why_nothing_can_be_sent_from_here(
    state: str, me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    reply = answered(mailbox)
    Mailbox.objects.update(state=state)
    body = me.get(at(in_ws, f"inbox/{reply.thread_id}/")).content.decode()
    assert 'name="text"' not in body
    assert ("was removed" in body) or ("needs reconnecting" in body)
    form = {"compose_id": str(uuid.uuid4()), "text": "Hello"}
    assert me.post(at(in_ws, f"inbox/{reply.thread_id}/answer/"), form).status_code == 422


def test_it_marks_as_done_and_takes_that_back(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    reply = answered(mailbox)
    url = at(in_ws, f"inbox/{reply.thread_id}/done/")
    page = me.post(url, follow=True).content.decode()
    assert f"{url}?undo" in page
    thread = Thread.objects.get()
    assert (thread.waits_since, thread.done_at is None) == (None, False)
    me.post(f"{url}?undo")
    thread.refresh_from_db()
    assert (thread.waits_since, thread.done_at) == (reply.received_at, None)


def test_it_sets_a_label_by_hand(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    reply = answered(mailbox)
    url = at(in_ws, f"inbox/{reply.thread_id}/label/")
    me.post(url, {"label": Label.INTERESTED})
    assert Reply.objects.get().label == Label.INTERESTED
    me.post(f"{url}?reply={reply.pk}", {"label": ""})
    assert Reply.objects.get().label == ""
    assert me.post(url, {"label": "engaged"}).status_code == 404
    assert me.post(f"{url}?reply=nonsense", {"label": "unclear"}).status_code == 404
    assert me.post(f"{url}?reply={uuid.uuid4()}", {"label": "unclear"}).status_code == 404


def test_it_asks_before_an_opt_out_that_nobody_can_take_back(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    reply = answered(mailbox, "brisa@huts.example")
    url = at(in_ws, f"inbox/{reply.thread_id}/label/?reply={reply.pk}")
    asked = me.post(url, {"label": Label.OPTED_OUT})
    assert "Never write to this address again" in asked.content.decode()
    assert is_suppressed("brisa@huts.example") is None
    me.post(url, {"label": Label.OPTED_OUT, "confirmed": "yes"})
    found = is_suppressed("brisa@huts.example")
    assert found is not None
    assert found.reason == "opted_out"


def test_it_takes_a_claim_of_removal_for_a_claim(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    case = make_list(factories.make_project(), sites=1)[0]
    mail = make_asked(case)
    Backlink.objects.filter(source_url__endswith="/0").update(state=LinkState.GONE)
    factories.make_reply(mail)
    me.post(at(in_ws, f"inbox/{mail.thread_id}/label/"), {"label": Label.SAYS_REMOVED})
    states = list(Backlink.objects.order_by("source_url").values_list("state", flat=True))
    assert states == [LinkState.GONE, LinkState.SAYS_REMOVED]


def test_it_lets_a_viewer_read_and_nobody_else_in(
    signed_in: Callable[[User], Client],
    viewer: User,
    stranger: User,
    ex_member: User,
    in_ws: Workspace,
    mailbox: Mailbox,
) -> None:
    reply = answered(mailbox, html="<p>Hi</p>")
    thread = at(in_ws, f"inbox/{reply.thread_id}/")
    frame = at(in_ws, f"replies/{reply.pk}/original/")
    reader = signed_in(viewer)
    assert reader.get(thread).status_code == 200
    assert reader.get(frame).status_code == 200
    assert reader.post(f"{thread}done/").status_code == 403
    assert reader.post(f"{thread}answer/", {"text": "x"}).status_code == 403
    for outsider in (stranger, ex_member):
        assert signed_in(outsider).get(thread).status_code == 404
        assert signed_in(outsider).get(frame).status_code == 404


def test_it_asks_no_more_queries_for_fifty_conversations_than_for_five(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert me.get(at(in_ws, path)).status_code == 200
        return len(found)

    for _ in range(5):
        answered(mailbox)
    paths = ["inbox/?show=all", "inbox/?live=", ""]
    [queries(path) for path in paths]
    few = [queries(path) for path in paths]
    for _ in range(45):
        answered(mailbox)
    assert Enrollment.objects.count() == 50
    assert [queries(path) for path in paths] == few


def test_it_asks_no_more_queries_for_a_long_conversation(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    reply = answered(mailbox)
    assert reply.message is not None

    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert me.get(at(in_ws, f"inbox/{reply.thread_id}/")).status_code == 200
        return len(found)

    queries()
    few = queries()
    for number in range(30):
        factories.make_reply(reply.message, text=f"Answer {number}")
    assert queries() == few


def test_it_asks_the_time_once_for_all_mails_of_a_conversation(in_ws: Workspace, mailbox: Mailbox) -> None:
    steps = [(f"Step {number}", "Text") for number in range(3)]
    row = factories.make_enrollment(factories.make_campaign(mailbox=mailbox, steps=steps))
    first = factories.make_message(row, state=MessageState.SENT)
    thread = first.thread
    assert thread is not None

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            conversation.of_thread(thread, now=clock.now())
        return len(asked)

    few = queries()
    for position in (2, 3):
        factories.make_message(row, position=position, state=MessageState.SENT)
    assert queries() == few


def test_it_shows_the_newest_of_a_long_conversation_and_all_of_it_when_asked(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    row = talk(mailbox)
    for number in range(25):
        again(row, text=f"Mail number {number}.", received_at=clock.now() + dt.timedelta(minutes=number))
    page = me.get(at(in_ws, f"inbox/{row.pk}/")).content.decode()
    assert "Mail number 24." in page
    assert "Mail number 5." in page
    assert "Mail number 4." not in page
    assert "Show the earlier mails" in page
    whole = me.get(at(in_ws, f"inbox/{row.pk}/?all=yes")).content.decode()
    assert "Mail number 0." in whole
    assert "Show the earlier mails" not in whole
    assert "all=yes&amp;live=" in whole
