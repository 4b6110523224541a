"""The removal project's page keeps itself up to date: only what has changed is sent, and no row jumps."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from accounts.models import User, Workspace
from outreach.links import cases
from outreach.models import Enrollment, EnrollmentState, LinkState, Project, RemovalCase, Verdict
from tests import factories
from tests.outreach.removal_cast import make_asked, make_list, make_ready

pytestmark = pytest.mark.django_db


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


@pytest.fixture
def project(in_ws: Workspace) -> Project:
    factories.make_mailbox()
    return factories.make_project("Clean-up 2026", website="fernhill.example")


def marks(body: str) -> list[str]:
    return re.findall(r'name="was" value="([^"]*)"', body)


def place(ws: Workspace, project: Project) -> str:
    return f"/w/{ws.slug}/removals/{project.pk}/"


def answer(case: RemovalCase) -> None:
    """As after a reply: the way to this person ended, and it is the user's turn."""
    case.refresh_from_db()
    Enrollment.objects.filter(case=case).update(state=EnrollmentState.REPLIED)
    cases.settle(case)


def test_it_asks_again_by_itself_once_requests_are_out(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    rows = make_list(project)
    make_ready(rows[0])
    assert "every" not in me.get(place(in_ws, project)).content.decode().split("removal-live")[1][:300]
    make_asked(rows[0])
    assert "every" in me.get(place(in_ws, project)).content.decode().split("removal-live")[1][:300]


def test_it_sends_nothing_while_nothing_has_changed(me: Client, in_ws: Workspace, project: Project) -> None:
    make_asked(make_list(project)[0])
    was = marks(me.get(place(in_ws, project)).content.decode())
    assert len(was) == 4
    assert me.get(place(in_ws, project), {"part": "live", "was": was}).status_code == 204


def test_it_sends_the_row_that_changed_and_the_counts_and_no_other_row(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    rows = make_list(project)
    mail = make_asked(rows[0])
    was = marks(me.get(place(in_ws, project)).content.decode())
    factories.make_reply(mail, text="Both are down.")
    answer(rows[0])
    body = me.get(place(in_ws, project), {"part": "live", "was": was}).content.decode()
    assert "Both are down." in body
    assert "Your turn" in body
    assert f'id="case-{rows[0].pk}"' in body
    assert f'id="case-{rows[1].pk}"' not in body
    assert re.search(r"Your turn <span class=\"n\">1<", body)


def test_it_keeps_a_row_in_sight_that_no_longer_fits_the_filter(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    rows = make_list(project)
    was = marks(me.get(place(in_ws, project), {"show": "decide"}).content.decode())
    cases.set_verdict(rows[0], Verdict.KEEP, actor=None)
    asked = {"part": "live", "show": "decide", "was": was}
    body = me.get(place(in_ws, project), asked).content.decode()
    assert f'id="case-{rows[0].pk}"' in body
    assert 'id="removal-list"' not in body


def test_it_fills_an_empty_list_when_the_first_row_fits(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    rows = make_list(project)
    make_asked(rows[0])
    was = marks(me.get(place(in_ws, project), {"show": "gone"}).content.decode())
    assert len(was) == 1
    cases.set_link_state(rows[0], LinkState.GONE, actor=None)
    body = me.get(place(in_ws, project), {"part": "live", "show": "gone", "was": was}).content.decode()
    assert 'id="removal-list"' in body
    assert rows[0].site.domain in body


def test_it_takes_no_nonsense_for_a_mark(me: Client, in_ws: Workspace, project: Project) -> None:
    other = make_list(factories.make_project("Other", website="fernhill.example"), sites=1)[0]
    rows = make_list(project, sites=2)
    odd = ["", "x" * 5000, "sums", f"{other.pk.hex}-0", f"{rows[0].pk.hex}-0", "zz-zz"]
    got = me.get(place(in_ws, project), {"part": "live", "was": odd})
    assert got.status_code == 200
    assert str(other.pk) not in got.content.decode()
    assert f'id="case-{rows[0].pk}"' in got.content.decode()
