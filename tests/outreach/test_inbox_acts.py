"""What is done with a conversation: unread, assign, snooze, two answers at once, news elsewhere."""

from __future__ import annotations

import datetime as dt
import json
import re
import uuid
from collections.abc import Callable

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import Membership, Role, User, Workspace
from accounts.viewpoint import looking_as
from mailbox.models import Mailbox, Replies
from outreach.inbox import acts, news, places, presence
from outreach.models import Label, Message, MessageKind, ProjectAccess, ReplyKind, Thread
from tests import factories
from tests.outreach.talks import acted, again, at, found, place_in, talk

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


@pytest.fixture
def mailbox(in_ws: Workspace) -> Mailbox:
    return factories.make_mailbox()


@pytest.fixture(autouse=True)
def _nobody_writes() -> None:
    cache.clear()


# --- unread ----------------------------------------------------------------------------------------------


def test_it_is_unread_until_somebody_opens_it(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    row = talk(mailbox)
    places.heard(row, row.replies.get(), by_person=False)
    body = me.get(at(in_ws, row)).content.decode()
    assert 'hx-vals=\'{"read": "yes"}\'' in body
    assert Thread.objects.get().unread  # a GET changes nothing
    assert me.post(at(in_ws, row, "unread/"), {"read": "yes"}).status_code == 204
    assert not Thread.objects.get().unread
    me.post(at(in_ws, row, "unread/"), {"list": "show=all"})
    assert Thread.objects.get().unread


def test_it_stays_unread_when_a_viewer_looks(
    signed_in: Callable[[User], Client], viewer: User, in_ws: Workspace, mailbox: Mailbox
) -> None:
    row = talk(mailbox)
    Thread.objects.update(unread=True)
    reader = signed_in(viewer)
    assert "hx-vals" not in reader.get(at(in_ws, row)).content.decode()
    assert reader.post(at(in_ws, row, "unread/"), {"read": "yes"}).status_code == 403


# --- assign ----------------------------------------------------------------------------------------------


def test_it_is_given_to_a_member_and_back(
    me: Client, member: User, owner: User, in_ws: Workspace, mailbox: Mailbox
) -> None:
    row = talk(mailbox)
    url = at(in_ws, row, "assign/")
    page = me.post(url, {"to": str(place_in(owner, in_ws).pk)}, follow=True).content.decode()
    assert "Given to Olga" in page
    assert Thread.objects.get().assignee == place_in(owner, in_ws)
    me.post(url, {"to": str(place_in(member, in_ws).pk)})
    assert Thread.objects.get().assignment is None  # nobody is told of what they did themselves
    me.post(f"{url}?to={place_in(owner, in_ws).pk}")
    assert Thread.objects.get().assignee == place_in(owner, in_ws)
    me.post(url, {"to": ""})
    assert Thread.objects.get().assignee is None
    assert acted("thread.assigned") == 4


def test_it_is_given_to_nobody_who_cannot_see_or_answer_it(
    me: Client, in_ws: Workspace, mailbox: Mailbox, viewer: User, stranger: User, person: Callable[..., User]
) -> None:
    row, other = talk(mailbox), talk(mailbox)
    limited = Membership.objects.create(
        workspace=in_ws, user=person("lim@studio.example"), role=Role.MEMBER, all_projects=False
    )
    ProjectAccess.objects.create(membership=limited, project=other.project)
    url = at(in_ws, row, "assign/")
    theirs = Membership.objects.filter(user=stranger).first()
    for place in (limited, place_in(viewer, in_ws), theirs):
        if place is not None:
            assert me.post(url, {"to": str(place.pk)}).status_code == 404
    assert me.post(url, {"to": "nonsense"}).status_code == 404
    assert Thread.objects.get(pk=row.pk).assignee is None
    assert me.post(at(in_ws, other, "assign/"), {"to": str(limited.pk)}).status_code == 302


def test_it_gives_a_private_conversation_to_its_reader_alone(
    member: User, owner: User, in_ws: Workspace
) -> None:
    row = talk(factories.make_mailbox(owner=member, replies=Replies.PRIVATE))
    assert [place.user for place in acts.assignable(row)] == [member]


def test_it_is_nobodys_when_the_member_leaves(member: User, in_ws: Workspace, mailbox: Mailbox) -> None:
    row = talk(mailbox)
    acts.assign(row, place_in(member, in_ws), actor=member)
    place_in(member, in_ws).delete()
    assert Thread.objects.get().assignee is None


# --- snooze ----------------------------------------------------------------------------------------------


def test_it_comes_back_by_the_clock_and_on_top(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    row, later = talk(mailbox), talk(mailbox)
    page = me.post(at(in_ws, row, "snooze/"), {"choice": "tomorrow", "zone": "Europe/Berlin"}, follow=True)
    assert "Comes back on" in page.content.decode()
    assert (found(), found("snoozed")) == ([later], [row])
    clock.advance(dt.timedelta(days=2))
    assert (found(), found("snoozed")) == ([row, later], [])


def test_it_comes_back_at_once_when_somebody_answers(
    in_ws: Workspace, mailbox: Mailbox, member: User
) -> None:
    row = talk(mailbox)
    acts.snooze(row, clock.now() + dt.timedelta(days=3), actor=member)
    auto = again(row, kind=ReplyKind.AUTO_REPLY)
    places.heard(row, auto, by_person=False)
    assert found() == []
    reply = again(row, received_at=clock.now())
    places.heard(row, reply, by_person=True)
    (back,) = found()
    assert (back.snoozed_until, back.stands_at) == (None, reply.received_at)


def test_it_reminds_of_what_was_answered_too(in_ws: Workspace, mailbox: Mailbox, member: User) -> None:
    """The provider's word that the answer left comes after the snooze, and must not lose it."""
    row = talk(mailbox)
    Thread.objects.update(waits_since=None)
    acts.snooze(row, clock.now() + dt.timedelta(days=3), actor=member)
    Thread.objects.update(waits_since=None)  # outreach_accepted
    clock.advance(dt.timedelta(days=4))
    assert found() == [row]
    assert acts.close(row, actor=member)
    assert found() == []


def test_it_takes_a_snooze_back(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    row = talk(mailbox)
    place = Thread.objects.get().stands_at
    me.post(at(in_ws, row, "snooze/"), {"choice": "week", "zone": "nowhere/else"})
    assert found() == []
    me.post(at(in_ws, row, "snooze/") + "?undo")
    assert found() == [row]
    assert found()[0].stands_at == place
    assert (acted("thread.snoozed"), acted("thread.woken")) == (1, 1)


@pytest.mark.parametrize(
    ("date", "words"),
    [("", "Choose a day."), ("2020-01-01", "That day has begun."), ("2999-01-01", "within a year")],
)
def test_it_says_beside_the_field_why_a_day_cannot_be(
    date: str, words: str, me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    row = talk(mailbox)
    answer = me.post(at(in_ws, row, "snooze/"), {"choice": "date", "date": date, "zone": "UTC"})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert Thread.objects.get().snoozed_until is None


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"])
def test_it_means_the_persons_own_morning(zone: str, in_ws: Workspace) -> None:
    until = acts.snooze_time("tomorrow", "", zone)
    assert (until.hour, until.minute, str(until.tzinfo)) == (9, 0, zone)
    assert dt.timedelta(hours=9) <= until - clock.now() <= dt.timedelta(hours=33)
    assert acts.snooze_time("week", "", zone).weekday() == 0


# --- notes -----------------------------------------------------------------------------------------------


def seen_of(body: str) -> str:
    return str(re.findall(r'name="seen" value="([^"]*)"', body)[0])


@pytest.mark.parametrize("what", ["answer", "reply"])
def test_it_shows_what_came_before_it_sends(
    what: str, me: Client, in_ws: Workspace, mailbox: Mailbox, owner: User
) -> None:
    row = talk(mailbox)
    token = seen_of(me.get(at(in_ws, row)).content.decode())
    if what == "answer":
        from outreach.pipeline import compose

        compose.write_answer(row, compose_id=uuid.uuid4(), text="Olga was quicker", actor=owner)
    else:
        again(row, text="One more thing")
    form = {"compose_id": str(uuid.uuid4()), "text": "My long answer", "seen": token}
    mails = Message.objects.filter(kind=MessageKind.ANSWER)
    before = mails.count()
    refused = me.post(at(in_ws, row, "answer/"), form)
    body = refused.content.decode()
    assert refused.status_code == 422
    assert ("Olga was quicker" if what == "answer" else "One more thing") in body
    assert "My long answer" in body
    assert "Send all the same" in body
    assert mails.count() == before
    assert me.post(at(in_ws, row, "answer/"), {**form, "despite": "yes"}).status_code == 302
    assert mails.count() == before + 1
    # The second press of the same form is the same mail, whatever has come.
    assert me.post(at(in_ws, row, "answer/"), form).status_code in (302, 422)
    assert mails.count() == before + 1


def test_it_warns_of_nothing_that_the_page_showed(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    row = talk(mailbox)
    again(row)
    token = seen_of(me.get(at(in_ws, row)).content.decode())
    again(row, kind=ReplyKind.AUTO_REPLY)
    form = {"compose_id": str(uuid.uuid4()), "text": "Gladly", "seen": token}
    assert me.post(at(in_ws, row, "answer/"), form).status_code == 302


def test_it_tells_who_writes_and_nothing_of_what(
    signed_in: Callable[[User], Client], member: User, owner: User, in_ws: Workspace, mailbox: Mailbox
) -> None:
    row = talk(mailbox)
    mine, theirs = signed_in(member), signed_in(owner)
    seen = re.findall(r"live=([0-9a-f]{20})", mine.get(at(in_ws, row)).content.decode())[-1]
    assert mine.get(at(in_ws, row, f"?live={seen}")).status_code == 204
    theirs.post(at(in_ws, row, "writing/"), {"writes": "yes", "text": "secret"})
    assert "Olga is writing an answer" in mine.get(at(in_ws, row, f"?live={seen}")).content.decode()
    assert "is writing" not in theirs.get(at(in_ws, row)).content.decode()
    theirs.post(at(in_ws, row, "writing/"))
    assert presence.others(row.pk, but=member) == []
    assert mine.get(at(in_ws, row, f"?live={seen}")).status_code == 204


def test_it_forgets_who_wrote(
    in_ws: Workspace, mailbox: Mailbox, member: User, owner: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = talk(mailbox)
    monkeypatch.setattr(presence, "LASTS", -1.0)
    presence.tell(row.pk, owner, writes=True)
    assert presence.others(row.pk, but=member) == []


# --- news ------------------------------------------------------------------------------------------------


def test_it_tells_of_a_reply_in_any_page_once(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    body = me.get(f"/w/{in_ws.slug}/contacts/").content.decode()
    (url,) = re.findall(r'id="news" hidden hx-get="([^"]+)"', body)
    url = url.replace("&amp;", "&")
    assert me.get(url).status_code == 204
    row = talk(mailbox)
    answer = me.get(url)
    told = json.loads(answer.headers["HX-Trigger"])["toast"]
    assert told == {"text": "New reply from Brisa Bell", "url": at(in_ws, row)}
    (following,) = re.findall(r'hx-get="([^"]+)"', answer.content.decode())
    assert me.get(following.replace("&amp;", "&")).status_code == 204
    talk(mailbox), talk(mailbox)
    told = json.loads(me.get(following.replace("&amp;", "&")).headers["HX-Trigger"])["toast"]
    assert told == {"text": "2 new replies", "url": f"/w/{in_ws.slug}/inbox/"}


def test_it_tells_whom_a_conversation_is_given_to(
    in_ws: Workspace, mailbox: Mailbox, member: User, owner: User
) -> None:
    row = talk(mailbox)
    mark = news.begin()
    acts.assign(row, place_in(member, in_ws), actor=owner)
    assert news.since(mark, place_in(member, in_ws)).sentence == "A conversation with Brisa is yours now"
    assert news.since(mark, place_in(owner, in_ws)).sentence == ""


def test_it_tells_nothing_of_other_projects_or_machines(
    in_ws: Workspace, mailbox: Mailbox, member: User
) -> None:
    mark = news.begin()
    talk(mailbox, kind=ReplyKind.AUTO_REPLY)
    assert news.since(mark, place_in(member, in_ws)).sentence == ""
    talk(mailbox)
    Membership.objects.filter(user=member).update(all_projects=False)
    mine = place_in(member, in_ws)
    with looking_as(mine):
        assert news.since(mark, mine).sentence == ""


def test_it_asks_the_same_few_queries_for_much_news(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    mark = news.begin()

    def queries() -> int:
        with CaptureQueriesContext(connection) as asked:
            me.get(f"/w/{in_ws.slug}/news/?mark={mark}&waiting=0")
        return len(asked)

    talk(mailbox)
    queries()
    few = queries()
    for _ in range(8):
        talk(mailbox)
    assert queries() == few


# --- the row of the list ----------------------------------------------------------------------------------


def test_it_follows_the_label_of_the_newest_reply(in_ws: Workspace, mailbox: Mailbox, member: User) -> None:
    from outreach import labels

    row = talk(mailbox)
    first = row.replies.get()
    labels.set_label(first, Label.INTERESTED, actor=member)
    assert Thread.objects.get().label == "interested"
    reply = again(row)
    places.heard(row, reply, by_person=True)
    assert Thread.objects.get().label == ""
    labels.set_label(first, Label.QUESTION, actor=member)
    assert Thread.objects.get().label == ""
