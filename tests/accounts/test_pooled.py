"""Behind PgBouncer in transaction mode each transaction may get another connection: the wall holds."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.db import connection, connections, transaction
from django.db.models.query import QuerySet

from accounts.models import User, Workspace
from accounts.tenancy import workspace
from accounts.walls import gaps
from outreach.models import Project
from tests import factories
from tests.accounts.pooler import PROGRAM, pooler
from tests.roles import app_url

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not PROGRAM, reason="pgbouncer is not on this machine"),
]
THREADS, TURNS = 12, 25


@pytest.fixture
def three(transactional_db: None) -> list[Workspace]:
    """Three workspaces with a project each, named like them."""
    made = [Workspace.objects.create(name=name, slug=name.lower()) for name in ("One", "Two", "Three")]
    for here in made:
        with workspace(here):
            Project.objects.create(name=here.name)
    return made


@pytest.fixture(params=[1, 2], ids=["one connection", "two connections"])
def pooled(transactional_db: None, request: pytest.FixtureRequest) -> Iterator[int]:
    """Every connection of the product goes through the pooler, signed in as the product is in production."""
    kept = {alias: dict(connections[alias].settings_dict) for alias in ("default", "keystore")}
    with pooler(connections=request.param) as port:
        try:
            for alias in kept:
                url = urlsplit(app_url(alias))
                connections[alias].close()
                connections[alias].settings_dict.update(
                    HOST="127.0.0.1", PORT=port, USER=url.username, PASSWORD=url.password, OPTIONS={}
                )
            yield request.param
        finally:
            for alias, before in kept.items():
                connections[alias].close()
                connections[alias].settings_dict.update(before)


def everything() -> QuerySet[Project]:
    """Round the manager."""
    return QuerySet(Project)


def names() -> list[str]:
    """As a query that forgets the workspace."""
    return [project.name for project in everything()]


def backends() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def many(work: Callable[[int], None]) -> None:
    """`work` on many threads at once; its first exception comes out here."""
    problems: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as problem:  # noqa: BLE001 (handed to the test)
            problems.append(problem)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def test_it_shows_each_thread_its_own_workspace_and_nothing_without_one(
    three: list[Workspace], pooled: int
) -> None:
    seen: set[int] = set()

    def look(number: int) -> None:
        here = three[number % 3]
        for turn in range(TURNS):
            with workspace(here):
                assert names() == [here.name]
                if turn % 3 == 0:
                    with transaction.atomic():
                        assert names() == [here.name]
                        seen.add(backends())
            assert names() == []
            if turn % 5 == 0:
                with transaction.atomic():
                    assert names() == []

    many(look)
    # The threads have really shared: more of them than connections.
    assert len(seen) <= pooled < THREADS


def test_it_writes_each_row_into_its_own_workspace(three: list[Workspace], pooled: int) -> None:
    def write(number: int) -> None:
        here = three[number % 3]
        for turn in range(5):
            with workspace(here):
                row = Project.objects.create(name=f"{number}-{turn}")
                other = three[(number + 1) % 3]
                with workspace(other):
                    assert everything().filter(pk=row.pk).update(website="taken.example") == 0
                assert Project.objects.filter(pk=row.pk).update(website="mine.example") == 1

    many(write)
    for here in three:
        with workspace(here):
            rows = list(Project.objects.exclude(name=here.name))
            assert len(rows) == THREADS // 3 * 5
            assert {row.website for row in rows} == {"mine.example"}


def test_it_leaves_no_workspace_on_the_server_s_connection(three: list[Workspace], pooled: int) -> None:
    with workspace(three[0]):
        assert names() == ["One"]
    connection.ensure_connection()
    assert connection.connection is not None
    for _ in range(4):
        with connection.connection.cursor() as cursor:
            cursor.execute(
                "SELECT coalesce(current_setting('app.workspace', true), ''), name FROM outreach_project"
            )
            assert cursor.fetchall() == []


def test_it_starts_there(three: list[Workspace], pooled: int) -> None:
    for alias in ("default", "keystore"):
        assert gaps.faults(connections[alias]) == []


def test_it_answers_a_person_there(
    ws: Workspace, owner: User, signed_in: Callable[[User], Any], pooled: int
) -> None:
    """Sign-in, pages, ciphertext and its keys, a list read in pieces: all through the pooler."""
    with workspace(ws):
        for number in range(5):
            factories.make_contact(f"p{number}@ours.example", name=f"Person {number}")
        assert sum(1 for _ in Project.objects.iterator(chunk_size=1)) == 0
    client = signed_in(owner)
    answer = client.get(f"/w/{ws.slug}/contacts/")
    assert answer.status_code == 200
    assert b"Person 3" in answer.content
    made = client.post(f"/w/{ws.slug}/projects/new/", {"name": "Made there", "website": "ours.example"})
    assert made.status_code == 302
    with workspace(ws):
        assert Project.objects.get().name == "Made there"
