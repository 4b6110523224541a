"""The list of conversations: states and filters that combine, pages by place, and the search for words."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import clock
from accounts.models import Membership, User, Workspace
from accounts.tenancy import workspace
from accounts.viewpoint import looking_as
from accounts.workspaces import create_workspace
from config.celery import app
from mailbox.models import Mailbox, Replies
from outreach import rendering
from outreach.inbox import listing, search, site
from outreach.inbox.listing import Wanted
from outreach.inbox.tasks import index_words
from outreach.inbox.words import marks_of
from outreach.models import Label, ProjectAccess, Thread, ThreadWords
from outreach.pipeline import queue
from tests import factories
from tests.outreach.talks import talk
from tests.roles import as_owner

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


@pytest.fixture
def mailbox(in_ws: Workspace) -> Mailbox:
    return factories.make_mailbox()


def found(**filters: str) -> list[Thread]:
    wanted = Wanted.of(filters)
    return listing.page_of(listing.threads(wanted), wanted).threads


def at(ws: Workspace, path: str = "") -> str:
    return f"/w/{ws.slug}/inbox/{path}"


# --- states and filters ----------------------------------------------------------------------------------


def test_it_tells_waiting_snoozed_and_done_apart(mailbox: Mailbox) -> None:
    now = clock.now()
    waiting, snoozed, over, done = (talk(mailbox) for _ in range(4))
    later = {"snoozed_until": now + dt.timedelta(hours=1), "stands_at": now + dt.timedelta(hours=1)}
    Thread.objects.filter(pk=snoozed.pk).update(**later)
    past = {"snoozed_until": now - dt.timedelta(hours=1), "waits_since": None}
    Thread.objects.filter(pk=over.pk).update(**past)
    Thread.objects.filter(pk=done.pk).update(waits_since=None, done_at=now)
    assert {row.pk for row in found()} == {waiting.pk, over.pk}
    assert [row.pk for row in found(show="snoozed")] == [snoozed.pk]
    assert [row.pk for row in found(show="done")] == [done.pk]
    assert len(found(show="all")) == 4


def test_it_shows_no_conversation_to_which_nothing_came_back(mailbox: Mailbox) -> None:
    factories.make_thread(factories.make_enrollment(factories.make_campaign(mailbox=mailbox)))
    assert found(show="all") == []


def test_it_combines_its_filters(mailbox: Mailbox, owner: User, in_ws: Workspace) -> None:
    other = factories.make_mailbox(address="noa@fernhill.example")
    mine = Membership.objects.get(user=owner, workspace=in_ws)
    one, two, three = talk(mailbox), talk(mailbox), talk(other)
    Thread.objects.filter(pk=one.pk).update(label=Label.INTERESTED, unread=True, assignee=mine)
    Thread.objects.filter(pk=three.pk).update(label=Label.INTERESTED)
    assert {row.pk for row in found(mailbox=str(mailbox.pk))} == {one.pk, two.pk}
    assert {row.pk for row in found(label="interested")} == {one.pk, three.pk}
    assert [row.pk for row in found(label="interested", mailbox=str(mailbox.pk))] == [one.pk]
    assert [row.pk for row in found(unread="yes", project=str(one.project_id))] == [one.pk]
    assert found(unread="yes", campaign=str(two.campaign_id)) == []
    wanted = Wanted.of({"mine": "yes"})
    assert [row.pk for row in listing.threads(wanted, member=mine.pk)] == [one.pk]
    assert list(listing.threads(wanted, member=None)) == []


@pytest.mark.parametrize(
    "nonsense",
    [{"show": "x"}, {"mailbox": "x"}, {"label": "x"}, {"after": "9" * 17 + "-" + "f" * 32}, {"after": "1-x"}],
)
def test_it_takes_nonsense_for_no_filter(
    mailbox: Mailbox, nonsense: dict[str, str], me: Client, in_ws: Workspace
) -> None:
    talk(mailbox)
    assert me.get(at(in_ws), nonsense).status_code == 200


def test_it_keeps_its_filters_when_a_conversation_is_opened_and_done(
    me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    one, _ = talk(mailbox, text="Tarn water"), talk(mailbox, text="Other words")
    search.index_some()
    body = me.get(at(in_ws, f"?show=all&q=tarn&mailbox={mailbox.pk}")).content.decode()
    query = f"show=all&amp;q=tarn&amp;mailbox={mailbox.pk}"
    assert f"/inbox/{one.pk}/?{query}" in body
    opened = me.get(at(in_ws, f"{one.pk}/?show=all&q=tarn&mailbox={mailbox.pk}")).content.decode()
    assert "Other words" not in opened
    answer = me.post(at(in_ws, f"{one.pk}/done/"), {"list": f"show=all&q=tarn&mailbox={mailbox.pk}"})
    assert answer.headers["Location"] == at(in_ws, f"?show=all&q=tarn&mailbox={mailbox.pk}")


# --- pages -----------------------------------------------------------------------------------------------


def test_it_pages_there_and_back_through_rows_of_one_moment(mailbox: Mailbox) -> None:
    for _ in range(7):
        talk(mailbox)
    same = clock.now()
    Thread.objects.update(stands_at=same)
    expected = [row.pk for row in Thread.objects.order_by("-stands_at", "-id")]
    rows = listing.threads(Wanted())
    first = listing.page_of(rows, Wanted(), size=3)
    second = listing.page_of(rows, Wanted(after=first.older), size=3)
    third = listing.page_of(rows, Wanted(after=second.older), size=3)
    assert [row.pk for page in (first, second, third) for row in page.threads] == expected
    assert (first.newer, third.older) == ("", "")
    back = listing.page_of(rows, Wanted(before=third.newer), size=3)
    assert back.threads == second.threads
    assert listing.page_of(rows, Wanted(before=back.newer), size=3).newer == ""


def test_it_moves_nothing_between_pages_when_a_reply_comes_in(mailbox: Mailbox) -> None:
    for _ in range(6):
        talk(mailbox)
    first = listing.page_of(listing.threads(Wanted()), Wanted(), size=3)
    shown = {row.pk for row in first.threads}
    talk(mailbox)
    second = listing.page_of(listing.threads(Wanted()), Wanted(after=first.older), size=3)
    assert len(second.threads) == 3
    assert not shown & {row.pk for row in second.threads}


def test_it_asks_for_no_offset_and_no_whole_count(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    for _ in range(3):
        talk(mailbox)
    with CaptureQueriesContext(connection) as asked:
        assert me.get(at(in_ws)).status_code == 200
    queries = [query["sql"] for query in asked if "outreach_thread" in query["sql"]]
    assert not [sql for sql in queries if "OFFSET" in sql]
    counts = [sql for sql in queries if re.search(r"count\(\*\)", sql, re.I) and "waits_since" in sql]
    assert counts
    assert all("LIMIT" in sql for sql in counts)


def test_it_leads_to_the_pages_that_are_there(
    me: Client, in_ws: Workspace, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing.page_of, "__kwdefaults__", {"size": 2})
    for _ in range(3):
        talk(mailbox)
    body = me.get(at(in_ws)).content.decode()
    assert ">Newer<" not in body.replace("</svg>", ">")
    older = re.findall(r'rel="next" href="([^"]+)"', body)
    assert len(older) == 1
    second = me.get(older[0]).content.decode()
    assert 'rel="prev"' in second
    assert 'rel="next"' not in second


# --- search ----------------------------------------------------------------------------------------------


def test_it_finds_whole_words_of_both_sides_of_subjects_names_and_addresses(mailbox: Mailbox) -> None:
    row = talk(mailbox, "brisa@huts.example", text="Die Hütte schließt im Dezember.")
    talk(mailbox, "corvin@passes.example", text="Passed on.")
    search.index_some()
    sought = ["HÜTTE", "schliesst dezember", "table", "hello", "bell", "brisa@huts.example", '"im dezember"']
    for query in sought:
        assert row.pk in {one.pk for one in found(show="all", q=query)}, query
    assert [one.pk for one in found(show="all", q="hütte hello")] == [row.pk]
    for query in ("dezem", "zember", "hütte passed", "nowhere"):
        assert found(show="all", q=query) == [], query


def test_it_finds_words_of_every_script(mailbox: Mailbox) -> None:
    row = talk(mailbox, text="私たちは十二月に更新します。 Мы обновим страницу. ﬁne ＡＢＣ 산장 안내")
    search.index_some()
    for query in ("更新", "十二月", "СТРАНИЦУ", "fine", "abc", "산장"):
        assert [one.pk for one in found(show="all", q=query)] == [row.pk], query
    assert found(show="all", q="新更") == []


def test_it_finds_nothing_where_there_is_no_word(me: Client, in_ws: Workspace, mailbox: Mailbox) -> None:
    talk(mailbox)
    assert "no word in this" in me.get(at(in_ws), {"q": "— !"}).content.decode()


def test_it_finds_the_same_by_looking_ahead_by_few_ids_and_by_walking(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [talk(mailbox, text="common words" if number % 2 else "others") for number in range(8)]
    Thread.objects.filter(pk=rows[1].pk).update(waits_since=None, done_at=clock.now())
    search.index_some()

    def pages() -> list[list[Thread]]:
        wanted = Wanted(q="common words")
        first = listing.page_of(listing.threads(wanted), wanted, size=2)
        older = replace(wanted, after=first.older)
        second = listing.page_of(listing.threads(wanted), older, size=2)
        newer = replace(wanted, before=second.newer)
        back = listing.page_of(listing.threads(wanted), newer, size=2)
        return [first.threads, second.threads, back.threads]

    ahead = pages()
    assert ahead == [[rows[7], rows[5]], [rows[3]], [rows[7], rows[5]]]
    monkeypatch.setattr(search, "LOOKED_AT", 1)
    few = pages()
    monkeypatch.setattr(search, "FEW", 2)
    assert ahead == few == pages()


def test_it_asks_no_index_for_words_that_fill_a_page_at_once(
    mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index would first give every conversation that holds them."""
    monkeypatch.setattr(search, "LOOKED_AT", 4)
    for number in range(6):
        talk(mailbox, text="common" if number else "kingfisher")
    search.index_some()
    for query, is_asked in (("common", False), ("kingfisher", True)):
        wanted = Wanted(q=query)
        with CaptureQueriesContext(connection) as asked:
            listing.page_of(listing.threads(wanted), wanted, size=2)
        assert any("outreach_threads_with" in one["sql"] for one in asked) is is_asked


def test_it_goes_through_a_sites_own_conversations_for_its_rail(mailbox: Mailbox) -> None:
    """And not through all of the workspace until it has met some of this site's."""
    one = talk(mailbox)
    with CaptureQueriesContext(connection) as asked:
        assert [each.thread for each in site.contact_with(one.contact, now=clock.now()).talks] == [one]
    sql = next(each["sql"] for each in asked if "ORDER BY" in each["sql"]).rpartition("true);")[2]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off")
        cursor.execute(f"EXPLAIN {sql}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Sort Key: ((outreach_thread.last_at" in plan


def test_it_stores_no_word(mailbox: Mailbox, person: Callable[..., User]) -> None:
    """Two workspaces, one word: its marks have nothing in common."""
    row = talk(mailbox, text="kingfisher")
    search.index_some()
    marks = set(ThreadWords.objects.get(thread=row).words)
    assert marks & set(marks_of(["kingfisher"]))
    with workspace(create_workspace(person("stray@other.example"), name="Other")):
        assert not marks & set(marks_of(["kingfisher"]))


def test_it_finds_nothing_of_another_workspace(mailbox: Mailbox, person: Callable[..., User]) -> None:
    row = talk(mailbox, text="kingfisher")
    search.index_some()
    marks = marks_of(["kingfisher"])
    ask = "SELECT outreach_threads_with(%s::bigint[], NULL)"
    with connection.cursor() as cursor:
        cursor.execute(ask, [marks])
        assert cursor.fetchall() == [(row.pk,)]
    with workspace(create_workspace(person("stray@other.example"), name="Other")):
        with connection.cursor() as cursor:
            cursor.execute(ask, [marks])
            assert cursor.fetchall() == []
            cursor.execute("SELECT count(*) FROM outreach_threadwords")
            assert cursor.fetchone() == (0,)


def test_it_searches_no_further_than_a_member_sees(
    mailbox: Mailbox, in_ws: Workspace, member: User, owner: User
) -> None:
    seen, hidden = talk(mailbox, text="kingfisher"), talk(mailbox, text="kingfisher")
    quiet = talk(
        factories.make_mailbox(address="q@fernhill.example", owner=owner, replies=Replies.PRIVATE),
        text="kingfisher",
    )
    search.index_some()
    membership = Membership.objects.get(user=member, workspace=in_ws)
    with looking_as(membership):
        assert {row.pk for row in found(q="kingfisher")} == {seen.pk, hidden.pk}
    Membership.objects.filter(pk=membership.pk).update(all_projects=False)
    ProjectAccess.objects.create(membership=membership, project=seen.project)
    membership.refresh_from_db()
    with looking_as(membership):
        assert [row.pk for row in found(q="kingfisher")] == [seen.pk]
    with looking_as(Membership.objects.get(user=owner, workspace=in_ws)):
        assert quiet.pk in {row.pk for row in found(q="kingfisher")}


def test_it_indexes_old_conversations_step_by_step_and_once(mailbox: Mailbox) -> None:
    for number in range(5):
        talk(mailbox, text=f"number{number}")
    assert search.to_index()
    assert [search.index_some(2) for _ in range(4)] == [2, 2, 1, 0]
    assert not search.to_index()
    assert ThreadWords.objects.count() == 5
    assert len(found(q="number3")) == 1
    search.forget(Thread.objects.all())
    assert search.index_some() == 5
    assert ThreadWords.objects.count() == 5


def test_it_indexes_in_the_background_what_nobody_has(mailbox: Mailbox, in_ws: Workspace) -> None:
    talk(mailbox, text="kingfisher")
    assert app.tasks["outreach.wake_words"].name in {
        entry["task"] for entry in app.conf.beat_schedule.values()
    }
    index_words.run(str(in_ws.pk))
    assert len(found(q="kingfisher")) == 1


def test_it_reads_a_follow_up_when_it_is_queued(mailbox: Mailbox) -> None:
    """Its text is frozen there; a conversation that is found by words must be found by these too."""
    row = talk(mailbox)
    search.index_some()
    assert not search.to_index()
    mail = factories.make_message(row.enrollment, position=1, state="planned", step=None)
    queue._freeze(
        mail,
        rendering.Rendered(subject="Kingfisher", text="Again", html=None),
        to=row.contact,
        mailbox=mailbox,
    )
    assert search.to_index()
    search.index_some()
    assert found(q="kingfisher") == [row]


def test_it_bounds_the_words_of_a_hostile_mail(mailbox: Mailbox) -> None:
    row = talk(mailbox, text=" ".join(f"w{number}" for number in range(5000)) + "x" * 100_000)
    search.index_some()
    assert len(ThreadWords.objects.get(thread=row).words) < 1000


def test_it_uses_the_index_of_words(mailbox: Mailbox) -> None:
    """Inside the function, as the owner; behind the policy it could not."""
    talk(mailbox)
    search.index_some()
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT thread_id FROM outreach_threadwords WHERE words @> ARRAY[1::bigint]")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "thread_words" in plan


@pytest.mark.parametrize(
    "query", ["show=all", "q=thank", "q=thank+hello", "q=nowhere", "unread=yes&label=interested"]
)
def test_it_asks_no_more_queries_with_more_rows_or_words(
    query: str, me: Client, in_ws: Workspace, mailbox: Mailbox
) -> None:
    def queries() -> int:
        search.index_some()
        with CaptureQueriesContext(connection) as asked:
            assert me.get(at(in_ws, f"?live=&{query}")).status_code == 200
        return len(asked)

    talk(mailbox)
    queries()
    few = queries()
    for _ in range(30):
        talk(mailbox)
    Thread.objects.update(unread=True, label=Label.INTERESTED)
    assert queries() in (few, few + 1)  # the rows' newest replies, where there are rows
