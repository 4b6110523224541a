"""Tasks of people: made for a card, due by a day, done and put off, and shown on Home."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import AuditEvent, Membership, Role, User, Workspace
from outreach import to_do
from outreach.models import Card, Contact, Enrollment, Message, Task, TaskKind
from tests import factories

pytestmark = pytest.mark.django_db
SignedIn = Callable[[User], Client]


@pytest.fixture
def me(signed_in: SignedIn, member: User, in_ws: Workspace) -> Client:
    return signed_in(member)


@pytest.fixture
def card(in_ws: Workspace) -> Card:
    contact = factories.make_contact("ana@ridge.example")
    factories.make_message(factories.make_enrollment(factories.make_campaign(), contact))
    row: Card = Card.objects.get()
    return row


def place(user: User, ws: Workspace) -> Membership:
    return Membership.objects.get(user=user, workspace=ws)


def url(ws: Workspace, path: str) -> str:
    return f"/w/{ws.slug}/{path}"


def make(card: Card, title: str, *, days: int, to: Membership | None, actor: User) -> Task:
    due = to_do.today() + dt.timedelta(days=days)
    return to_do.add(card, title, kind=TaskKind.CALL, due=due, assignee=to, actor=actor)


def test_it_is_made_on_a_card_for_somebody_who_may_work_there(
    me: Client, in_ws: Workspace, member: User, card: Card
) -> None:
    at = url(in_ws, f"cards/{card.pk}/task/")
    mine = place(member, in_ws)
    today = to_do.today().isoformat()
    fields = {"title": "Call Ana", "kind": "call", "due": today, "assignee": str(mine.pk)}
    answer = me.post(at, fields, follow=True).content.decode()
    assert "“Call Ana” is a task for" in answer
    task = Task.objects.get()
    assert (task.title, task.kind, task.assignee, task.created_by) == ("Call Ana", "call", mine, member)
    others = Membership.objects.filter(workspace=in_ws).exclude(pk=mine.pk)
    others.update(role=Role.VIEWER)
    for other in others:
        wrong = me.post(at, {**fields, "title": "Kept words", "assignee": str(other.pk)})
        assert wrong.status_code == 422
        assert "Kept words" in wrong.content.decode()
    assert Task.objects.count() == 1


@pytest.mark.parametrize(
    ("days", "words"), [(-1, "That day is over"), (400, "within a year"), (None, "Enter a valid date")]
)
def test_a_day_that_makes_no_sense_is_refused_beside_the_field(
    me: Client, in_ws: Workspace, card: Card, days: int | None, words: str
) -> None:
    due = "soon" if days is None else (to_do.today() + dt.timedelta(days=days)).isoformat()
    fields = {"title": "Call", "kind": "call", "due": due, "assignee": ""}
    answer = me.post(url(in_ws, f"cards/{card.pk}/task/"), fields)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not Task.objects.exists()


def test_done_and_its_undo(me: Client, in_ws: Workspace, member: User, card: Card) -> None:
    task = make(card, "Call Ana", days=0, to=place(member, in_ws), actor=member)
    at = url(in_ws, f"tasks/{task.pk}/done/")
    assert "“Call Ana” is done" in me.post(at, follow=True).content.decode()
    assert not Task.objects.open().exists()
    me.post(at)
    assert AuditEvent.objects.filter(action="task.done").count() == 1
    me.post(f"{at}?undo")
    assert Task.objects.open().get() == task


def test_it_is_put_off_from_today_and_undo_gives_the_day_back(
    me: Client, in_ws: Workspace, member: User, card: Card
) -> None:
    task = make(card, "Call Ana", days=-3, to=place(member, in_ws), actor=member)
    at = url(in_ws, f"tasks/{task.pk}/put-off/")
    page = me.post(at, {"to": "tomorrow"}, follow=True).content.decode()
    assert Task.objects.get().due == to_do.today() + dt.timedelta(days=1)
    undo = f"{at}?due={task.due.isoformat()}"
    assert undo in page
    me.post(undo)
    assert Task.objects.get().due == task.due
    for wrong in ("?due=soon", ""):
        assert me.post(f"{at}{wrong}", {"to": "never"}).status_code == 404
    to_do.finish(task, actor=member)
    me.post(at, {"to": "week"})
    assert Task.objects.get().due == task.due


def test_home_shows_mine_of_today_and_before(
    me: Client, in_ws: Workspace, member: User, owner: User, card: Card
) -> None:
    home = url(in_ws, "")
    assert "No task is due" in me.get(home).content.decode()
    mine = place(member, in_ws)
    make(card, "Overdue call", days=-1, to=mine, actor=owner)
    make(card, "Call of today", days=0, to=mine, actor=owner)
    make(card, "Call of tomorrow", days=1, to=mine, actor=owner)
    make(card, "Call of another", days=0, to=place(owner, in_ws), actor=owner)
    page = me.get(home).content.decode()
    assert [words in page for words in ("Overdue call", "Call of today")] == [True, True]
    assert [words in page for words in ("Call of tomorrow", "Call of another")] == [False, False]
    clock.advance(dt.timedelta(days=1))
    assert "Call of tomorrow" in me.get(home).content.decode()
    listed = me.get(url(in_ws, "tasks/?whose=all")).content.decode()
    assert "Call of another" in listed
    assert listed.index("Overdue call") < listed.index("Call of tomorrow")
    assert "Call of another" not in me.get(url(in_ws, "tasks/")).content.decode()


def test_the_list_asks_as_much_for_many_as_for_one(
    me: Client, in_ws: Workspace, member: User, card: Card
) -> None:
    at, counts = url(in_ws, "tasks/"), []
    me.get(at)
    for number in (1, 9):
        for each in range(number):
            make(card, f"Call {each}", days=each, to=place(member, in_ws), actor=member)
        with CaptureQueriesContext(connection) as seen:
            assert me.get(at).status_code == 200
        counts.append(len(seen))
    assert counts[0] == counts[1]


def test_it_is_anybodys_when_the_member_leaves(in_ws: Workspace, member: User, card: Card) -> None:
    make(card, "Call", days=0, to=place(member, in_ws), actor=member)
    place(member, in_ws).delete()
    assert Task.objects.get().assignee is None


def test_a_task_begun_on_a_person_leads_back_there_and_stands_there(
    me: Client, in_ws: Workspace, member: User, card: Card
) -> None:
    person = Contact.objects.get()
    at = url(in_ws, f"contacts/{person.pk}/")
    new = url(in_ws, f"cards/{card.pk}/task/") + f"?person={person.pk}"
    page = me.get(at).content.decode()
    assert f'href="{new}"' in page
    assert "Nothing is to do." in page
    assert f'href="{at}"' in me.get(new).content.decode()
    fields = {"title": "Call Ana", "kind": "call", "due": to_do.today().isoformat(), "assignee": ""}
    assert me.post(new, fields)["Location"] == at
    page = me.get(at).content.decode()
    assert "Call Ana</a>" in page
    assert "nobody yet" in page
    other = factories.make_contact("bo@moor.example")
    assert "Call Ana" not in me.get(url(in_ws, f"contacts/{other.pk}/")).content.decode()
    assert me.get(url(in_ws, f"cards/{card.pk}/task/?person=x")).status_code == 404


def test_a_task_begun_in_a_conversation_is_of_its_project_and_leads_back_there(
    me: Client, in_ws: Workspace, card: Card
) -> None:
    mail = Message.objects.get()
    thread = factories.make_thread(Enrollment.objects.get())
    Message.objects.update(thread=thread, state="sent", sent_at=clock.now())
    factories.make_reply(Message.objects.select_related("thread").get())
    # The same site in another project has a card of its own.
    elsewhere = factories.make_enrollment(factories.make_campaign(), Contact.objects.get())
    assert Card.objects.filter(project=elsewhere.campaign.project_id).exists()
    at = url(in_ws, f"inbox/{thread.pk}/")
    page = me.get(at).content.decode()
    new = url(in_ws, f"cards/{card.pk}/task/") + f"?thread={thread.pk}"
    assert page.count("/task/?thread=") == 1
    assert f'href="{new}"' in page
    fields = {"title": "Call Ana", "kind": "call", "due": to_do.today().isoformat(), "assignee": ""}
    assert me.post(new, fields)["Location"] == at
    assert "Call Ana</a>" in me.get(at).content.decode()
    assert me.post(url(in_ws, f"cards/{card.pk}/task/?thread={mail.pk}"), fields).status_code == 404


def test_the_way_to_the_tasks_stands_in_the_sidebar(me: Client, in_ws: Workspace) -> None:
    page = me.get(url(in_ws, "tasks/")).content.decode()
    assert f'<a href="{url(in_ws, "tasks/")}" class="on" aria-current="page" data-go="t">' in page
