"""Removal work through the front door: list, verdicts, contact, request, case file, disavow file."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User, Workspace
from outreach.links import cases, request_text
from outreach.models import (
    Backlink,
    Campaign,
    CampaignState,
    CaseState,
    Enrollment,
    EnrollmentState,
    Label,
    LinkState,
    Message,
    MessageState,
    Project,
    RemovalCase,
    Verdict,
)
from outreach.pipeline import compose
from tests import factories
from tests.outreach.removal_cast import make_asked, make_list, make_ready

pytestmark = pytest.mark.django_db

LIST = (
    "Source URL,Target URL,Anchor\n"
    "https://cheap-tents.example/1,https://fernhill.example/,cheap tents\n"
    "https://cheap-tents.example/2,https://fernhill.example/tents,cheap tents\n"
    "https://linkhub.example/footer,https://fernhill.example/,fernhill\n"
    "javascript:alert(1),https://fernhill.example/,bad\n"
)


@pytest.fixture
def me(signed_in: Callable[[User], Client], member: User) -> Client:
    return signed_in(member)


@pytest.fixture
def project(in_ws: Workspace) -> Project:
    factories.make_mailbox()
    return factories.make_project("Clean-up 2026", website="fernhill.example")


def at(ws: Workspace, path: str) -> str:
    return f"/w/{ws.slug}/{path}"


def hidden(body: str, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', body)
    assert found, name
    return found[1]


def test_it_leads_from_a_list_to_the_disavow_file(me: Client, in_ws: Workspace) -> None:
    factories.make_mailbox()
    new = me.post(at(in_ws, "removals/new/"), {"name": "Clean-up", "website": "fernhill.example"})
    assert new.status_code == 302
    checked = me.post(new["Location"], {"file": SimpleUploadedFile("links.csv", LIST.encode())})
    body = checked.content.decode()
    assert "Import 3 links" in body
    assert "no address of a web page" in body
    assert not Backlink.objects.exists()
    form = {name: hidden(body, name) for name in ("data", "filename", "source_column", "target_column")}
    rejects = me.post(new["Location"], {**form, "step": "rejects"})
    assert "javascript:alert(1)" in rejects.content.decode()
    done = me.post(new["Location"], {**form, "step": "store"}).content.decode()
    assert "new links" in done
    assert Backlink.objects.count() == 3
    project = Project.objects.get()
    page = me.get(at(in_ws, f"removals/{project.pk}/")).content.decode()
    assert "3 links on 2 sites" in page
    tents = RemovalCase.objects.get(site__domain="cheap-tents.example")
    hub = RemovalCase.objects.get(site__domain="linkhub.example")
    me.post(at(in_ws, f"cases/{tents.pk}/verdict/"), {"verdict": "remove"})
    asked = me.get(at(in_ws, f"cases/{hub.pk}/verdict/?verdict=disavow"))
    assert "Put 1 site into the file" in asked.content.decode()
    hub.refresh_from_db()
    assert hub.verdict == Verdict.UNDECIDED
    me.post(at(in_ws, f"cases/{hub.pk}/verdict/?verdict=disavow"), {"verdict": "disavow"})
    me.post(at(in_ws, f"cases/{tents.pk}/contact/"), {"address": "info@cheap-tents.example"})
    dialog = me.get(at(in_ws, f"removals/{project.pk}/write/"), headers={"HX-Request": "true"})
    assert "Queue 1 mail" in dialog.content.decode()
    me.post(at(in_ws, f"removals/{project.pk}/write/"))
    mail = Message.objects.get()
    assert (mail.state, mail.to_address) == (MessageState.PLANNED, "info@cheap-tents.example")
    tents.refresh_from_db()
    assert tents.enrollment is not None
    file = me.get(at(in_ws, f"removals/{project.pk}/disavow/"))
    assert file["Content-Disposition"] == 'attachment; filename="disavow-fernhillexample.txt"'
    lines = file.content.decode().splitlines()
    assert "domain:linkhub.example" in lines
    assert not any("cheap-tents" in line for line in lines)
    assert all(line.startswith(("#", "domain:")) or not line for line in lines)


def test_it_answers_a_verdict_with_the_row_alone(me: Client, in_ws: Workspace, project: Project) -> None:
    case = make_list(project)[0]
    answer = me.post(
        at(in_ws, f"cases/{case.pk}/verdict/"), {"verdict": "keep"}, headers={"HX-Request": "true"}
    )
    assert answer["HX-Trigger-After-Settle"] == "verdict"
    assert answer.content.decode().count("<td") == 4
    sums = me.get(at(in_ws, f"removals/{project.pk}/?part=live")).content.decode()
    assert "hx-swap-oob" in sums
    assert "Undecided" in sums


def test_it_gives_one_verdict_to_several_and_asks_before_it_disavows(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    rows = make_list(project, sites=3)
    chosen = [str(row.pk) for row in rows[:2]]
    url = at(in_ws, f"removals/{project.pk}/verdicts/")
    me.post(url, {"case": chosen, "verdict": "remove"})
    assert RemovalCase.objects.filter(verdict="remove").count() == 2
    answer = me.post(url, {"case": chosen, "verdict": "disavow"})
    assert RemovalCase.objects.filter(verdict="disavow").count() == 0
    asked = me.get(answer["Location"])
    assert "Put 2 sites into the file" in asked.content.decode()
    me.post(answer["Location"], {"verdict": "disavow", "confirmed": "yes"})
    assert RemovalCase.objects.filter(verdict="disavow", state=CaseState.GIVEN_UP).count() == 2
    assert me.post(url, {"verdict": "keep", "case": "nonsense"}).status_code == 302
    assert me.post(url, {"verdict": "nonsense", "case": chosen}).status_code == 404


def test_it_shows_a_case_with_its_story(me: Client, in_ws: Workspace, project: Project) -> None:
    case = make_list(project, sites=1)[0]
    mail = make_asked(case)
    factories.make_reply(mail, text="Both links are down since this morning.", label=Label.SAYS_REMOVED)
    body = me.get(at(in_ws, f"cases/{case.pk}/")).content.decode()
    assert "/page/0" in body
    assert "Both links are down since this morning." in body
    assert "Request 2, if nobody answers" in body
    assert "Says it is removed" in body
    assert body.count("<h1") == 1


def test_it_closes_a_case_when_a_person_saw_all_links_gone(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    case = make_list(project, sites=1)[0]
    make_asked(case)
    me.post(at(in_ws, f"cases/{case.pk}/links/"), {"state": LinkState.GONE})
    case.refresh_from_db()
    assert case.state == CaseState.GONE
    waiting = Message.objects.get(step__position=2)
    assert (waiting.state, waiting.reason) == (MessageState.CANCELLED, "links_gone")
    link = Backlink.objects.first()
    assert link is not None
    me.post(at(in_ws, f"cases/{case.pk}/links/"), {"state": LinkState.LIVE, "link": str(link.pk)})
    case.refresh_from_db()
    assert case.state == CaseState.OPEN
    assert me.post(at(in_ws, f"cases/{case.pk}/links/"), {"state": "seen"}).status_code == 404
    bad = {"state": LinkState.LIVE, "link": "nonsense"}
    assert me.post(at(in_ws, f"cases/{case.pk}/links/"), bad).status_code == 404


@pytest.mark.parametrize(
    ("address", "words"),
    [("", "Type an address"), ("two@a.example, b@c.example", "One address only"), ("nonsense", "address")],
)
def test_it_refuses_a_contact_beside_the_field(
    address: str, words: str, me: Client, in_ws: Workspace, project: Project
) -> None:
    case = make_list(project, sites=1)[0]
    answer = me.post(at(in_ws, f"cases/{case.pk}/contact/"), {"address": address})
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert RemovalCase.objects.get().contact is None


def test_it_names_who_is_left_out_and_never_asks_a_suppressed_person(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    rows = [make_ready(case) for case in make_list(project, sites=3)]
    factories.make_suppression("webmaster@site000.example")
    cases.set_link_state(rows[1], LinkState.SAYS_REMOVED, actor=None)
    found = cases.writable(project)
    assert [case.site.domain for case in found.ready] == ["site002.example"]
    assert len(found.held_back) == 2
    dialog = me.get(at(in_ws, f"removals/{project.pk}/write/")).content.decode()
    assert "2 sites are left out" in dialog
    me.post(at(in_ws, f"removals/{project.pk}/write/"))
    assert [mail.to_address for mail in Message.objects.all()] == ["webmaster@site002.example"]


def test_it_says_what_stops_the_requests(me: Client, in_ws: Workspace) -> None:
    project = factories.make_project("No mailbox")
    make_ready(make_list(project, sites=1)[0])
    answer = me.post(at(in_ws, f"removals/{project.pk}/write/"), follow=True)
    assert "Choose the mailbox" in answer.content.decode()
    assert not Message.objects.exists()


def test_it_stores_the_text_of_the_request_and_shows_it_filled_in(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    make_ready(make_list(project, sites=1)[0])
    campaign = request_text.prepare(project, actor=None)
    assert campaign.text_only
    url = at(in_ws, f"removals/{project.pk}/text/")
    form = {
        "mailbox": str(campaign.mailbox_id),
        "subject": "Links to fernhill.example",
        "body": "Hello,\n\nplease remove:\n\n{{ links }}\n\n{{ sender_name }}",
        "wait_2": "5",
        "body_2": "Did my note about {{ site }} arrive?",
        "wait_3": "7",
        "body_3": "",
    }
    assert me.post(url, form).status_code == 302
    assert [step.wait_days for step in campaign.steps.all()] == [0, 5]
    body = me.get(url).content.decode()
    assert "https://site000.example/page/0" in body
    assert "Did my note about site000.example arrive?" in body
    wrong = me.post(url, {**form, "body": "Hello [name], {{ frist_name }}"}, follow=True)
    assert "There is no field called" in wrong.content.decode()
    assert me.post(url, {**form, "subject": "Two\nlines"}).status_code == 422
    assert me.post(url, {**form, "body": "  "}).status_code == 422


def test_it_shows_an_unknown_list_its_columns_and_takes_the_chosen_one(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    url = at(in_ws, f"removals/{project.pk}/import/")
    lines = "Quelle,Ziel\nhttps://a.example/1,https://fernhill.example/\n"
    first = me.post(url, {"lines": lines})
    assert first.status_code == 422
    assert "<option>Quelle</option>" in first.content.decode()
    second = me.post(url, {"lines": lines, "source_column": "Quelle", "target_column": "Ziel"})
    assert "Import 1 link" in second.content.decode()


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"lines": "x" * (2 * 1024 * 1024 + 1)},
        {"file": SimpleUploadedFile("a.csv", b"")},
        {"lines": "\x00\x01\x02"},
    ],
)
def test_it_refuses_a_list_that_is_none(
    sent: dict[str, object], me: Client, in_ws: Workspace, project: Project
) -> None:
    answer = me.post(at(in_ws, f"removals/{project.pk}/import/"), sent)
    assert answer.status_code == 422
    assert "wrongs" in answer.content.decode()


def test_it_pauses_and_resumes_the_requests(me: Client, in_ws: Workspace, project: Project) -> None:
    make_asked(make_list(project, sites=1)[0])
    campaign = request_text.campaign_of(project)
    assert campaign is not None
    url = at(in_ws, f"removals/{project.pk}/pause/")
    me.post(url)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.PAUSED
    me.post(url)
    campaign.refresh_from_db()
    assert campaign.state == CampaignState.RUNNING


def test_it_lets_a_viewer_read_and_nobody_else_in(
    signed_in: Callable[[User], Client],
    viewer: User,
    stranger: User,
    ex_member: User,
    in_ws: Workspace,
    project: Project,
) -> None:
    case = make_list(project, sites=1)[0]
    pages = [f"removals/{project.pk}/", f"cases/{case.pk}/", f"removals/{project.pk}/text/", "removals/"]
    reader = signed_in(viewer)
    for page in pages:
        assert reader.get(at(in_ws, page)).status_code == 200
    assert reader.post(at(in_ws, f"cases/{case.pk}/verdict/"), {"verdict": "keep"}).status_code == 403
    assert reader.get(at(in_ws, f"removals/{project.pk}/write/")).status_code == 403
    for outsider in (stranger, ex_member):
        for page in pages:
            assert signed_in(outsider).get(at(in_ws, page)).status_code == 404


def test_it_asks_no_more_queries_for_fifty_sites_than_for_five(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    def queries(path: str) -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert me.get(at(in_ws, path)).status_code == 200
        return len(found)

    def fill(count: int) -> None:
        for number, case in enumerate(make_list(project, sites=count)):
            if case.verdict == Verdict.UNDECIDED:
                mail = make_asked(case)
                if number % 2:
                    factories.make_reply(mail)
                    RemovalCase.objects.filter(pk=case.pk).update(state=CaseState.YOUR_TURN)
                if number % 5 == 0:
                    cases.set_verdict(case, Verdict.DISAVOW, actor=None)

    paths = [f"removals/{project.pk}/", f"removals/{project.pk}/disavow/", "removals/"]
    fill(5)
    [queries(path) for path in paths]
    few = [queries(path) for path in paths]
    fill(50)
    assert RemovalCase.objects.count() == 50
    assert [queries(path) for path in paths] == few


def test_it_stops_what_waits_when_the_verdict_changes(in_ws: Workspace, project: Project) -> None:
    case = make_list(project, sites=1)[0]
    make_asked(case)
    assert cases.set_verdict(case, Verdict.KEEP, actor=None)
    assert not cases.set_verdict(case, Verdict.KEEP, actor=None)
    waiting = Message.objects.get(step__position=2)
    assert (waiting.state, waiting.reason) == (MessageState.CANCELLED, "case_closed")
    case.refresh_from_db()
    assert case.enrollment is not None
    assert case.enrollment.state == EnrollmentState.CANCELLED


def test_it_asks_another_person_when_the_contact_changes(in_ws: Workspace, project: Project) -> None:
    case = make_list(project, sites=1)[0]
    make_asked(case)
    cases.set_contact(case, address="editor@site000.example", actor=None)
    waiting = Message.objects.get(step__position=2)
    assert (waiting.state, waiting.reason) == (MessageState.CANCELLED, "contact_changed")
    assert case.enrollment is None
    assert [row.pk for row in cases.writable(project).ready] == [case.pk]


def test_it_shows_a_text_with_markup_as_plain_text_and_stores_it_so(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    campaign = compose.removal_campaign(project, actor=None)
    assert not campaign.text_only
    url = at(in_ws, f"removals/{project.pk}/text/")
    body = me.get(url).content.decode()
    assert "&lt;p&gt;" not in body
    assert "Please remove the links" in body
    form = {"mailbox": str(campaign.mailbox_id), "subject": "Links", "wait_2": "5", "wait_3": "7"}
    assert me.post(url, {**form, "body": "Hello,\n\nplease remove:\n{{ links }}"}).status_code == 302
    assert Campaign.objects.get(pk=campaign.pk).text_only
    assert [step.body for step in campaign.steps.all()] == ["Hello,\n\nplease remove:\n{{ links }}"]


def test_it_calls_no_link_still_there_before_somebody_looked(
    me: Client, in_ws: Workspace, project: Project
) -> None:
    case = make_list(project, sites=1)[0]
    mail = make_asked(case)
    factories.make_reply(mail, text="Both are down.")
    Enrollment.objects.filter(case=case).update(state=EnrollmentState.REPLIED)
    cases.settle(case)
    body = me.get(at(in_ws, f"cases/{case.pk}/")).content.decode()
    assert "Answer" in body
    assert "still there" not in body
    cases.set_link_state(case, LinkState.LIVE, actor=None, link=Backlink.objects.order_by("source_url")[0])
    assert "Answer: 1 still there" in me.get(at(in_ws, f"cases/{case.pk}/")).content.decode()
